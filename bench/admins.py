"""The web admin of a run: its process, somebody who is logged in to it, and a server with much to look at."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench import processes
from bench.servers import ZATO, ZatoServer
from bench.store import outcomes

__all__ = ["ZatoAdmin", "crowd", "fill", "zato_admin"]

START_LIMIT = 30.0
FIRST_LINE = "Web admin at "
PERSON = {"name": "bench", "password": "bench-password"}
BATCH = 10_000
FILL_LIMIT = 600.0
# One call in so many fails.
FAILS = 500
CROWD = """\
from zato.server.service import AsyncService


class Handled:
    async def handle(self):
        number = self.request.payload["number"]
        if number % {fails} == 0:
            raise ValueError(f"Order {{number}} has no customer")
        self.response.payload = {{"number": number}}
"""
MEMBER = '''

class Number{number}(Handled, AsyncService):
    """The service of number {number}."""

    name = "crowd.number-{number:04}"
'''


class ZatoAdmin:
    """A web admin, and a session of somebody who is an admin."""

    def __init__(self, server: ZatoServer, folder: Path) -> None:
        """Start it, and return when it answers."""
        self._output = folder / "admin.txt"
        command = [ZATO, "web-admin", "start", str(server.path), "--port", "0"]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        processes.wait_for(self._answers, START_LIMIT, f"start of the web admin, see {self._output}")
        server.ask("zato.user.create", {**PERSON, "role": "admin"})
        token = server.ask("zato.session.open", {**PERSON, "client": "127.0.0.1"})["token"]
        self.cookie: Any = {
            "name": f"zato_admin_{self.url.rpartition(':')[2]}_session",
            "value": token,
            "url": self.url,
        }

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._output.read_text().partition(FIRST_LINE)[2].split()[0]

    def session(self) -> requests.Session:
        """Return a session that is logged in. Use it in a `with`."""
        session = requests.Session()
        session.cookies.set(self.cookie["name"], self.cookie["value"])
        return session

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise ChildProcessError(f"The web admin ended: {self._output.read_text()}")
        said = self._output.read_text()
        return FIRST_LINE in said and said.endswith("\n")


@contextmanager
def zato_admin(server: ZatoServer) -> Iterator[ZatoAdmin]:
    """Run a web admin while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        admin = ZatoAdmin(server, Path(folder))
        try:
            yield admin
        finally:
            processes.end(admin.process)


def crowd(services: int) -> str:
    """Return a file with that many services, `crowd.number-0000` and so on; one call in 500 fails."""
    return CROWD.format(fails=FAILS) + "".join(MEMBER.format(number=number) for number in range(services))


def fill(server: ZatoServer, calls: int, *, services: int) -> None:
    """Have the services of a crowd called in turns, and return when every call has its outcome."""
    with server.client() as client, outcomes(server) as store:
        for first in range(0, calls, BATCH):
            numbers = range(first, min(first + BATCH, calls))
            items: list[Any] = [(f"crowd.number-{number % services:04}", {"number": number}) for number in numbers]
            made = client.invoke_async_many(items)
            if not made.ok:
                raise RuntimeError(f"The calls were refused: {made.details}")
        processes.wait_for(lambda: not store.is_pending(), FILL_LIMIT, "an outcome of every call", step=0.1)
