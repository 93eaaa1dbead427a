"""Celery with Redis: one master, two children (prefork)."""

import os
import sys

from celery import Celery  # type: ignore[import-not-found]

from bench.work import do

app = Celery("bench", broker=f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0")
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True
run = app.task(name="job")(do)

WORKER = (
    f"{sys.executable} -m celery -A bench.peers.celery_peer worker -l WARNING --without-gossip --without-mingle -c 2"
)


def send(payload: object) -> None:
    """Make one call."""
    run.apply_async((payload,))
