"""What commands are given, as click hands it to them."""

import click
import pytest

from zato.cli.parameters import FOLDER, Choice, Seconds, headers_given, payload_given

OPTION = click.Option(["--x"])
CONTEXT = click.Context(click.Command("test"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("a=1", {"a": "1"}, id="one"),
        pytest.param("X-A=1; b=2;", {"X-A": "1", "b": "2"}, id="two"),
        pytest.param("a = k=v ", {"a": "k=v"}, id="equals-in-the-value"),
        pytest.param("a=", {"a": ""}, id="empty-value"),
        pytest.param("a=caf\xe9", {"a": "caf\xe9"}, id="latin-1"),
        pytest.param("a=1;a=2", {"a": "2"}, id="last-one-wins"),
    ],
)
def test_headers(given: str, expected: dict[str, str]) -> None:
    """Pairs are parted by semicolons, names and values by the first equals sign."""
    assert headers_given(CONTEXT, OPTION, given) == expected


@pytest.mark.parametrize("given", ["a", "=1", "a b=1", "a\n=1", "a=1\nb: 2", "a=\x00", "ż=1", "a=ż", "a:=1"])
def test_headers_that_cannot_be_sent(given: str) -> None:
    """Nothing that could end a header early gets through."""
    with pytest.raises(click.BadParameter, match="is no header"):
        headers_given(CONTEXT, OPTION, given)


@pytest.mark.parametrize("given", ["", "text", "a@b", " @x", "--"])
def test_payload_that_stands_for_itself(given: str) -> None:
    """Only an `@` in front and a single dash mean something else."""
    assert payload_given(CONTEXT, OPTION, given) == given


@pytest.mark.parametrize(
    ("given", "end"),
    [
        pytest.param("faild", "is not one of 'done', 'failed'. Did you mean 'failed'?", id="misspelt"),
        pytest.param("FALED", "is not one of 'done', 'failed'. Did you mean 'failed'?", id="misspelt-in-capitals"),
        pytest.param("xyzzy", "is not one of 'done', 'failed'.", id="unlike-any"),
    ],
)
def test_choice_that_is_none(given: str, end: str) -> None:
    """The words are listed, and the nearest is suggested."""
    with pytest.raises(click.BadParameter) as caught:
        Choice(["done", "failed"], case_sensitive=False).convert(given, OPTION, CONTEXT)
    assert caught.value.message == f"{given!r} {end}"


@pytest.mark.parametrize(("given", "expected"), [("0", 0.0), ("1.5", 1.5), ("60", 60.0)])
def test_seconds(given: str, expected: float) -> None:
    """Any number from nothing on will do."""
    assert Seconds().convert(given, OPTION, CONTEXT) == expected


@pytest.mark.parametrize("given", ["-0.1", "nan", "inf", "-inf", "1e999", "1 s", ""])
def test_seconds_that_are_none(given: str) -> None:
    """What is no number, or one that never ends, is refused."""
    with pytest.raises(click.BadParameter):
        Seconds().convert(given, OPTION, CONTEXT)


def test_folder_is_a_path_that_need_not_exist() -> None:
    """Whether it is an environment is told by the environment."""
    assert FOLDER.convert("no/such/folder", OPTION, CONTEXT).parts == ("no", "such", "folder")
