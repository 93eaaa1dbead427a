"""The command line in this process, for tests that need no process of its own."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from zato.cli.main import main

__all__ = ["Done", "Zato", "zato_in"]

# Seconds that a command may take.
LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


Zato = Callable[..., Done]


def zato_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zato:
    """Return what runs a command to its end."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["zato", *map(str, arguments)])
        with _interrupted_if_late(), pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


@contextmanager
def _interrupted_if_late() -> Iterator[None]:
    """Press Ctrl-C on a command that does not end, such as a server that should not have started."""
    late = threading.Timer(LIMIT, os.kill, (os.getpid(), signal.SIGINT))
    late.start()
    try:
        yield
    finally:
        late.cancel()
        late.join()
