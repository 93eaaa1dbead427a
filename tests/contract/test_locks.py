"""Locks that services hold: the same with every backend."""

from contextlib import closing

import pytest

from tests.contract.calls import HOLDER, SUCCESSOR, ask
from tests.contract.stores import RESTARTING, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Backend, Reclaim
from zato.broker.cluster import Lock, Unlock
from zato.core.invocation import Holder

NAME = "invoices/2026"
MINE = b"token--1"
YOURS = b"token--2"


def _lock(backend: Backend, token: bytes = MINE, *, name: str = NAME, seconds: float = 20) -> bool:
    return ask(backend, Lock(name, token, seconds))


def _unlock(backend: Backend, token: bytes = MINE, *, name: str = NAME) -> bool:
    return ask(backend, Unlock(name, token))


def test_a_lock_is_held_once(backend: Backend) -> None:
    """Whoever comes second does not get it, and neither does who holds it already."""
    assert [_lock(backend), _lock(backend, YOURS), _lock(backend)] == [True, False, False]


def test_locks_of_different_names_do_not_meet(backend: Backend) -> None:
    """Each name is a lock of its own, however much alike; one token may hold several."""
    assert [_lock(backend, name=name) for name in (NAME, "Invoices/2026", "", "größe")] == [True] * 4


def test_a_lock_that_was_given_back_is_free(backend: Backend) -> None:
    """Somebody else gets it at once."""
    _lock(backend)

    assert (_unlock(backend), _lock(backend, YOURS)) == (True, True)


def test_nobody_else_gives_a_lock_back(backend: Backend) -> None:
    """What is held with another token, or not at all, stays as it is."""
    _lock(backend)

    assert [_unlock(backend, YOURS), _unlock(backend, name="other")] == [False, False]
    assert _lock(backend, YOURS) is False


def test_a_lock_is_given_back_once(backend: Backend) -> None:
    """The second time there is nothing to give back."""
    _lock(backend)

    assert [_unlock(backend), _unlock(backend)] == [True, False]


def test_a_lock_is_held_until_its_time_has_run_out(backend: Backend, clock: TurnableClock) -> None:
    """To the last millisecond, and then it may be taken."""
    _lock(backend, seconds=20)
    clock.turn(19.999)
    before = _lock(backend, YOURS)
    clock.turn(0.001)

    assert (before, _lock(backend, YOURS)) == (False, True)


def test_a_lock_whose_time_has_run_out_is_not_held(backend: Backend, clock: TurnableClock) -> None:
    """Who held it learns that, whether or not somebody else has it by now, and takes nothing from them."""
    _lock(backend)
    _lock(backend, name="other")
    clock.turn(20)
    _lock(backend, YOURS)

    assert [_unlock(backend), _unlock(backend, name="other")] == [False, False]
    assert (_lock(backend), _unlock(backend, YOURS)) == (False, True)


@pytest.mark.parametrize("year", [-1, 1], ids=["back", "ahead"])
def test_locks_do_not_look_at_the_wall_clock(backend: Backend, clock: TurnableClock, year: int) -> None:
    """An operator who sets the clock frees no lock, and makes none last longer."""
    _lock(backend)
    clock.set_wall(clock.wall() + year * 365 * 86_400_000)
    before = _lock(backend, YOURS)
    clock.turn(20)

    assert (before, _lock(backend, YOURS)) == (False, True)


def test_locks_are_shared(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Every process that shares the store sees who holds them, and they outlive a connection."""
    with closing(store.open(clock)) as second:
        taken = _lock(second)

    assert (taken, _lock(backend, YOURS), _unlock(backend)) == (True, False, True)


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_a_new_start_of_the_machine_frees_all_locks(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Nobody who held one is there any more."""
    _lock(backend, seconds=1e6)
    clock.restart()

    with closing(store.open(clock)) as second:
        assert (_unlock(second), _lock(second, YOURS)) == (False, True)


def test_in_one_batch_the_first_one_wins(backend: Backend) -> None:
    """Operations of one batch are carried out in order."""
    asked = [Lock(NAME, MINE, 20), Lock(NAME, YOURS, 20), Unlock(NAME, MINE), Lock(NAME, YOURS, 20)]

    assert backend.apply(asked).results == [True, False, True, True]


def test_the_lock_of_a_dead_process_is_free_at_once(backend: Backend) -> None:
    """Whoever starts in the place of a process gives back its locks with its calls."""
    ask(backend, Lock(NAME, MINE, 300, HOLDER))
    ask(backend, Lock("another", MINE, 300, HOLDER))
    ask(backend, Unlock("another", MINE))

    before = _lock(backend, YOURS)
    ask(backend, Reclaim(SUCCESSOR))

    assert (before, _lock(backend, YOURS)) == (False, True)


@pytest.mark.parametrize("holder", [Holder(SUCCESSOR.server, SUCCESSOR.run, 2), None], ids=["alive", "nobody-known"])
def test_the_lock_of_somebody_else_is_kept(backend: Backend, holder: Holder | None) -> None:
    """A start ends nothing of what lives beside it."""
    ask(backend, Lock(NAME, MINE, 300, holder))
    ask(backend, Reclaim(SUCCESSOR))

    assert _lock(backend, YOURS) is False
