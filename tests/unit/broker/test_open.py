"""From a setting to a backend."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.clocks import TurnableClock
from tests.support.subprocesses import run_python
from zato.broker.base import Applied, Backend
from zato.broker.open import Location, open_backend, open_reader
from zato.core.errors import InvalidSetting

Opener = Callable[[Location, TurnableClock], Backend]
PRINT_MODULES = "import zato.broker.open, zato.broker.batcher, sys; print(*sys.modules)"


def test_sqlite_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    """The embedded broker needs no more than a folder."""
    with closing(open_backend(Location("sqlite", tmp_path), TurnableClock())) as backend:
        assert backend.apply([]) == Applied()

    assert (tmp_path / "broker.db").is_file()


def test_sqlite_is_read_from_the_same_file(tmp_path: Path) -> None:
    """A reader is opened beside a backend."""
    with (
        closing(open_backend(Location("sqlite", tmp_path), TurnableClock())),
        closing(open_reader(Location("sqlite", tmp_path), TurnableClock())) as reader,
    ):
        assert reader.apply([]) == Applied()


@pytest.mark.parametrize("opener", [open_backend, open_reader])
@pytest.mark.parametrize("broker", ["SQLite", "mysql", "", "sqlite:///x"])
def test_unknown_broker_is_refused_with_what_is_known(tmp_path: Path, broker: str, opener: Opener) -> None:
    """The message quotes the setting and names a value that works; no file is made."""
    with pytest.raises(InvalidSetting) as caught:
        opener(Location(broker, tmp_path), TurnableClock())

    assert str(caught.value) == f"broker = {broker!r} is not known. Use 'sqlite', or a URL such as 'redis://host:6379'."
    assert list(tmp_path.iterdir()) == []


def test_libraries_of_unused_backends_are_not_loaded() -> None:
    """A backend's library is imported when a setting asks for it."""
    assert not {"apsw", "redis"} & set(run_python(PRINT_MODULES).split())
