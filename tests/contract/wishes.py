"""What callers, holders and servers may ask of a broker, for the state machine to choose from."""

from collections.abc import Mapping

from hypothesis import strategies as st

from zato.core.invocation import Holder, Lane, Terms

__all__ = [
    "ALL",
    "ANNOUNCED",
    "ANY",
    "BY",
    "CIDS",
    "DEPLOYED",
    "HOLD",
    "HOLDER",
    "HOLDERS",
    "LEASED_BY",
    "LIMITS",
    "NOTHING_MORE",
    "PAUSES",
    "ROOM",
    "SECONDS",
    "SERVER",
    "SOMETIMES",
    "TERMS",
    "UNLIMITED",
    "WISHES",
]

SERVER = "a"
HOLDERS = tuple(Holder(SERVER, run, worker) for run in ("r1", "r2") for worker in (1, 2))
DEPLOYED = {"crm.sync": Lane.THREAD, "crm.answer": Lane.THREAD, "ui.push": Lane.TASK}
MOVED = {**DEPLOYED, "crm.answer": Lane.TASK}
ALL = {**DEPLOYED, "unknown": Lane.THREAD}
NOTHING: Mapping[str, Lane] = {}
NOTHING_MORE: Mapping[Lane, int] = {}
ANNOUNCED = (DEPLOYED, DEPLOYED, DEPLOYED, DEPLOYED, MOVED, ALL, {"ui.push": Lane.TASK}, NOTHING)
UNLIMITED: Mapping[str, Terms] = {}
ONE_AT_ONCE = {"crm.sync": Terms(max_concurrency=1)}
FEW_AT_ONCE = {
    "crm.sync": Terms(max_concurrency=2),
    "crm.answer": Terms(max_concurrency=1),
    "ui.push": Terms(max_concurrency=1, time_limit=2.5),
}
ROOM = {Lane.THREAD: 1000, Lane.TASK: 1000}

CIDS = ("c1", "c2", "c3")
WISHES = st.fixed_dictionaries(
    {
        "service": st.sampled_from(("crm.sync", "crm.answer", "ui.push", "crm.sync", "unknown")),
        "cid": st.sampled_from(CIDS),
        "parent": st.sampled_from((None, *CIDS)),
        "queue": st.sampled_from(("default", "default", "mail")),
        "priority": st.sampled_from((5, 5, 1, 9)),
        "payload": st.sampled_from((b'"x"', b'"y"')),
        "time_limit": st.sampled_from((None, 2.5)),
        "delay": st.sampled_from((None, None, None, None, None, 0, 1, 7, 60)),
        "expiration": st.sampled_from((None, None, None, 1, 10, 60)),
    }
)
BY = st.sampled_from(
    (
        *((), ("service",), ("parent",), ("cid",)),
        *(("status",),) * 3,
        *(("status", name) for name in ("service", "cid")),
    )
)
SOMETIMES = st.one_of(st.none(), st.none(), st.integers(0, 99))
LIMITS = st.sampled_from((ROOM, ROOM, {Lane.THREAD: 1}, {Lane.TASK: 1, Lane.THREAD: 2}, {Lane.TASK: 5}, {}))
SECONDS = st.sampled_from((15.0, 15.0, 1.0, 60.0))
PAUSES = st.sampled_from((-1, 0, 1, 5, 60))
ANY = st.integers(0, 99)
TERMS = st.sampled_from((UNLIMITED, UNLIMITED, ONE_AT_ONCE, FEW_AT_ONCE))
HOLDER = st.sampled_from(HOLDERS)
HOLD = st.sampled_from((False, False, True))
LEASED_BY = st.one_of(st.none(), st.tuples(HOLDER, LIMITS))
