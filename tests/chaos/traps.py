"""Places at which a process of a server kills itself, once, when a test has armed them.

A trap is a file in the environment: armed by a test, renamed by the process that it kills, so that the
process that takes its place goes on. Used by the test entry point (`tests/chaos/worker.py`) and by
services; the server itself knows nothing of it.
"""

import os
import signal
from pathlib import Path

__all__ = ["SERVER", "STANDSTILL", "WORKER", "Traps"]

WORKER = "worker"
SERVER = "server"
# No death: the process stands still until it is sent SIGCONT.
STANDSTILL = "standstill"


class Traps:
    """The traps of one environment.

    Attributes:
        folder: where they are, and what services write down too.
    """

    def __init__(self, environment: Path) -> None:
        self.folder = environment / "chaos"
        self.folder.mkdir(exist_ok=True)

    def arm(self, point: str, victim: str = WORKER) -> None:
        """Have the next process that comes to a point kill itself, or first its supervisor, or stand still."""
        draft = self.folder / f"{point}.draft"
        draft.write_text(victim, "ascii")
        draft.rename(self._armed(point))

    def disarm(self, point: str) -> None:
        """Let everybody pass that point from now on."""
        self._armed(point).unlink(missing_ok=True)

    def is_armed(self, point: str) -> bool:
        """Tell whether nobody has come to a point yet."""
        return self._armed(point).exists()

    def spring(self, point: str) -> None:
        """Kill this process with SIGKILL if the point is armed, or stop it. Of several processes only one is struck."""
        sprung = self.folder / f"{point}.sprung"
        try:
            self._armed(point).rename(sprung)
        except FileNotFoundError:
            return
        victim = sprung.read_text("ascii")
        if victim == SERVER:
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGSTOP if victim == STANDSTILL else signal.SIGKILL)

    def _armed(self, point: str) -> Path:
        return self.folder / f"{point}.armed"
