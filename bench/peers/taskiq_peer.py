"""Taskiq with a Redis list: two processes. A job leaves the queue when it is taken."""

import os
import sys
from typing import Any

from taskiq_redis import ListQueueBroker  # type: ignore[import-not-found]

from bench.work import do_async

broker = ListQueueBroker(f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0")

WORKER = f"{sys.executable} -m taskiq worker bench.peers.taskiq_peer:broker --workers 2 --log-level WARNING"


async def work(payload: dict[str, Any]) -> None:
    """Do the work; taskiq reads the types."""
    await do_async(payload)


run = broker.task(task_name="job")(work)
start = broker.startup
stop = broker.shutdown
send_async = run.kiq
