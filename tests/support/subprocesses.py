"""Python programs run for a test, without the measuring of coverage, which slows their start."""

import os
import subprocess
import sys

__all__ = ["run_python", "unmeasured_environment"]


def run_python(code: str, *, timeout: float = 30.0) -> str:
    """Run a program in an interpreter of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env=unmeasured_environment(),
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def unmeasured_environment() -> dict[str, str]:
    """Return this process's environment without what makes a child measure its coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
