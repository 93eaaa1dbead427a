"""Real Redis servers on this machine, which a test may break as it likes.

For one whose master is watched by sentinels: tests/support/sentinel.py.
"""

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.environments import free_port
from tests.support.waiting import wait_until

__all__ = ["START_TIMEOUT", "RedisServer", "find_server", "own_cluster", "start_redis"]

# Where scripts/redis.sh puts them, for `make test`.
FETCHED = Path(__file__).parents[2] / ".venv" / "redis" / "bin"
MEMORY = Path("/dev/shm")
START_TIMEOUT = 60.0
# A port is free when it is chosen, and somebody else may be the first to use it.
ATTEMPTS = 5
DEFAULTS = {"bind": "127.0.0.1", "appendonly": "no", "save": ""}

_clusters = itertools.count(1)


def find_server(name: str = "redis-server") -> str | None:
    """Return where a server's program is: what scripts/redis.sh fetched, else what is installed."""
    return shutil.which(name, path=f"{FETCHED}{os.pathsep}{os.environ['PATH']}")


class RedisServer:
    """A server with a port and a folder of its own. Use it in a `with`; leaving kills it.

    Attributes:
        folder: what it writes into.
        password: what clients have to know.
        port: where it listens, on 127.0.0.1; the same after every start.
    """

    def __init__(
        self,
        *,
        program: str = "redis-server",
        folder: Path | None = None,
        password: str = "",
        replica_of: "RedisServer | None" = None,
        **options: object,
    ) -> None:
        """Say what to run.

        Args:
            program: which server; `valkey-server` is the other one.
            folder: an empty one that is there; else one in memory, if there is such a place, which is removed.
            password: what clients have to know; empty for none.
            replica_of: whose data it copies; that one runs, with the same password.
            options: lines of redis.conf, with `_` for `-`: `appendonly="yes"`, `maxmemory_policy="noeviction"`.
        """
        self.folder = folder or Path()
        self.password = password
        self.port = 0
        self._has_own_folder = folder is None
        self._program = program
        self._options = {**DEFAULTS, **_secrets(password), **_copying(replica_of), **options}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._has_own_folder:
            self.folder = Path(mkdtemp(prefix="redis-", dir=MEMORY if MEMORY.is_dir() else None))
        try:
            self._start_somewhere()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def url(self) -> str:
        """Return its address, without the password."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """Return what it logged so far, in all its lives."""
        return (self.folder / "output.txt").read_text("utf-8", "replace")

    @contextmanager
    def client(self, **options: Any) -> Iterator[redis.Redis]:
        """Give a client that tries nothing twice and returns texts, and close it."""
        fixed = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 10.0, "decode_responses": True}
        with redis.Redis(port=self.port, password=self.password or None, **{**fixed, **options}) as client:
            yield client

    def start(self) -> None:
        """Start it, at the same port, and return once it answers and has read its data."""
        self._process = start_redis(self._program, self._arguments(), self.folder / "output.txt")
        wait_until(self._is_ready, START_TIMEOUT, what=f"an answer of {self._program} in {self.folder}")

    def stop(self) -> None:
        """Let it end by itself, having written what it has to."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, paused or not."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Let it do nothing, while its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def config_set(self, **options: object) -> None:
        """Change options until it stops."""
        with self.client() as client:
            for name, value in options.items():
                client.config_set(name.replace("_", "-"), str(value))

    def fill(self, *, room: int = 0) -> None:
        """Have it take only so many bytes more; what its policy evicts is then evicted."""
        with self.client() as client:
            used = int(client.info("memory")["used_memory"])
        # Exactly what is used now would let in whatever comes when a client has just left.
        self.config_set(maxmemory=used + room if room else 1)

    def empty(self) -> None:
        """Let it take as much as it gets again. What it has it keeps."""
        self.config_set(maxmemory=0)

    def _start_somewhere(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            self.port = free_port()
            try:
                self.start()
            except AssertionError:
                if attempt == ATTEMPTS or "Address already in use" not in self.output:
                    raise
            else:
                return

    def _arguments(self) -> list[str]:
        given = {"port": self.port, "dir": self.folder, **self._options}
        return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.output
        with suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(START_TIMEOUT)

    def _leave(self) -> None:
        self.kill()
        if self._has_own_folder:
            shutil.rmtree(self.folder)


@contextmanager
def own_cluster(server: RedisServer) -> Iterator[str]:
    """Give a name that no other cluster on the server has, and remove its keys afterwards."""
    name = f"test-{next(_clusters)}"
    yield name
    with server.client() as client:
        if keys := list(client.scan_iter(f"*{{*{name}}}*", count=10_000)):
            client.unlink(*keys)


def start_redis(program: str, arguments: list[str], output: Path) -> subprocess.Popen[bytes]:
    """Start a server that, where the system can see to that, does not outlive the thread that starts it."""
    found = find_server(program)
    assert found is not None, f"No {program} is here; 'make .venv/redis/.fetched' gets one."
    dying = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
    with output.open("ab") as file:
        return subprocess.Popen([*dying, found, *arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=file)


def _secrets(password: str) -> dict[str, object]:
    return {"requirepass": password, "masterauth": password} if password else {}


def _copying(master: RedisServer | None) -> dict[str, object]:
    return {} if master is None else {"replicaof": f"127.0.0.1 {master.port}"}
