"""A real web admin in front of a real server, with people who log in to it."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.environments import STOP_TIMEOUT, ZATO, ServerProcess
from tests.support.waiting import wait_until
from zato.environment import Environment

__all__ = ["PASSWORDS", "ROLES", "AdminProcess", "Site", "add_people", "can_shut_out", "services_in", "session_of"]

# Names of people, which are those of their roles, and their passwords.
PASSWORDS: Mapping[str, str] = {name: f"{name}-has-a-password" for name in ("viewer", "operator", "admin")}
ROLES = tuple(PASSWORDS)
START_TIMEOUT = 60.0
# Starts a program of root's with the rights of an ordinary user over the files that are root's.
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
FIRST_LINE = "Web admin at "


class AdminProcess:
    """A web admin, on a free port. Use it in a `with`; leaving stops it.

    It may not read the environment's folder `data`: that is closed to its owner, and root gives up its rights over all
    files. Who is not root has none to give up, and would close the folder to the server, too.

    Attributes:
        output: the file that has its stdout and stderr.
        is_shut_out: whether it may not read the data.
    """

    def __init__(self, environment: Environment, *arguments: str, is_shut_out: bool | None = None) -> None:
        """Start it. Entering the `with` waits until it has said where it answers."""
        self.output = environment.path / "admin.txt"
        self.is_shut_out = can_shut_out() if is_shut_out is None else is_shut_out
        prefix = WITHOUT_RIGHTS if self.is_shut_out else ()
        if self.is_shut_out:
            environment.data.chmod(0)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, ZATO, "web-admin", "start", str(environment.path), *(arguments or ("--port", "0"))],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        try:
            wait_until(self._has_said_where, START_TIMEOUT, what=f"a web admin: {self.said()}")
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop() if error is None else self.kill()

    @property
    def url(self) -> str:
        """Where it answers, as `http://127.0.0.1:port`."""
        return self.said().partition(FIRST_LINE)[2].split()[0]

    def said(self) -> str:
        """Return what it has printed and logged so far."""
        return self.output.read_text("utf-8")

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)

    def kill(self) -> None:
        """Send SIGKILL, and wait for its end."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _has_said_where(self) -> bool:
        assert self.process.poll() is None, self.said()
        return FIRST_LINE in self.said() and self.said().endswith("\n")


@dataclass(frozen=True, slots=True)
class Site:
    """A server and the web admin in front of it.

    Attributes:
        server: the server's process.
        process: that of the web admin.
        url: where the web admin answers.
    """

    server: ServerProcess
    process: AdminProcess
    _sessions: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the web admin answers."""
        return self.process.url

    @property
    def port(self) -> int:
        """The port of it."""
        return int(self.url.rpartition(":")[2])

    def ask(self, service: str, payload: object = "", **options: Any) -> Any:
        """Invoke a service as `admin.invoke`, and return what it answers."""
        with self.server.client() as client:
            response = client.invoke(service, payload, **options)
            assert response.ok, response.details
            return response.data

    def call(self, service: str, payload: object = "", **options: Any) -> str:
        """Have a service run in the background, and return the CID."""
        with self.server.client() as client:
            accepted = client.invoke_async(service, payload, **options)
            assert accepted.ok, accepted.details
            return str(accepted.data)

    def ended(self, service: str, payload: object = "", **options: Any) -> str:
        """Have a service run in the background to its end, and return the CID."""
        with self.server.client() as client:
            accepted = client.invoke_async(service, payload, **options)
            assert accepted.ok, accepted.details
            client.result(accepted.data, wait=30)
            return str(accepted.data)

    def session(self, role: str) -> str:
        """Return the token of a session of the person who has a role; one for all who ask."""
        if role not in self._sessions:
            self._sessions[role] = session_of(self.server, role)
        return self._sessions[role]

    def cookie(self, role: str) -> dict[str, str]:
        """Return the cookie by which a browser is logged in."""
        return {"name": f"zato_admin_{self.port}_session", "value": self.session(role), "url": self.url}


def can_shut_out() -> bool:
    """Tell whether a program can be started with fewer rights than the tests have: root's, on Linux."""
    return os.geteuid() == 0 and shutil.which("setpriv") is not None


def add_people(server: ServerProcess) -> None:
    """Make a person of every role."""
    with server.client() as client:
        for name, password in PASSWORDS.items():
            made = client.invoke("zato.user.create", {"name": name, "password": password, "role": name})
            assert made.ok, made.details


def session_of(server: ServerProcess, name: str) -> str:
    """Log a person in without a browser, and return the session's token."""
    with server.client() as client:
        opened: Any = client.invoke(
            "zato.session.open", {"name": name, "password": PASSWORDS[name], "client": "127.0.0.1"}
        )
        assert opened.ok, opened.details
        return str(opened.data["token"])


def services_in(folder: Path) -> dict[str, str]:
    """Return the files of services in a folder, by name."""
    return {file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.py"))}
