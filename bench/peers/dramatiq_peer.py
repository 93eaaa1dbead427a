"""Dramatiq with Redis: two processes of eight threads, acknowledged after the run."""

import os
import sys

import dramatiq  # type: ignore[import-not-found]
from dramatiq.brokers.redis import RedisBroker  # type: ignore[import-not-found]

from bench.work import do

broker = RedisBroker(url=f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0")
broker.middleware = [one for one in broker.middleware if type(one).__name__ != "Prometheus"]
dramatiq.set_broker(broker)
send = dramatiq.actor(do, actor_name="job").send

WORKER = f"{sys.executable} -m dramatiq bench.peers.dramatiq_peer -p 2"
