"""`make bench` works: a short run of it, with what is installed on this machine.

The suites `durable`, `purge`, `cluster` and `peers` take up to half a minute each even then, and are left to `make
bench` itself.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.subprocesses import unmeasured_environment

# A minute is what the slowest suite takes on a machine that has much else to do.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]


def run_bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark to its end."""
    command = [sys.executable, "-m", "bench.run", *arguments]
    variables = unmeasured_environment()
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=200, check=False)


@pytest.mark.parametrize(
    ("suite", "row"),
    [
        pytest.param("http", "HTTP: zato.ping, requests/s", id="http"),
        pytest.param("inside", "self.invoke of an empty service", id="inside"),
        pytest.param("services", "1,000 services in 1,000 files, loaded in", id="services"),
        pytest.param("wake", "outcome made in another process, to the answer of a waiter, p50", id="wake"),
        pytest.param("busy", "accepting while every slot blocks and a thread of each process computes, p99", id="busy"),
        pytest.param("million", "lease, calls/s, while 1,000,000 wait, beside none", id="million"),
        pytest.param("kill", "kill -9 of one of two workers: there are two again, after", id="kill"),
        pytest.param("footprint", "zato start to its first 200", id="footprint"),
        pytest.param("admin", "web admin: the slowest filter over 100,000 invocations", id="admin"),
    ],
)
def test_quick_run_measures(suite: str, row: str, tmp_path: Path) -> None:
    """Each suite ends with a table and the same rows as JSON; without its programs it says what to install."""
    results = tmp_path / "results.json"

    done = run_bench("--quick", "--markdown", "--only", suite, "--json", str(results))

    assert done.returncode == 0, done.stderr
    names = [one["name"] for one in json.loads(results.read_text())["rows"]]
    assert row in names or "apt-get install" in done.stdout
    assert all(f"| {name} |" in done.stdout for name in names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("--only", "htp"), "there is no suite 'htp'; known: http, inside", id="unknown-suite"),
        pytest.param(("--pairs", "0"), "give a number from 1", id="no-pairs"),
    ],
)
def test_wrong_option(arguments: tuple[str, str], message: str) -> None:
    """A wrong option is refused before anything is measured, with what is legal."""
    done = run_bench(*arguments)

    assert done.returncode == 2
    assert message in done.stderr
