"""The command line in this process, for tests that need no process of its own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from zato.cli.main import main

__all__ = ["Done", "Zato", "zato_in"]


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
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run
