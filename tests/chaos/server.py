"""A server whose worker processes can be broken: the real supervisor, told to start `tests/chaos/worker.py`.

Argument: the environment's folder.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.environments import ServerProcess
from tests.support.waiting import wait_until
from zato.core.errors import ServerNotRunning, ZatoError
from zato.environment import Environment
from zato.server.supervisor import run_server

__all__ = ["ROOT", "BreakableServer"]

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-P", "-m", "tests.chaos.worker")


class BreakableServer(ServerProcess):
    """A real server in a process group of its own, with traps. Use it in a `with`."""

    command: tuple[str, ...] = (sys.executable, "-P", "-m", "tests.chaos.server")

    def __init__(self, environment: Environment, *, within: Sequence[str] = ()) -> None:
        """Start it. Entering the `with` waits until it is ready.

        Args:
            within: a command that runs another one, as the first words of which it is given.
        """
        self.command = (*within, *type(self).command)
        super().__init__(environment, env={"PYTHONPATH": str(ROOT)})

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


def run(path: Path) -> None:
    """Run a server until SIGTERM."""
    environment = Environment(path).check()
    try:
        run_server(environment, environment.settings(), lambda *_: None, command=WORKER)
    except ZatoError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
