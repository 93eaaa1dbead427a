"""From a setting to a backend."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.support.clocks import TurnableClock
from tests.support.subprocesses import run_python
from zato.broker.base import Applied
from zato.broker.open import open_backend
from zato.core.errors import InvalidSetting

PRINT_MODULES = "import zato.broker.open, zato.broker.batcher, sys; print(*sys.modules)"


def test_sqlite_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    """The embedded broker needs no more than a folder."""
    with closing(open_backend("sqlite", tmp_path, TurnableClock())) as backend:
        assert backend.apply([]) == Applied()

    assert (tmp_path / "broker.db").is_file()


@pytest.mark.parametrize("broker", ["SQLite", "mysql", "", "sqlite:///x"])
def test_unknown_broker_is_refused_with_what_is_known(tmp_path: Path, broker: str) -> None:
    """The message quotes the setting and names a value that works; no file is made."""
    with pytest.raises(InvalidSetting) as caught:
        open_backend(broker, tmp_path, TurnableClock())

    assert str(caught.value) == f"broker = {broker!r} is not known. Use 'sqlite'."
    assert list(tmp_path.iterdir()) == []


def test_libraries_of_unused_backends_are_not_loaded() -> None:
    """A backend's library is imported when a setting asks for it."""
    assert not {"apsw", "redis"} & set(run_python(PRINT_MODULES).split())
