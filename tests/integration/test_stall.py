"""A service that blocks the event loop of its process."""

from pathlib import Path

import pytest

from tests.support.environments import ServerProcess, make_environment

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

BLOCKS = """
import time
from zato.server.service import AsyncService

class Blocks(AsyncService):
    name = "stall.blocks"

    async def handle(self):
        time.sleep(600)
"""


def test_process_whose_event_loop_stands_still_is_replaced(tmp_path: Path) -> None:
    """The call ends as failed instead of stopping one process after the other, and the server goes on."""
    environment = make_environment(tmp_path / "env", {"stall.py": BLOCKS}, max_stall=1, max_takeovers=1)
    with ServerProcess(environment) as server, server.client() as client:
        # Not at once: the loop that stands still is the one that answers this request.
        cid = client.invoke_async("stall.blocks", delay=0.3).data
        server.logged("The event loop of worker 1 has stood still for 1 s (setting max_stall)")
        server.logged("stall.blocks is given up", timeout=30)
        server.wait_ready()
        record = client.result(cid, wait=10)
        deaths = server.environment.running().workers[0].deaths
    assert (record.status, record.record["error"]["code"], deaths) == ("failed", "process_died", 2)
