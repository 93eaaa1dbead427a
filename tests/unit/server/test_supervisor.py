"""A server and its worker processes: what its start refuses, what it does about those that die, how it stops.

The worker processes are small programs here. Real ones are in `integration/test_workers.py` and `test_start_stop.py`.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import make_environment
from tests.support.supervision import STAY, events, run, stop, stop_when, worker
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.running import RunningServer
from zato.server import place, process, supervisor, wiring
from zato.server import worker as background
from zato.server.http import listener
from zato.server.orders import Report
from zato.server.place import REPLACEMENTS, Place
from zato.server.supervisor import COMMAND, run_server

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

DIES = (
    """
report()
if life <= {times}:
    lives.with_name("ends").open("a").write(f"{{time.monotonic()}} ")
    os._exit(3)
"""
    + STAY
)
FORKS = (
    """
report()
if life == 1 and os.fork():
    os._exit(3)
elif life == 1:
    Path(orders["path"], "child").write_text(str(os.getpid()))
"""
    + STAY
)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose server stops without delay."""
    return make_environment(tmp_path / "env", grace=0.0)


def test_server_that_cannot_start_lets_go_of_everything(environment: Environment) -> None:
    """A second attempt finds lock, port and store free, and each says what is wrong."""
    (environment.data / "broker.db").write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="no usable broker file"):
            run_server(environment, environment.settings(), stop, to_stream=False, command=COMMAND)
    assert not environment.is_locked()


def test_second_server_is_refused_before_it_touches_anything(environment: Environment) -> None:
    """The log of the first one is not written to."""
    lock = environment.lock()
    with pytest.raises(EnvironmentFault, match="runs already"):
        run(environment, STAY)
    os.close(lock)
    assert list(environment.logs.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param("sys.exit(7)", r"ended with status 7 at its start\. The log may say why\.$", id="ends"),
        pytest.param("os.kill(os.getpid(), 9)", "was killed by SIGKILL at its start", id="is-killed"),
        pytest.param("os.kill(os.getpid(), 40)", "was killed by signal 40 at its start", id="by-a-nameless-signal"),
        pytest.param("report(fault='No disk.')", r"^No disk\.$", id="says-why"),
    ],
)
def test_worker_that_cannot_start(environment: Environment, program: str, words: str) -> None:
    """The server does not start either, whatever the other processes do, and none is left."""
    with pytest.raises(EnvironmentFault, match=words):
        run(environment, f"if orders['worker'] == 2:\n    {program}\nelse:\n    report()" + STAY, workers=2)
    assert not any("is replaced" in event for event in events(environment))


def test_program_that_cannot_be_begun(environment: Environment) -> None:
    """The system's reason is told."""
    with pytest.raises(EnvironmentFault, match=r"could not be begun \(No such file or directory\) at its start"):
        run_server(environment, environment.settings(), stop, to_stream=False, command=("/no/such/program",))


def test_orders_reach_every_worker(environment: Environment) -> None:
    """Each has its number, and the settings and passwords that were in force at the start; none of it can be listed."""
    run(environment, "report(errors=[json.dumps(orders), str(sys.argv)])" + STAY, keep := _Keeper(), workers=1)
    orders, argv = keep.report.errors
    told = json.loads(orders)
    assert (told["worker"], told["parent"], told["settings"]["workers"]) == (1, os.getpid(), 1)
    assert told["credentials"]["admin_invoke"] == environment.credentials().admin_invoke
    assert environment.credentials().admin_invoke not in argv


class _Keeper:
    """Keeps what the server is told when it is ready, and stops it."""

    def __call__(self, server: RunningServer, report: Report) -> None:
        self.server, self.report = server, report
        stop()


def test_worker_begins_without_interrupts(environment: Environment) -> None:
    """Ctrl-C, which reaches every process of a terminal, must not end it before it can decide to ignore that."""
    mask = "report(errors=[str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))])"
    run(environment, mask + STAY, keep := _Keeper())
    here = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert (keep.report.errors, here) == (("True",), False)


def test_report_may_be_long(environment: Environment) -> None:
    """A folder of many broken files is no obstacle."""
    run(environment, "report(errors=['x' * 300_000])" + STAY, keep := _Keeper())
    assert len(keep.report.errors[0]) == 300_000


def test_server_is_ready_when_every_worker_is(environment: Environment) -> None:
    """Not before the last one has reported; then all of them are named."""
    slow = "if orders['worker'] == 1:\n    time.sleep(0.3)\nlives.with_name('ready').open('a').write('.')\nreport()"
    run(environment, slow + STAY, keep := _Keeper(), workers=2)
    assert [(each.number, each.pid is None, each.deaths) for each in keep.server.workers] == [
        (1, False, 0),
        (2, False, 0),
    ]
    assert (environment.path / "ready").read_text() == ".."


