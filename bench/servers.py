"""The servers of a run: ours, made and started by the command line as users do, a bare granian, and Redis."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import processes
from zato.client import AnyServiceInvoker

__all__ = ["PASSWORD", "ROOT", "ZATO", "ZatoServer", "bare_server", "free_port", "redis_server", "zato_server"]

ROOT = Path(__file__).resolve().parents[1]
ZATO = str(Path(sys.executable).with_name("zato"))
PASSWORD = "bench-password"
START_LIMIT = 30.0


class ZatoServer:
    """An environment and its server process.

    Attributes:
        path: the environment's folder.
        port: where the server answers.
        process: the server, or what is left of the last one.
    """

    def __init__(self, folder: Path, redis_port: int = 0) -> None:
        """Make the environment, with the services under measurement in it."""
        self.path = folder / "env"
        self.port = free_port()
        self.process: subprocess.Popen[bytes]
        self._output = folder / "output.txt"
        self._variables = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_REDIS_PORT": str(redis_port)}
        create = [ZATO, "create", str(self.path), "--port", str(self.port), "--admin-invoke-password", PASSWORD]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(ROOT / "bench" / "services" / "measured.py", self.path / "services")

    def start(self) -> float:
        """Start the server and return the monotonic time of its first 200."""
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [ZATO, "start", str(self.path)], stdout=output, stderr=output, env=self._variables
            )
        return processes.wait_for(self._is_ready, START_LIMIT, f"start, see {self._output}", step=0.002)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait()

    def client(self) -> AnyServiceInvoker:
        """Return a client with the right credentials."""
        return AnyServiceInvoker(f"http://127.0.0.1:{self.port}", "/zato/admin/invoke", ("admin.invoke", PASSWORD))

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise ChildProcessError(f"The server ended: {self._output.read_text()}")
        return get_status(self.port, "/zato/ready") == 200


@contextmanager
def zato_server(redis_port: int = 0) -> Iterator[ZatoServer]:
    """Run a server of a new environment while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        server = ZatoServer(Path(folder), redis_port)
        server.start()
        try:
            yield server
        finally:
            processes.end(server.process)


@contextmanager
def bare_server() -> Iterator[int]:
    """Run the bare granian handler while the context lasts; gives its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)], cwd=ROOT)
    try:
        processes.wait_for(lambda: get_status(port, "/") == 200, START_LIMIT, "start of the bare server")
        yield port
    finally:
        processes.end(process)


@contextmanager
def redis_server(program: str) -> Iterator[tuple[int, int]]:
    """Run a Redis that syncs once a second while the context lasts; gives its port and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        options = f"--bind 127.0.0.1 --port {port} --appendonly yes --appendfsync everysec --dir {folder}"
        process = subprocess.Popen([program, *options.split(), "--save", ""], stdout=subprocess.DEVNULL)
        try:
            processes.wait_for(lambda: _accepts(port), START_LIMIT, "start of redis-server")
            yield port, process.pid
        finally:
            processes.end(process)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get_status(port: int, path: str) -> int | None:
    """Return the status that a GET is answered with, or None if nobody answers."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        words = connection.recv(1024).split(b" ", 2)
        return int(words[1]) if len(words) == 3 else None
    return None


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
