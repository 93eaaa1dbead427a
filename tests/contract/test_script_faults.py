"""Somebody notices a cluster whose scripts do one thing wrong.

Faults that a test of the contract notices are all tried here. Those that only the state machine notices are tried with
`STORIES=1000` in the environment, which is also how many stories each of them has to be noticed in.
"""

import inspect
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ask
from tests.contract.script_faults import FAULTS, MisheardQuestion, ScriptFault, Test
from tests.contract.seeded_faults import first_noticed
from tests.contract.stores import RedisStore, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce

STORIES = int(os.environ.get("STORIES", "0"))


def _cases(test: Test) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each case of a test, but for those that fixtures give."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize" and mark.args[0] != "store"]
    for chosen in itertools.product(*(mark.args[1] for mark in marks)):
        case: dict[str, Any] = {}
        for mark, each in zip(marks, chosen, strict=True):
            names = mark.args[0].replace(" ", "").split(",") if isinstance(mark.args[0], str) else mark.args[0]
            values = each.values if isinstance(each, type(pytest.param())) else (each,) if len(names) == 1 else each
            case.update(zip(names, values, strict=True))
        yield case


def _noticed_by(test: Test, store: Store, case: dict[str, Any]) -> str | None:
    """Return what a test of the contract notices of an empty store in one case, or None."""
    clock = TurnableClock()
    wanted = inspect.signature(test).parameters
    with ExitStack() as opened:
        try:
            backend = opened.enter_context(closing(store.open(clock)))
            ask(backend, Announce(DEPLOYED, server=HOLDER.server))
            given: dict[str, Any] = {"store": store, "clock": clock, "backend": backend}
            if "reader" in wanted:
                given["reader"] = opened.enter_context(closing(store.reader(clock)))
            test(**{name: value for name, value in given.items() if name in wanted}, **case)
        except Exception as noticed:
            return str(noticed).partition("\n")[0] or type(noticed).__name__
    return None


@pytest.mark.timeout(600)
# A test that fails leaves open what it has opened, and that is found when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "fault",
    [fault for fault in FAULTS if STORIES or fault.seen_by],
    ids=lambda fault: fault.name,
)
def test_fault_is_noticed(fault: ScriptFault | MisheardQuestion, memory_path: Path) -> None:
    """No cluster with this fault does what the words say."""
    store = RedisStore(memory_path)
    with fault.put_in():
        if fault.seen_by is None:
            noticed = first_noticed(store, stories=STORIES)
        else:
            seen_by = fault.seen_by
            noticed = next(filter(None, (_noticed_by(seen_by, store.fresh(), case) for case in _cases(seen_by))), None)

    print(f"{fault.name}: {noticed}")
    assert noticed is not None
