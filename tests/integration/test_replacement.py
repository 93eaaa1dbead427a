"""A worker process that takes the place of a dead one, after files were changed."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.environments import ServerProcess, make_environment

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

FINE = """
from zato.server.service import Service

class Fine(Service):
    def handle(self):
        return self.cid
"""


# A call that the new one wins, and puts off for a second, may be won by it again, and again.
@pytest.mark.timeout(600)
def test_replacement_that_finds_a_broken_file_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """What other processes have stays deployed, and the log says what the new one lacks."""
    environment = make_environment(tmp_path / "env", {"a.py": FINE}, workers=2)
    with ServerProcess(environment) as server:
        with server.client() as client:
            cids = [client.invoke_async("a.fine", delay=1).data for _ in range(3)]
        with (environment.services / "a.py").open("a") as file:
            file.write("\nthis is no Python\n")
        second = server.environment.running().workers[1].pid
        assert second is not None
        os.kill(second, signal.SIGKILL)
        server.logged("does not have what others of the server have")
        with server.client() as client:
            statuses = [client.result(cid, wait=60).status for cid in cids]
    assert statuses == ["done"] * 3
