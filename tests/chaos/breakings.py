"""What happens to calls when processes die at each point: the stories that make the rows of the table."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.breaking import POINTS, UPGRADE_POINTS
from tests.chaos.caller import Caller
from tests.chaos.history import ACCEPTED, REFUSED, History, Told, Verdict, pending
from tests.chaos.server import BreakableServer
from tests.chaos.stocks import age_file, has_old_outcomes, stock_with_old_outcomes
from tests.chaos.traps import SERVER, WORKER, Traps
from tests.support.environments import make_environment
from tests.support.waiting import wait_until
from zato.environment import Environment

__all__ = ["GROUPS", "HANDLE_POINTS", "Row", "break_at_each", "chaos_environment", "row_of", "table"]

HANDLE_POINTS = ("handle, on a thread", "handle, on the event loop", "handle, in a callback")
NAMES = (*HANDLE_POINTS, *(point.name for point in POINTS), *UPGRADE_POINTS)
KINDS = (("accept", "handle", "after"), ("finish", "callback", "retry"), ("purge",), ("upgrade",))
# The points of one group are taken one after the other, in one environment.
GROUPS = tuple(tuple(name for name in NAMES if name.startswith(kinds)) for kinds in KINDS)
SERVICES = Path(__file__).with_name("services") / "chaos_api.py"

CALLS = 9
MOST_CALLS = 1000
# More than is deleted while servers start, so that they still delete when the trap is armed.
# No round number: a last slice that is not full would have room for what is young.
OLD = 60_100
# Seconds that one of the steps of a story may take on a busy machine.
PATIENCE = 40.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        point: what was done.
        verdict: what became of the calls.
        durability: how sure the store was of what it had.
        faults: what must not be, by name.
        refused: how many calls were refused.
        keyed: of those that were refused and ran, how many had an idempotency key.
        refused_for: seconds from the first answer that was no acceptance to the last one.
        taken_over: seconds until the last call that was interrupted ran elsewhere, or None if none was.
        forgotten: seconds before the fault that the oldest call which was lost had been accepted, or None.
    """

    point: str
    verdict: Verdict
    durability: str = "file"
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: int = 0
    keyed: int = 0
    refused_for: float = 0.0
    taken_over: float | None = None
    forgotten: float | None = None


def chaos_environment(path: Path, **settings: object) -> Environment:
    """Make an environment with the services that write down when they start."""
    # The lease is far beyond any limit: what a dead process held is freed because its successor knows it dead.
    given = {"lease": 120.0, "max_takeovers": 1000, "log_level": "WARNING", **settings}
    return make_environment(path, {SERVICES.name: SERVICES.read_text("utf-8")}, **given)


def break_at_each(points: Sequence[str], folder: Path) -> list[Row]:
    """Have a worker die at each point and be replaced; then the whole server, and start it again."""
    environment = chaos_environment(folder / "env")
    story = _break_upgrades if points[0] in UPGRADE_POINTS else _break_calls
    told = story(points, environment)
    history = History.of(environment.path, [each for part in told.values() for each in part])
    rows = [row_of(point, history.only(part)) for point, part in told.items()]
    elsewhere = {} if any(row.faults for row in rows) else history.verdict().faults
    assert elsewhere == {}, f"Nobody made these calls, at {points}"
    return rows


def _break_calls(points: Sequence[str], environment: Environment) -> dict[str, list[Told]]:
    if points[0].startswith("purge"):
        stock_with_old_outcomes(environment, OLD)
    traps = Traps(environment.path)
    with ExitStack() as stack:
        callers = {point: stack.enter_context(Caller(environment)) for point in points}
        for point, caller in callers.items():
            with BreakableServer(environment) as server:
                if point == points[0]:
                    _break_workers(callers, traps)
                _break(point, SERVER, traps, caller)
                server.process.wait(PATIENCE)
        with BreakableServer(environment):
            wait_until(lambda: not pending(environment.path), PATIENCE, what="an outcome of every call")
            wait_until(lambda: not has_old_outcomes(environment), PATIENCE, what="the end of the purge")
    return {point: caller.told for point, caller in callers.items()}


def _break_workers(callers: Mapping[str, Caller], traps: Traps) -> None:
    """Have a worker die at each point, and wait for the one in its place."""
    for point, caller in callers.items():
        _break(point, WORKER, traps, caller)
        wait_until(_is_accepted(caller), PATIENCE, what="a worker in the place of the dead one")


def _is_accepted(caller: Caller) -> Callable[[], bool]:
    return lambda: caller.call("chaos.work").verdict == ACCEPTED


def _break(point: str, victim: str, traps: Traps, caller: Caller) -> None:
    """Make calls, and then more until somebody has died at a point."""
    if not point.startswith("purge"):
        _call(caller)
    traps.arm(point, victim)
    give_up = time.monotonic() + PATIENCE
    for _ in caller.call_each(MOST_CALLS):
        if not traps.is_armed(point):
            return
        assert time.monotonic() < give_up, f"Nobody came to {point!r}."


def _break_upgrades(points: Sequence[str], environment: Environment) -> dict[str, list[Told]]:
    """Have the server die while it upgrades a file, with calls that wait and calls that are done."""
    traps = Traps(environment.path)
    with ExitStack() as stack:
        callers = {point: stack.enter_context(Caller(environment)) for point in points}
        with BreakableServer(environment) as server:
            for caller in callers.values():
                _call(caller)
                caller.call("chaos.work", delay=1.0)
            server.kill()
        age_file(environment.data / "broker.db")
        for point, victim in zip(points, (WORKER, SERVER, WORKER), strict=True):
            traps.arm(point, victim)
            broken = BreakableServer(environment)
            try:
                assert broken.process.wait(PATIENCE) != 0
            finally:
                broken.kill()
            assert not traps.is_armed(point)
        with BreakableServer(environment):
            wait_until(lambda: not pending(environment.path), PATIENCE, what="an outcome of every call")
    return {point: caller.told for point, caller in callers.items()}


def _call(caller: Caller) -> None:
    for _ in caller.call_each(CALLS):
        pass


def row_of(point: str, history: History) -> Row:
    """Return the row of what happened to the calls of a history, in a file."""
    verdict = history.verdict()
    refused = sum(told.verdict == REFUSED for told in history.told)
    return Row(point, verdict, faults=verdict.faults, refused=refused)


COLUMNS: Mapping[str, Callable[[Row], object]] = {
    "accepted": lambda row: len(row.verdict.accepted),
    "unknown": lambda row: len(row.verdict.unknown),
    "refused": lambda row: row.refused,
    "ran": lambda row: len(row.verdict.refused_ran) - row.keyed,
    "ran by key": lambda row: row.keyed,
    "lost": lambda row: len(row.verdict.lost),
    "run twice": lambda row: len(row.verdict.run_twice),
    "doubled": lambda row: len(row.verdict.recorded_twice),
    "taken over, s": lambda row: _seconds(row.taken_over),
    "refused for, s": lambda row: _seconds(row.refused_for or None),
    "forgotten, s": lambda row: _seconds(row.forgotten),
}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns."""
    head = f"{'point':32} {'durability':12}" + "".join(f"  {name}" for name in COLUMNS)
    lines = [
        f"{row.point:32} {row.durability:12}"
        + "".join(f"  {found(row)!s:>{len(name)}}" for name, found in COLUMNS.items())
        for row in rows
    ]
    return "\n".join([head, *lines])


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}"
