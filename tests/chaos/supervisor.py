"""The process of a server that can be broken: the real supervisor, told to start `tests/chaos/worker.py`.

It imports nothing that a server does not need: it is started dozens of times. Argument: the environment's folder.
"""

import sys
from pathlib import Path

from zato.core.errors import ZatoError
from zato.environment import Environment
from zato.server.supervisor import run_server

WORKER = (sys.executable, "-P", "-m", "tests.chaos.worker")


def run(path: Path) -> None:
    """Run a server until SIGTERM."""
    environment = Environment(path).check()
    try:
        run_server(environment, environment.settings(), lambda *_: None, command=WORKER)
    except ZatoError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
