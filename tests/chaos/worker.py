"""A worker process with traps and a clock that can be turned, otherwise the real one.

Started by the real supervisor, in place of `zato.server.process`, because `tests/chaos/supervisor.py` says so.
"""

import socket
import sys
from functools import partial
from pathlib import Path

from tests.chaos.breaking import open_breaking
from tests.chaos.traps import Traps
from tests.chaos.turning import turned_clock
from zato.server.process import run_process


def run(environment: Path, line: socket.socket) -> None:
    """Run until SIGTERM, or into a trap."""
    traps = Traps(environment)
    with turned_clock(traps.folder):
        run_process(line, opened_by=partial(open_breaking, traps))


if __name__ == "__main__":
    run(Path(sys.argv[-3]), socket.socket(fileno=int(sys.argv[-1])))
