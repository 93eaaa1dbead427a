"""The how-tos of those who run a server: pages and example files say the same, and what they say happens."""

import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.stocks import age_file
from tests.docs.transcripts import blocks_of
from tests.support.environments import ServerProcess, make_environment
from zato.broker.connection import Connection
from zato.broker.format import FORMAT_VERSION
from zato.environment import Environment

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
EXAMPLES = HOWTO.parent / "examples"
SLOW = """
import time

from zato.server.service import Service


class Slow(Service):
    name = "slow"

    def handle(self):
        while not self.cancelled:
            time.sleep(0.01)
"""
QUICK = SLOW.replace("while not self.cancelled:", "if False:").replace("time.sleep(0.01)", "pass")


@pytest.mark.parametrize(
    ("page", "language", "file"),
    [
        ("run-under-systemd", "ini", "openzato.service"),
        ("run-in-a-container", "dockerfile", "Containerfile"),
        ("run-in-a-container", "sh", "container-start.sh"),
        ("reverse-proxy", "conf", "nginx.conf"),
        ("reverse-proxy", "conf", "Caddyfile"),
        ("cluster", "conf", "haproxy.cfg"),
    ],
)
def test_page_shows_the_file(page: str, language: str, file: str) -> None:
    """The files that other tests run stand in the pages to the letter."""
    assert (EXAMPLES / file).read_text("utf-8") in blocks_of(HOWTO / f"{page}.md", language)


def test_every_page_is_in_the_index() -> None:
    """A reader who starts at the index finds each how-to, explanation, reference and decision."""
    docs = HOWTO.parent
    index = (docs / "index.md").read_text("utf-8")

    forgotten = [page.name for page in docs.glob("*/*.md") if f"({page.relative_to(docs)})" not in index]

    assert not forgotten


def test_call_survives_an_upgrade_and_the_way_back(tmp_path: Path) -> None:
    """A call of an older store runs after the upgrade, and the page's commands bring the old store back."""
    environment, cid = interrupted_call(tmp_path / "try")
    age_file(environment.data / "broker.db")
    (environment.services / "slow.py").write_text(QUICK, "utf-8")
    with ServerProcess(environment) as upgraded, upgraded.client() as client:
        status = client.result(cid, wait=10).status

    upgraded_to = version_of(environment)
    [*_, back] = blocks_of(HOWTO / "upgrade.md", "sh")
    subprocess.run(["sh", "-e", "-c", back], cwd=tmp_path, check=True)

    assert (status, upgraded_to, version_of(environment)) == ("done", FORMAT_VERSION, 1)
    assert pending_in(environment) == 1


def interrupted_call(path: Path) -> tuple[Environment, str]:
    """Make an environment whose server was stopped while it ran a call, and return it with the call's CID."""
    environment = make_environment(path, {"slow.py": SLOW}, grace=0.0)
    with ServerProcess(environment) as server:
        with server.client() as client:
            cid: str = client.invoke_async("slow").data
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
    return environment, cid


def version_of(environment: Environment) -> int:
    """Return the version of a store's format."""
    with closing(Connection(environment.data / "broker.db", patience=5.0, to="use")) as connection:
        return int(connection.pragma("user_version"))


def pending_in(environment: Environment) -> int:
    """Return how many calls of a store have no outcome."""
    with closing(Connection(environment.data / "broker.db", patience=5.0, to="use")) as connection:
        return len(connection.execute("SELECT 1 FROM pending").fetchall())
