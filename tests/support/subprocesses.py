"""Programs run for a test, without the measuring of coverage, which slows their start, unless that is wanted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["children_unmeasured", "run_python", "unmeasured_environment"]


def run_python(code: str, *, measured: bool = False, timeout: float = 90.0) -> str:
    """Run a program in an interpreter of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env=None if measured else unmeasured_environment(),
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def unmeasured_environment() -> dict[str, str]:
    """Return this process's environment without what makes a child measure its coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@contextmanager
def children_unmeasured() -> Iterator[None]:
    """Have no process that is started in the context measure its coverage."""
    asked_for = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    for name in asked_for:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(asked_for)
