"""How a running service learns that it should stop."""

from collections.abc import Callable

import pytest

from zato.core.stop import StopSign


def test_sign_is_set_for_good() -> None:
    """It is not set at first; once set, it stays so."""
    sign = StopSign()
    before = sign.is_set
    sign.set()
    sign.set()
    assert (before, sign.is_set) == (False, True)


def test_sign_below_another() -> None:
    """Whoever is stopped stops what he waits for, and nobody above him."""
    root = StopSign()
    middle = StopSign(root)
    leaf, other = StopSign(middle), StopSign(root)
    middle.set()
    by_middle = [sign.is_set for sign in (root, middle, leaf, other)]
    root.set()
    assert by_middle == [False, True, True, False]
    assert all(sign.is_set for sign in (root, middle, leaf, other))


@pytest.mark.parametrize("choose", [lambda root, leaf: root, lambda root, leaf: leaf], ids=["above", "itself"])
def test_call_when_the_sign_is_set(choose: Callable[[StopSign, StopSign], StopSign]) -> None:
    """Whoever waits is told, whichever of the signs above him is set, and only while he waits."""
    root = StopSign()
    leaf = StopSign(root)
    told: list[str] = []
    with leaf.calling(lambda: told.append("ended")):
        pass
    with leaf.calling(lambda: told.append("waits")):
        before = list(told)
        choose(root, leaf).set()
    assert (before, told) == ([], ["waits"])


def test_call_that_begins_after_the_sign_was_set() -> None:
    """Who tidies up after a stop is not stopped again by the same sign."""
    sign = StopSign()
    sign.set()
    told: list[str] = []
    with StopSign(sign).calling(lambda: told.append("stopped")):
        sign.set()
    assert told == []


def test_call_is_forgotten_when_the_wait_fails() -> None:
    """An error leaves nothing behind."""
    sign = StopSign()
    told: list[str] = []
    with pytest.raises(ValueError, match="late"), sign.calling(lambda: told.append("told")):
        raise ValueError("late")
    sign.set()
    assert told == []
