"""The composition root: what works behind open doors, what a failed start leaves, what a stop says first."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest
import requests
import uvloop

from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.core.errors import EnvironmentFault
from zato.server.logs.levels import Levels
from zato.server.logs.root import Logs
from zato.server.orders import Orders
from zato.server.wiring import Server


@pytest.fixture(scope="module", autouse=True)
def libuv() -> None:
    """Let the event loop open the pipe that it keeps for as long as the process lives, before leaks are looked for."""
    uvloop.run(asyncio.sleep(0))


def test_start_that_fails_is_closed_like_any_other(tmp_path: Path) -> None:
    """The doors open last; when they cannot, the store and the threads behind them can be closed."""
    environment = make_environment(tmp_path / "env", host="no..host")
    orders = Orders(
        path=str(environment.path),
        settings=environment.settings(),
        credentials=environment.credentials(),
        worker=1,
        run="0a1b2c3d",
        parent=os.getpid(),
        lock=-1,
    )

    async def start() -> list[str]:
        server = Server(orders, Logs(None, Levels(None, default="INFO")), max_connections=20)
        with pytest.raises(EnvironmentFault, match=r"cannot listen on 'no\.\.host'"):
            await server.start()
        open_stores = [str(file.name) for file in environment.data.iterdir()]
        await server.close()
        return open_stores

    assert "broker.db-wal" in uvloop.run(start())
    assert [file.name for file in environment.data.iterdir()] == ["broker.db"]
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]


def test_stopping_server_is_not_ready_before_its_doors_close(tmp_path: Path) -> None:
    """Balancers look elsewhere while requests are still answered."""
    with ServerProcess(make_environment(tmp_path / "env", drain=3)) as server:
        address = server.address
        server.process.send_signal(signal.SIGTERM)
        server.logged("Server server1 stops")
        wait_until(lambda: requests.get(f"{address}/zato/ready", timeout=10).status_code == 503)
        ping = requests.get(f"{address}/zato/ping", timeout=10)
    assert ping.status_code == 200


def test_built_in_services_cannot_be_replaced(tmp_path: Path) -> None:
    """What the command line relies on is there, whatever the folder has."""
    text = (
        "from zato.server.service import Service\nclass Ping(Service):\n    def handle(self):\n        return 'mine'\n"
    )
    with ServerProcess(make_environment(tmp_path / "env", {"zato.py": text})) as server, server.client() as client:
        ping = client.invoke("zato.ping").data
        refused = server.logged("names that start with 'zato' are reserved")
    assert (ping, "zato.py:2: Ping is named 'zato.ping'" in refused["event"]) == ({"pong": "zato"}, True)
