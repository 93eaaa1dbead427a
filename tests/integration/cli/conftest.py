"""What tests of the command line share."""

import asyncio

import pytest
import uvloop

from tests.support.commands import Zato, zato_in


@pytest.fixture
def zato(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zato:
    """Run a command in this process: `zato("service", "list", path)`."""
    return zato_in(monkeypatch, capsys)


@pytest.fixture(scope="session", autouse=True)
def libuv() -> None:
    """Let the event loop open the pipe that it keeps for as long as the process lives, before leaks are looked for."""
    uvloop.run(asyncio.sleep(0))
