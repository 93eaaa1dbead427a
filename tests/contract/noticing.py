"""Whether a test of the contract notices that a store does one thing wrong."""

import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ask
from tests.contract.stores import Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce

__all__ = ["Test", "noticed_by"]

# A test of the contract, as a function of some of `store`, `backend`, `reader` and `clock`.
Test = Callable[..., None]


def noticed_by(test: Test, store: Store) -> str | None:
    """Return what a test of the contract notices first of fresh stores of this kind, or None."""
    return next(filter(None, (_noticed_in(test, store.fresh(), case) for case in _cases(test))), None)


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


def _noticed_in(test: Test, store: Store, case: dict[str, Any]) -> str | None:
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