def test_stop_during_the_start(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose workers never report stops at one signal, and that is no failure."""
    silent = "os.kill(orders['parent'], signal.SIGTERM)" + STAY
    run(environment, silent, _never)
    assert events(environment) == ["Server server1 stops"]


def _never(*_: object) -> None:
    raise AssertionError("The server said that it was ready.")


def test_worker_that_dies_is_replaced(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one at once, the next ones later and later; the log counts them, and so does the environment."""
    said = stop_when(monkeypatch, lambda server: server.workers[0].deaths == 3 and server.workers[0].pid is not None)
    run(environment, DIES.format(times=3), lambda *_: None)
    deaths = [event.partition(". ")[2] for event in events(environment) if "ended with status 3" in event]
    assert deaths == [
        "It is replaced",
        "It is replaced in 0.1 s, as 2 died in a row",
        "It is replaced in 0.2 s, as 3 died in a row",
    ]
    births, ends = (list(map(float, (environment.path / name).read_text().split())) for name in ("births", "ends"))
    pauses = [birth - end for birth, end in zip(births[1:], ends, strict=True)]
    assert (pauses[1] >= 0.1, pauses[2] >= 0.2, len({server.pid for server in said})) == (True, True, 1)


def test_ten_deaths_in_a_row_do_not_end_the_server(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on, with pauses that grow up to five seconds."""
    pauses = [REPLACEMENTS.pause(number, 0.5) for number in range(1, 11)]
    monkeypatch.setattr(place, "REPLACEMENTS", type(REPLACEMENTS)(sys.maxsize, backoff=0.001, cap=0.01))
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 10 and server.workers[0].pid is not None)
    run(environment, DIES.format(times=10), lambda *_: None)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]
    assert len((environment.path / "lives").read_text()) == 11


def test_death_after_a_long_life_begins_a_new_row(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that served for a while is replaced at once, however many died before."""
    monkeypatch.setattr(place, "STEADY", 0.0)
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 3 and server.workers[0].pid is not None)
    run(environment, DIES.format(times=3), lambda *_: None)
    assert [event for event in events(environment) if "in a row" in event] == []


def test_worker_that_leaves_a_child_behind(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """That a forked child holds the dead process's line to the supervisor does not hide the death."""
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 1 and server.workers[0].pid is not None)
    run(environment, FORKS, lambda *_: None)
    os.kill(int((environment.path / "child").read_text()), signal.SIGKILL)
    assert any("ended with status 3" in event for event in events(environment))


def test_replacement_that_cannot_work_says_why(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is in the log, and there is another attempt."""
    program = (
        "if life == 1:\n    report()\nelif life == 2:\n    report(fault='No disk.')\nelse:\n    report()\n"
        "if life < 3:\n    os._exit(2)\n"
    )
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 2 and server.workers[0].pid is not None)
    run(environment, program + STAY, lambda *_: None)
    assert "Worker 1 cannot work: No disk." in events(environment)


def test_worker_that_stands_still_is_killed(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gives no sign of life for as long as `max_stall` says is replaced."""
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 1)
    run(environment, "report()" + STAY, lambda *_: None, max_stall=0.2)
    stalled, died, _ = [event for event in events(environment) if "answers at" not in event]
    assert stalled.startswith("The event loop of worker 1 has stood still for 0.2 s (setting max_stall)")
    assert died.startswith("Worker 1 was killed by SIGKILL")


def test_worker_that_does_not_stop_is_killed(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """When `drain`, `grace` and a time for last words are over, the server ends all the same."""
    monkeypatch.setattr(supervisor, "CLEANS_UP_WITHIN", 0.2)
    run(environment, "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nreport()" + STAY)
    assert events(environment)[-1] == "Worker processes that did not stop in time, and are killed: 1"


def test_announcement_that_fails_later_does_not_end_the_server(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the environment names an old process for a while; the log says so."""
    original, calls = Environment.announce, []

    def announce(self: Environment, server: RunningServer) -> None:
        calls.append(server)
        if len(calls) == 2:
            (environment.run / "server.new").mkdir()
            stop()
        original(self, server)

    monkeypatch.setattr(Environment, "announce", announce)
    run(environment, DIES.format(times=1), lambda *_: None)
    assert any("server.new cannot be written: Is a directory." in event for event in events(environment))


def test_place_of_a_dead_worker_is_filled_in_the_end(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without free files no process can be begun, again and again; when there are some, it is."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def few_files(server: RunningServer, _: Report) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(server.workers[0].pid or 0, signal.SIGKILL)

    def enough(server: RunningServer) -> bool:
        if server.workers[0].deaths == 3:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        return server.workers[0].deaths >= 3 and server.workers[0].pid is not None

    stop_when(monkeypatch, enough)
    try:
        run(environment, "report()" + STAY, few_files)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert [event for event in events(environment) if "could not be begun (Too many open files)" in event]
    assert (environment.path / "lives").read_text() == ".."


def test_start_without_free_files(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start, instead of waiting for a process that there will never be."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    keep = Place.keep

    async def with_few_files(self: Any) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            await keep(self)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    monkeypatch.setattr(Place, "keep", with_few_files)
    with pytest.raises(EnvironmentFault, match=r"could not be begun \(Too many open files\) at its start"):
        run(environment, STAY, _never)


def test_worker_that_talks_nonsense(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else goes wrong is a death too, and the process that it is about is no more."""
    nonsense = "if life == 2:\n    line.sendall(b'nonsense\\n')\nelse:\n    report()\nif life == 1:\n    os._exit(1)\n"
    stop_when(monkeypatch, lambda server: server.workers[0].deaths == 2 and server.workers[0].pid is not None)
    run(environment, nonsense + STAY, lambda *_: None)
    assert any("could not be looked after (ExceptionGroup)" in event for event in events(environment))


def test_replacement_that_hangs_is_killed(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not say in time that it answers is no replacement; the log says where to look."""
    monkeypatch.setattr(place, "LOADS_WITHIN", 0.2)
    program = "if life == 1:\n    report()\n    os._exit(3)\nif life >= 3:\n    report()\n"
    stop_when(monkeypatch, lambda server: server.workers[0].deaths >= 2 and server.workers[0].pid is not None)
    run(environment, program + STAY, lambda *_: None, max_stall=2.0)
    hangs, died, *_ = [event for event in events(environment) if "2 s:" in event or "SIGKILL" in event]
    assert hangs.startswith("Worker 1 has not loaded its services within 2 s: the process is killed. ")
    assert str(environment.services) in hangs
    assert died.startswith("Worker 1 was killed by SIGKILL")


def test_first_worker_may_take_its_time(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start of a server somebody looks on, who can end it."""
    monkeypatch.setattr(place, "LOADS_WITHIN", 0.1)
    run(environment, "time.sleep(0.4)\nreport()" + STAY, max_stall=0.1)
    assert not any("has not loaded" in event for event in events(environment))


def test_replacement_may_take_its_time_for_ever(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `max_stall` nothing is killed for standing still."""
    monkeypatch.setattr(place, "LOADS_WITHIN", 0.1)
    slow = "if life == 1:\n    report()\n    os._exit(3)\ntime.sleep(0.4)\nos.kill(orders['parent'], signal.SIGTERM)"
    run(environment, slow + STAY, lambda *_: None, max_stall=0)
    assert not any("has not loaded" in event for event in events(environment))


@pytest.mark.parametrize("times", [1, 2])
def test_end_of_a_terminal(environment: Environment, times: int) -> None:
    """It stops the server as SIGTERM does; the system may say it twice, and that is no second wish."""
    deaf = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nreport()"

    def hang_up(*_: object) -> None:
        for number in [signal.SIGHUP] * times:
            os.kill(os.getpid(), number)

    run(environment, deaf + STAY, hang_up)
    assert events(environment)[-1] == "Server server1 stops"


def test_end_of_a_terminal_below_nohup(environment: Environment) -> None:
    """What is ignored when the server starts stays ignored."""

    def hang_up(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(environment, "report()" + STAY, hang_up)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_time_to_clean_up_is_more_than_a_worker_gives_itself() -> None:
    """Nobody is killed while it records what ended."""
    steps = [wiring.LAST_WORDS, background.LAST_WORDS, listener.CLOSE_TIMEOUT, process.LEFTOVERS_END_WITHIN]
    assert sum(steps) < supervisor.CLEANS_UP_WITHIN


def test_password_in_the_address_of_the_broker(tmp_path: Path) -> None:
    """Worker processes get it apart from the address; what the server says of itself has it nowhere."""
    environment = make_environment(tmp_path / "env")
    layer = {"broker": "redis://u:hunter2@h/1"}
    said: list[str] = []

    def ready(server: RunningServer, _: Report) -> None:
        said.append((environment.run / "server.json").read_text("utf-8"))
        stop()

    program = worker("Path(orders['path'], 'orders').write_text(json.dumps(orders))\nreport()" + STAY)
    settings = environment.settings(("variable", layer))
    run_server(environment, settings, ready, to_stream=False, command=program, layers=[("variable", layer)])

    orders = json.loads((environment.path / "orders").read_text("utf-8"))
    assert (orders["settings"]["broker"], orders["credentials"]["broker_password"]) == ("redis://u@h/1", "hunter2")
    assert RunningServer.from_json(said[0]).layers == (("variable", {"broker": "redis://u:***@h/1"}),)
    assert (said[0].count("redis://u:***@h/1"), "hunter2" in said[0]) == (2, False)
