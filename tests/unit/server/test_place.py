"""A worker process that a file of services ends, and the one that takes its place without that file.

The processes are small programs here. Real ones are in `integration/test_bad_files.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import make_environment
from tests.support.supervision import STAY, events, run, stop
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.running import RunningServer
from zato.server import place
from zato.server.orders import Report

IMPORTS = """
def imports(file):
    line.sendall(json.dumps({"file": file}).encode() + b"\\n")
lives.with_name("left-out").open("a").write(json.dumps(orders["ended_by"]) + "\\n")
"""
# Every process imports the files that it is not told to leave out, and one of them ends it.
LOADS = """
for file in ("a.py", "b.py", "c.py"):
    if file not in orders["ended_by"]:
        imports(file)
        if file == "b.py":
            {does}
imports("")
report()
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose server stops without delay."""
    return make_environment(tmp_path / "env", grace=0.0)


def loads(does: str) -> str:
    """Return the program of a process that does something while it imports the second of three files."""
    return IMPORTS + LOADS.format(does=does) + STAY


def left_out(environment: Environment) -> list[dict[str, str]]:
    """Return what each process was told to leave out."""
    return [json.loads(line) for line in (environment.path / "left-out").read_text().splitlines()]


@pytest.mark.parametrize(
    ("does", "end"),
    [
        pytest.param("os._exit(3)", "ended with status 3", id="exit"),
        pytest.param("os._exit(0)", "ended with status 0", id="exit-in-good-order"),
        pytest.param("os.abort()", "was killed by SIGABRT", id="crash"),
    ],
)
def test_file_that_ends_its_process_is_left_out(environment: Environment, does: str, end: str) -> None:
    """The server starts without it, and the log names file and end."""
    run(environment, loads(does))
    assert left_out(environment) == [{}, {"b.py": f"The process that loaded it {end}."}]
    assert f"Worker 1 {end} while it loaded b.py. It is begun again without that file" in events(environment)
    assert not any("is replaced" in event for event in events(environment))


def test_signal_from_elsewhere_blames_no_file(environment: Environment) -> None:
    """Somebody, or the system for want of memory, has killed the process: the server does not start, and says where."""
    with pytest.raises(EnvironmentFault, match=r"was killed by SIGKILL at its start, while it loaded b\.py\. The log"):
        run(environment, loads("os.kill(os.getpid(), 9)"))
    assert len(left_out(environment)) == 1


def test_process_that_ends_between_files_blames_none(environment: Environment) -> None:
    """What it did not do for a file is no file's fault."""
    with pytest.raises(EnvironmentFault, match=r"ended with status 3 at its start\. The log"):
        run(environment, IMPORTS + "imports('a.py')\nimports('')\nos._exit(3)\n")
    assert left_out(environment) == [{}]


def test_file_is_blamed_once(environment: Environment) -> None:
    """A process that ends with a file that it leaves out has another reason to."""
    with pytest.raises(EnvironmentFault, match=r"ended with status 3 at its start, while it loaded a\.py"):
        run(environment, IMPORTS + "imports('a.py')\nos._exit(3)\n")
    assert len(left_out(environment)) == 2


@pytest.mark.parametrize("limit", [0.2, 0.3])
def test_import_that_cannot_be_interrupted(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """The process is killed, already at the server's start, and the next one leaves the file out."""
    monkeypatch.setattr(place, "INTERRUPTS_WITHIN", 0.2)
    run(environment, loads("time.sleep(50)"), import_timeout=limit)
    end = "The process that loaded it was killed by SIGKILL, because that did not end."
    assert left_out(environment) == [{}, {"b.py": end}]
    hangs = f"within {limit + 0.2:g} s: the process is killed. The import of b.py does not end"
    assert any(event.endswith(hangs) for event in events(environment))


def test_every_file_has_its_own_time(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many files may take longer together than one may take."""
    monkeypatch.setattr(place, "INTERRUPTS_WITHIN", 0.2)
    slow = IMPORTS + "for number in range(5):\n    imports(str(number))\n    time.sleep(0.2)\nreport()" + STAY
    run(environment, slow, import_timeout=0.6)
    assert left_out(environment) == [{}]


def test_import_without_a_limit(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start of a server somebody looks on, who can end it."""
    monkeypatch.setattr(place, "INTERRUPTS_WITHIN", 0.0)
    run(environment, IMPORTS + "imports('a.py')\ntime.sleep(0.3)\nreport()" + STAY, import_timeout=0)
    assert left_out(environment) == [{}]


def test_replacement_leaves_out_what_the_first_one_did(environment: Environment) -> None:
    """What is deployed does not change because a process died."""
    births: list[Any] = []

    def ready(server: RunningServer, report: Report) -> None:
        births.append(report)

    program = loads("os._exit(3)").removesuffix(STAY)
    stops = "\nif life == 2:\n    os._exit(4)\nos.kill(orders['parent'], signal.SIGTERM)" + STAY
    run(environment, program + stops, ready)
    assert left_out(environment)[1] == left_out(environment)[2] != {}
    assert len(births) == 1


@pytest.mark.parametrize("at_sigterm", ["signal.SIG_DFL", "lambda *_: os._exit(3)"], ids=["dies", "exits"])
def test_stop_while_a_file_hangs(environment: Environment, at_sigterm: str) -> None:
    """The server that is asked to stop does, begins no other process, and blames no file."""
    asks = f"signal.signal(signal.SIGTERM, {at_sigterm})\nos.kill(orders['parent'], signal.SIGTERM)\n"
    run(environment, IMPORTS + "imports('a.py')\n" + asks + "time.sleep(50)", stop)
    assert left_out(environment) == [{}]
    assert not any("while it loaded" in event for event in events(environment))


def test_death_after_the_start_blames_no_file(environment: Environment) -> None:
    """Whatever the process said before its report."""
    ends = "imports('a.py')\nreport()\nif life == 1:\n    os._exit(3)\nos.kill(orders['parent'], signal.SIGTERM)"
    run(environment, IMPORTS + ends + STAY, lambda *_: None)
    assert left_out(environment) == [{}, {}]
