"""The servers of a run: ours, made and started by the command line as users do, a bare granian, and Redis."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench import processes
from zato.client import AnyServiceInvoker
from zato.core.errors import ServerNotRunning
from zato.environment import Environment
from zato.running import RunningServer

__all__ = [
    "CLUSTER",
    "PASSWORD",
    "ROOT",
    "ZATO",
    "ZatoServer",
    "bare_server",
    "free_port",
    "redis_server",
    "zato_cluster",
    "zato_server",
]

ROOT = Path(__file__).resolve().parents[1]
ZATO = str(Path(sys.executable).with_name("zato"))
PASSWORD = "bench-password"
CLUSTER = "bench"
START_LIMIT = 30.0
CONNECTIONS_TRIED = 100


class ZatoServer:
    """An environment and its server: a supervisor and worker processes.

    Attributes:
        path: the environment's folder.
        port: where the server answers.
        redis_port: where the work counts.
        shared: whether that Redis is the broker, too.
        process: the supervisor, or what is left of the last one.
    """

    def __init__(
        self,
        folder: Path,
        redis_port: int = 0,
        *,
        workers: int = 1,
        name: str = "env",
        shared: bool = False,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Make the environment, with the services under measurement in it.

        Args:
            folder: where its folder goes.
            redis_port: where the work counts.
            workers: how many worker processes.
            name: of the folder, and of the server.
            shared: whether that Redis is the broker, too.
            settings: others than the defaults.
        """
        self.path = folder / name
        self.port = free_port()
        self.redis_port = redis_port
        self.shared = shared
        self.process: subprocess.Popen[bytes]
        self._workers = workers
        self._environment = Environment(self.path)
        self._output = folder / f"output-{name}.txt"
        given = {f"ZATO_{setting.upper()}": str(value) for setting, value in (settings or {}).items()}
        self._variables = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_REDIS_PORT": str(redis_port), **given}
        create = [ZATO, "create", str(self.path), "--port", str(self.port), "--admin-invoke-password", PASSWORD]
        create += ["--name", name]
        if shared:
            create += ["--broker", f"redis://127.0.0.1:{redis_port}/0", "--cluster", CLUSTER]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(ROOT / "bench" / "services" / "measured.py", self.path / "services")

    @property
    def store(self) -> Path:
        """The broker's file."""
        return self._environment.data / "broker.db"

    def start(self) -> float:
        """Start the server, wait until all of its workers answer, and return the monotonic time of the first 200."""
        command = [ZATO, "start", str(self.path), "--workers", str(self._workers)]
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=self._variables)
        ready = processes.wait_for(self._is_ready, START_LIMIT, f"start, see {self._output}", step=0.002)
        processes.wait_for(lambda: self._running() is not None, START_LIMIT, "start of every worker")
        return ready

    def workers(self) -> dict[int, int | None]:
        """Return the process of each worker by its number; None while one is being replaced."""
        server = self._running()
        return {} if server is None else {worker.number: worker.pid for worker in server.workers}

    def kill(self) -> None:
        """Send SIGKILL to every process of the server at once, and wait until none is left."""
        family = processes.tree([self.process.pid])
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()
        processes.wait_for(lambda: not self._environment.is_locked(), START_LIMIT, "end of every process")

    def client(self) -> AnyServiceInvoker:
        """Return a client with the right credentials."""
        return AnyServiceInvoker(f"http://127.0.0.1:{self.port}", "/zato/admin/invoke", ("admin.invoke", PASSWORD))

    def client_of(self, worker: int) -> AnyServiceInvoker:
        """Return a client whose connection ends at one of the workers.

        Raises:
            RuntimeError: none of many connections did.
        """
        for _ in range(CONNECTIONS_TRIED):
            client = self.client()
            if client.invoke("zato.server.info").data["worker"] == worker:
                return client
            client.close()
        raise RuntimeError(f"No connection came to worker {worker}")

    def ask(self, service: str, payload: object = "") -> Any:
        """Return what a service answers.

        Raises:
            RuntimeError: it failed.
        """
        with self.client() as client:
            response = client.invoke(service, payload)
        if not response.ok:
            raise RuntimeError(f"{service} failed: {response.details}")
        return response.data

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise ChildProcessError(f"The server ended: {self._output.read_text()}")
        return get_status(self.port, "/zato/ready") == 200

    def _running(self) -> RunningServer | None:
        try:
            return self._environment.running()
        except ServerNotRunning:
            return None


@contextmanager
def zato_server(
    redis_port: int = 0, *, workers: int = 1, store: Path | None = None, services: Mapping[str, str] | None = None
) -> Iterator[ZatoServer]:
    """Run a server of a new environment while the context lasts.

    Args:
        redis_port: where the work counts.
        workers: how many worker processes.
        store: a broker's file to begin with a copy of.
        services: files of services to add, by name.
    """
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        server = ZatoServer(Path(folder), redis_port, workers=workers)
        if store is not None:
            shutil.copy(store, server.store)
        for name, text in (services or {}).items():
            (server.path / "services" / name).write_text(text, "utf-8")
        server.start()
        try:
            yield server
        finally:
            processes.end(server.process)


@contextmanager
def zato_cluster(
    redis_port: int, servers: int, *, settings: Mapping[str, object] | None = None
) -> Iterator[Sequence[ZatoServer]]:
    """Run servers with one worker each whose broker is the Redis that the work counts in, while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder, ExitStack() as stack:
        running = []
        for number in range(1, servers + 1):
            server = ZatoServer(Path(folder), redis_port, name=f"server{number}", shared=True, settings=settings)
            server.start()
            stack.callback(lambda one: processes.end(one.process), server)
            running.append(server)
        yield running


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
