"""Knowing when a store is worth a look."""

from zato.broker.due import LOOK_AGAIN, Due

NOW, BOOT = 1_000_000, 5_000


def _idle() -> Due:
    due = Due()
    due.found(BOOT, wall_due=(), boot_due=None)
    return due


def test_what_is_not_known_is_due() -> None:
    """Before the first look, and after what was learnt became doubtful, it is time to look."""
    fresh, doubtful = Due(), _idle()
    doubtful.forget()

    assert (fresh.is_now(NOW, BOOT), doubtful.is_now(NOW, BOOT)) == (True, True)


def test_nothing_is_due_in_an_empty_store() -> None:
    """A store where nothing depends on time need not be searched, and nobody knows when it will."""
    due = _idle()

    assert (due.is_now(NOW, BOOT), due.seconds(NOW, BOOT)) == (False, None)


def test_other_processes_are_not_forgotten() -> None:
    """They may have stored something: after a while it is time to look, whatever is known."""
    due = _idle()

    assert [due.is_now(NOW, BOOT + LOOK_AGAIN - 1), due.is_now(NOW, BOOT + LOOK_AGAIN)] == [False, True]


def test_the_earliest_time_of_each_clock_counts() -> None:
    """Times found and times added are one set, and the next of all is told in seconds."""
    due = Due()
    due.found(BOOT, wall_due=(None, NOW + 400), boot_due=BOOT + 300)
    found = due.seconds(NOW, BOOT)
    due.at_wall(NOW + 200)
    due.at_wall(NOW + 900)
    due.at_wall(None)
    wall = due.seconds(NOW, BOOT)
    due.at_boot(BOOT + 100)
    due.at_boot(BOOT + 900)

    assert (found, wall, due.seconds(NOW, BOOT)) == (0.3, 0.2, 0.1)


def test_either_clock_makes_it_due() -> None:
    """The exact moment is late enough, on the wall clock or on the boot clock."""
    due = Due()
    due.found(BOOT, wall_due=(NOW + 10, NOW + 20), boot_due=BOOT + 10)

    moments = [(NOW + 9, BOOT + 9), (NOW + 10, BOOT), (NOW, BOOT + 10)]
    assert [due.is_now(*moment) for moment in moments] == [False, True, True]


def test_what_is_overdue_is_due_in_no_time() -> None:
    """Nobody is told to wait for the past."""
    due = Due()
    due.found(BOOT, wall_due=(NOW - 1000, None), boot_due=None)

    assert due.seconds(NOW, BOOT) == 0.0
