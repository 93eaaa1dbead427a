"""What is legal as an option of a background call."""

import pytest

from zato.core.errors import BadRequest
from zato.core.invocation import Priority
from zato.core.options import PRIORITIES, max_concurrency_of, priority_of, priority_word, queue_of


@pytest.mark.parametrize("word", PRIORITIES)
def test_priority_by_word(word: str) -> None:
    """Each word stands for its priority, and is what people see of it."""
    assert priority_of(word) is priority_of(PRIORITIES[word]) is PRIORITIES[word]
    assert priority_word(int(PRIORITIES[word])) == word


def test_words_from_first_to_last() -> None:
    """What starts first is named first."""
    assert [*PRIORITIES.items()] == [("high", Priority.HIGH), ("normal", Priority.NORMAL), ("low", Priority.LOW)]


def test_priority_without_a_word() -> None:
    """What a later version may have stored is shown as it is."""
    assert priority_word(3) == "3"


@pytest.mark.parametrize("value", [1, 5, "HIGH", "urgent", "", True, None, ["high"]])
def test_priority_that_is_none(value: object) -> None:
    """It is refused, and the three are named."""
    with pytest.raises(BadRequest, match=r"is not legal: it is one of 'high', 'normal', 'low'\."):
        priority_of(value)


@pytest.mark.parametrize(("value", "near"), [("hihg", "high"), ("LOW", "low"), ("norml", "normal")])
def test_misspelt_priority(value: str, near: str) -> None:
    """The nearest word is suggested."""
    with pytest.raises(BadRequest, match=f"priority='{value}' .* Did you mean '{near}'"):
        priority_of(value)


@pytest.mark.parametrize("name", ["a", "default", "Bulk.import_2-b", "9" * 100])
def test_name_of_a_queue(name: str) -> None:
    """It is taken as it is."""
    assert queue_of(name) == name


@pytest.mark.parametrize("name", ["", "a b", "ż", "a/b", "a\n", "9" * 101, None, 7, b"a"])
def test_name_that_no_queue_can_have(name: object) -> None:
    """It is refused, and the message says what a name is made of."""
    with pytest.raises(BadRequest, match=r"is no legal name: give 1 to 100 letters .*, digits, '\.', '_' and '-'\."):
        queue_of(name)


@pytest.mark.parametrize("value", [1, 1_000_000])
def test_limit_of_calls_at_once(value: int) -> None:
    """From one to a million."""
    assert max_concurrency_of(value) == value


@pytest.mark.parametrize("value", [0, -1, 1_000_001, 2.0, True, "2"])
def test_limit_that_is_none(value: object) -> None:
    """It is refused, with the range."""
    with pytest.raises(BadRequest, match="is not legal: give a whole number from 1 to 1000000, or None"):
        max_concurrency_of(value)
