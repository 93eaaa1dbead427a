"""What an error of the embedded broker's file means: whether to ask again."""

import apsw
import pytest

from zato.broker.connection import is_file_at_fault, is_full, is_locked

LATER = [
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.FullError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.NotADBError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
    MemoryError,
]
NEVER = [apsw.TooBigError, apsw.ConstraintError, apsw.MismatchError, apsw.RangeError, OverflowError, TypeError]


@pytest.mark.parametrize("kind", LATER)
def test_fault_of_the_file(kind: type[Exception]) -> None:
    """What the file or the machine cannot do now, it may do later."""
    assert is_file_at_fault(kind("x"))


@pytest.mark.parametrize("kind", NEVER)
def test_fault_of_what_is_to_be_stored(kind: type[Exception]) -> None:
    """What cannot be stored for its own sake never can."""
    assert not is_file_at_fault(kind("x"))


def test_lock() -> None:
    """Only a lock of another process is worth no second try of each operation on its own."""
    assert [is_locked(kind("x")) for kind in (apsw.BusyError, apsw.FullError)] == [True, False]


def test_room() -> None:
    """A disk that is full, and a file that may not grow, are told from what no room helps against."""
    kinds = (apsw.FullError, apsw.IOError, apsw.CorruptError, apsw.SQLError)
    assert [is_full(kind("x")) for kind in kinds] == [True, True, False, False]
