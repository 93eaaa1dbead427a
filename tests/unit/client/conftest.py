"""A scripted server, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.httpd import Reply, ScriptedServer
from zato.client import AnyServiceInvoker

PATH = "/zato/admin/invoke"
AUTH = ("admin.invoke", "s3cret")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers every call with `done`, unless the test scripts something else."""
    with ScriptedServer() as running:
        running.script(Reply.flat("done"))
        yield running


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[AnyServiceInvoker]:
    """A client of that server."""
    with AnyServiceInvoker(server.address, PATH, AUTH) as open_client:
        yield open_client


@pytest.fixture
def certificate() -> Path:
    """A file with a certificate that nothing trusts, and its key."""
    return Path(__file__).with_name("localhost.pem")
