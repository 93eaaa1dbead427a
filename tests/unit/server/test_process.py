"""Starts that fail, in this process: nothing is left of them. What succeeds is tested in `integration/cli`."""

import asyncio
import os
from pathlib import Path

import pytest
import uvloop

from tests.support.environments import make_environment
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.server.process import run_server


@pytest.fixture(scope="module", autouse=True)
def libuv() -> None:
    """Let the event loop open the pipe that it keeps for as long as the process lives, before leaks are looked for."""
    uvloop.run(asyncio.sleep(0))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment with a broken file."""
    return make_environment(tmp_path / "env", {"broken.py": "1 / 0\n"})


def test_server_that_cannot_start_lets_go_of_everything(environment: Environment) -> None:
    """A second attempt finds lock, port and store free."""
    (environment.data / "broker.db").write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="no usable broker file"):
            run_server(environment, environment.settings(), lambda server, loaded: None)
    assert not environment.is_locked()


def test_second_server_is_refused_before_it_touches_anything(environment: Environment) -> None:
    """The log of the first one is not written to."""
    lock = environment.lock()
    with pytest.raises(EnvironmentFault, match="runs already"):
        run_server(environment, environment.settings(), lambda server, loaded: None)
    os.close(lock)
    assert list(environment.logs.iterdir()) == []
