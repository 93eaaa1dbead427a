"""What happens to calls when processes die at each point: the stories that make the rows of the table."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.breaking import POINTS, UPGRADE_POINTS
from tests.chaos.caller import Caller
from tests.chaos.history import ACCEPTED, History, Told, Verdict, pending
from tests.chaos.server import BreakableServer
from tests.chaos.stocks import age_file, old_outcomes, stock_with_old_outcomes
from tests.chaos.traps import SERVER, WORKER, Traps
from tests.support.environments import make_environment
from tests.support.waiting import wait_until
from zato.environment import Environment

__all__ = ["GROUPS", "HANDLE_POINTS", "Row", "break_at_each", "chaos_environment", "table"]

HANDLE_POINTS = ("handle, on a thread", "handle, on the event loop", "handle, in a callback")
NAMES = (*HANDLE_POINTS, *(point.name for point in POINTS), *UPGRADE_POINTS)
KINDS = ("accept", "handle", "after", "finish", "callback", "retry", "purge", "upgrade")
# The points of one group are taken one after the other, in one environment.
GROUPS = tuple(tuple(name for name in NAMES if name.startswith(kind)) for kind in KINDS)
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
    """One line of the table."""

    point: str
    verdict: Verdict


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
    rows = [Row(point, history.only(part).verdict()) for point, part in told.items()]
    elsewhere = {} if any(row.verdict.faults for row in rows) else history.verdict().faults
    assert elsewhere == {}, f"Nobody made these calls, at {points}"
    return rows


def _break_calls(points: Sequence[str], environment: Environment) -> dict[str, list[Told]]:
    if points[0].startswith("purge"):
        stock_with_old_outcomes(environment, OLD)
    traps = Traps(environment.path)
    with ExitStack() as stack:
        callers = {point: stack.enter_context(Caller(environment)) for point in points}
        with BreakableServer(environment) as server:
            for point, caller in callers.items():
                _break(point, WORKER, traps, caller)
                wait_until(_is_accepted(caller), PATIENCE, what="a worker in the place of the dead one")
            server.kill()
        for point, caller in callers.items():
            with BreakableServer(environment) as server:
                _break(point, SERVER, traps, caller)
                server.process.wait(PATIENCE)
        with BreakableServer(environment):
            wait_until(lambda: not pending(environment.path), PATIENCE, what="an outcome of every call")
            wait_until(lambda: not old_outcomes(environment), PATIENCE, what="the end of the purge")
    return {point: caller.told for point, caller in callers.items()}


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


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text in columns."""
    head = f"{'point':32} {'accepted':>8} {'unknown':>8} {'lost':>6} {'run twice':>10} {'recorded twice':>15}"
    lines = [
        f"{row.point:32} {len(v.accepted):8} {len(v.unknown):8} {len(v.lost):6} {len(v.run_twice):10} "
        f"{len(v.recorded_twice):15}"
        for row in rows
        for v in [row.verdict]
    ]
    return "\n".join([head, *lines])
