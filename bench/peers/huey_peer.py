"""Huey with Redis: one consumer, two processes. A job leaves the queue when it is taken."""

import os
import sys

from huey import RedisHuey  # type: ignore[import-not-found]

from bench.work import do

huey = RedisHuey("bench", url=f"redis://127.0.0.1:{os.environ['BENCH_REDIS_PORT']}/0", results=False)
send = huey.task(name="job")(do)

WORKER = f"{sys.executable} -m huey.bin.huey_consumer bench.peers.huey_peer.huey -k process -w 2 -q"
