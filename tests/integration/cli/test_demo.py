"""`zato demo`: what the tour shows, and that nothing of it is left."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.environments import ZATO
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("unmeasured")


def start_tour(folder: Path) -> "subprocess.Popen[str]":
    """Begin a tour that uses a folder for what is temporary."""
    return subprocess.Popen(
        [ZATO, "demo"],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def servers_in(folder: Path) -> list[int]:
    """Return the numbers of the processes that name a folder, or work in it."""
    found = psutil.process_iter(["pid", "cmdline", "cwd"])
    return [process.pid for process in found if _is_about(process.info, str(folder))]


def _is_about(process: dict[str, Any], folder: str) -> bool:
    return folder in " ".join(process["cmdline"] or ()) or (process["cwd"] or "").startswith(folder)


def test_tour(tmp_path: Path) -> None:
    """It invokes now and in the background, kills the server, finds the result by its CID, and cleans up."""
    with start_tour(tmp_path) as tour:
        out, err = tour.communicate(timeout=55)
    assert (tour.returncode, err) == (0, "")
    assert out.count("\nHello, Ada!\n") == 3
    assert "letters.sent" in out
    assert out.index("$ kill -9 ") < out.index("take-overs  1\n") < out.index("$ zato stop tour")
    wait_until(lambda: not servers_in(tmp_path), 10, what="the end of the server")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_tour_that_is_ended_early(tmp_path: Path, number: signal.Signals) -> None:
    """Server and folder go all the same."""
    with start_tour(tmp_path) as tour:
        assert tour.stdout is not None
        assert any("answers at" in line for line in tour.stdout)
        tour.send_signal(number)
        tour.communicate(timeout=50)
    assert tour.returncode != 0
    wait_until(lambda: not servers_in(tmp_path), 10, what="the end of the server")
    assert list(tmp_path.iterdir()) == []
