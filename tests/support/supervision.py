"""A supervisor in this process, whose worker processes are small programs."""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from zato.environment import Environment
from zato.running import RunningServer
from zato.server.supervisor import run_server

__all__ = ["STAY", "events", "run", "stop", "stop_when", "worker"]

# What a worker process does before it acts: it takes its orders, and can tell which life of it this is.
BEGINNING = """
import json, os, signal, socket, sys, time
from pathlib import Path
line = socket.socket(fileno=int(sys.argv[-1]))
orders = json.loads(line.makefile("rb").readline())
lives = Path(orders["path"], "lives")
lives.open("a").write(".")
lives.with_name("births").open("a").write(f"{time.monotonic()} ")
life = len(lives.read_text())
def report(**fields):
    line.sendall(json.dumps({"services": 0, "errors": [], "fault": "", **fields}).encode() + b"\\n")
"""
STAY = "\nwhile True:\n    signal.pause()\n"


def worker(program: str) -> tuple[str, ...]:
    """Return the command of a worker process that does this."""
    return (sys.executable, "-c", BEGINNING + program)


def stop(*_: object) -> None:
    """Ask this process, which is the server, to stop."""
    os.kill(os.getpid(), signal.SIGTERM)


def run(environment: Environment, program: str, ready: Callable[..., None] = stop, **settings: Any) -> None:
    """Run a server whose worker processes do this."""
    given = environment.settings(("test", settings))
    run_server(environment, given, ready, to_stream=False, command=worker(program))


def stop_when(monkeypatch: pytest.MonkeyPatch, enough: Callable[[RunningServer], bool]) -> list[RunningServer]:
    """Have the server stop as soon as it says something of itself, and return all it says."""
    said: list[RunningServer] = []

    def announce(self: Environment, server: RunningServer) -> None:
        if enough(server) and not any(enough(earlier) for earlier in said):
            stop()
        said.append(server)

    monkeypatch.setattr(Environment, "announce", announce)
    return said


def events(environment: Environment) -> list[str]:
    """Return the messages of the log."""
    return [json.loads(line)["event"] for line in (environment.logs / "server.log").read_text().splitlines()]
