"""A server whose worker processes can be broken, in a process group of its own."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.environments import ServerProcess
from tests.support.waiting import wait_until
from zato.core.errors import ServerNotRunning
from zato.environment import Environment

__all__ = ["ROOT", "BreakableServer"]

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[2]


class BreakableServer(ServerProcess):
    """A real server in a process group of its own, with traps. Use it in a `with`."""

    command: tuple[str, ...] = (sys.executable, "-P", "-m", "tests.chaos.supervisor")

    def __init__(self, environment: Environment, *, within: Sequence[str] = ()) -> None:
        """Start it. Entering the `with` waits until it is ready.

        Args:
            within: a command that runs another one, as the first words of which it is given.
        """
        self.command = (*within, *type(self).command)
        super().__init__(environment, env={"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"})

    def wait_ready(self) -> None:
        """Return when it answers. Cheaper than the command `zato wait`, because it is done often."""
        wait_until(self._has_announced_itself, PATIENCE, what=f"a ready server; it said: {self.output.read_text()}")

    def _has_announced_itself(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        try:
            return self.environment.running().pid == self.process.pid
        except ServerNotRunning:
            return False

    def workers(self) -> list[int]:
        """Return the process numbers of the workers that there are now."""
        return [worker.pid for worker in self.environment.running().workers if worker.pid is not None]
