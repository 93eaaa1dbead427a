"""The leak check notices what a test leaves open, and nothing else."""

import socket
import threading
from pathlib import Path

import pytest

from tests.support.leaks import Resources, check_returned


def test_closed_again_is_silent(tmp_path: Path) -> None:
    """What was opened and closed in between is no leak."""
    before = Resources.now()
    (tmp_path / "file").write_text("closed by now")

    check_returned(before, grace=0)


def test_open_file_is_named(tmp_path: Path) -> None:
    """The failure says which file it was."""
    before = Resources.now()
    with (tmp_path / "left-open").open("w"), pytest.raises(AssertionError, match="left-open"):
        check_returned(before, grace=0)


def test_open_socket_is_found() -> None:
    """Sockets count as files do."""
    before = Resources.now()
    with socket.socket(), pytest.raises(AssertionError, match="files or sockets"):
        check_returned(before, grace=0)


def test_running_thread_is_named() -> None:
    """The failure says which thread it was."""
    before = Resources.now()
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name="left-running")
    thread.start()

    with pytest.raises(AssertionError, match=r"1 threads \['left-running'\]"):
        check_returned(before, grace=0)

    release.set()
    thread.join()


def test_thread_that_is_about_to_end_is_awaited() -> None:
    """What ends within the grace period is no leak."""
    before = Resources.now()
    timer = threading.Timer(0.05, lambda: None)
    timer.start()

    check_returned(before, grace=5)

    timer.join()
