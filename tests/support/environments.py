"""Real environments in temporary folders, and real servers started from them by the command line."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.support.waiting import wait_until
from zato.cli.readiness import probe
from zato.client import AnyServiceInvoker
from zato.core.errors import ServerNotRunning
from zato.environment import Credentials, Environment

__all__ = ["PASSWORD", "ZATO", "ServerProcess", "free_port", "make_environment", "run_zato"]

PASSWORD = "test-password"
ZATO = str(Path(sys.executable).with_name("zato"))
START_TIMEOUT = 90.0
STOP_TIMEOUT = 40.0


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_environment(path: Path, services: Mapping[str, str] | None = None, **settings: object) -> Environment:
    """Make an environment with files of services, given as text by file name, on a free port.

    With `ZATO_TEST_BROKER` it keeps its calls there, in a cluster of its own: any test may be run on any broker.
    """
    environment = Environment(path)
    given = {"port": free_port(), "drain": 0.0, **_broker(), **settings}
    environment.create(given, Credentials.make(PASSWORD, PASSWORD))
    for name, text in (services or {}).items():
        (environment.services / name).write_text(text, "utf-8")
    return environment


def _broker() -> dict[str, object]:
    url = os.environ.get("ZATO_TEST_BROKER")
    return {} if url is None else {"broker": url, "cluster": f"test-{secrets.token_hex(4)}"}


def run_zato(*arguments: str, timeout: float = 180, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run([ZATO, *arguments], capture_output=True, text=True, timeout=timeout, check=False, **options)


class ServerProcess:
    """A server in a process group of its own. Use it in a `with`; leaving stops what still runs.

    Attributes:
        command: starts it; the environment's folder is added.
        environment: the folder it runs from.
        output: the file that has its stdout and stderr.
    """

    command: tuple[str, ...] = (ZATO, "start")

    def __init__(self, environment: Environment, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        """Start it. Entering the `with` waits until it is ready."""
        self.environment = environment
        self.output = environment.path / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.command, str(environment.path), *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=None if env is None else {**os.environ, **env},
            )

    def __enter__(self) -> Self:
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop() if error is None else self.kill()

    def wait_ready(self) -> None:
        """Return when it answers. Cheaper than the command `zato wait`, because it is done often."""
        wait_until(self._is_ready, START_TIMEOUT, what=f"a ready server of {self.environment.path}")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        try:
            return probe(self.environment.running()).ready
        except ServerNotRunning:
            return False

    @property
    def address(self) -> str:
        """Where it answers, as `http://host:port`."""
        return self.environment.running().address

    def client(self, **options: Any) -> AnyServiceInvoker:
        """Return a client with the right credentials. Use it in a `with`."""
        return AnyServiceInvoker(self.address, "/zato/admin/invoke", ("admin.invoke", PASSWORD), **options)

    def processes(self) -> list[psutil.Process]:
        """Return every process of the server."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def kill(self) -> None:
        """Send SIGKILL to the whole process tree, and wait for its end."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of its log file so far, parsed."""
        text = (self.environment.logs / "server.log").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def logged(self, words: str, *, timeout: float = 60) -> dict[str, Any]:
        """Return the first log line whose message contains these words, waiting for it."""
        found = wait_until(
            lambda: next((line for line in self.log() if words in line["event"]), None),
            timeout,
            what=f"a log line with {words!r}",
        )
        assert found is not None
        return found
