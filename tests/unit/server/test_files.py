"""How many files a process may open, and what its forked children do not keep."""

import pytest

from tests.support.environments import free_port
from tests.support.subprocesses import run_python
from zato.server.files import connections_within

LIMITS = """
import resource
from zato.server.files import raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""

FORK = """
import os, socket, warnings
from zato.server.files import kept_from_children

warnings.simplefilter("ignore", DeprecationWarning)
lock, spare = os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY)

def count_of(fork, *handles):
    kept = []
    for handle in handles:
        try:
            os.fstat(handle)
            kept.append(1)
        except OSError:
            kept.append(0)
    return kept

def child(*handles):
    pid = os.fork()
    if pid == 0:
        os._exit(sum(kept << place for place, kept in enumerate(count_of(False, *handles))))
    return f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):03b}"

with socket.create_server(("127.0.0.1", PORT)) as door, socket.create_server(("127.0.0.1", 0)) as other:
    with kept_from_children(lock, PORT):
        print(child(lock, door.fileno(), spare), child(spare, other.fileno()), count_of(True, lock, door.fileno()))
    print(child(lock, door.fileno(), spare))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "files"),
    [pytest.param(100, 150, 150, id="raised"), pytest.param(100, 100, 100, id="nothing-to-raise")],
)
def test_limit(soft: int, hard: int, files: int) -> None:
    """The limit in force becomes as high as the system allows."""
    assert run_python(LIMITS.format(soft=soft, hard=hard), measured=True) == f"{files} {files} {hard}\n"


@pytest.mark.parametrize(
    ("files", "connections"),
    [(40, 16), (64, 16), (256, 64), (1024, 768), (20_256, 20_000), (65_536, 20_000)],
)
def test_connections_leave_files_to_others(files: int, connections: int) -> None:
    """Store, logs and services always get some; above a number that is enough for all, more make no difference."""
    assert connections_within(files) == connections


def test_forked_child_keeps_neither_lock_nor_port() -> None:
    """It keeps what is not ours, and its parent keeps everything; after the server's end nothing is closed any more."""
    assert run_python(FORK.replace("PORT", str(free_port())), measured=True) == "100 011 [1, 1]\n111\n"
