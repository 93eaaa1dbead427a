"""Where a backend and the model differ, said in one line."""

import math
from dataclasses import fields, replace
from typing import Any, cast

import msgspec

from tests.contract.model import UNSAID, UNSAID_TIME
from zato.broker.base import Backend, Find, Found, Leased, Operation
from zato.broker.cluster import Queues, QueueState
from zato.core.invocation import Record

__all__ = ["compare", "compare_records", "insist", "pages"]

TOO_MANY = 10_000


def pages(backend: Backend, operation: Find) -> list[Record]:
    """Return the records of all pages, each of them but the last one full."""
    records: list[Record] = []
    while True:
        (found,) = backend.apply([operation]).results
        assert isinstance(found, Found), found
        records += found.records
        size = len(found.records)
        if found.cursor is None:
            insist(size <= operation.limit, "last page", size, operation)
            return records
        insist(size == operation.limit and len(records) < TOO_MANY, "page", size, operation)
        operation = replace(operation, cursor=found.cursor)


def compare(operation: Operation[Any], result: object, expected: object) -> None:
    """Compare one result with what the model says."""
    what = type(operation).__name__
    if isinstance(expected, Exception):
        insist(type(result) is type(expected), what, result, expected)
    elif isinstance(expected, Leased) and isinstance(result, Leased):
        insist(result.deliveries == expected.deliveries, "deliveries", result.deliveries, expected.deliveries)
        insist(_wakes_in_time(result.next_in, expected.next_in), "next_in", result.next_in, expected.next_in)
    elif isinstance(operation, Queues):
        insist(_are_like(cast(list[QueueState], result), cast(list[QueueState], expected)), what, result, expected)
    elif isinstance(expected, Record) and isinstance(result, Record):
        compare_records(what, [result], [expected])
    else:
        insist(result == expected, what, result, expected)


def compare_records(what: str, records: list[Record], expected: list[Record]) -> None:
    """Compare everything that is said of calls, except for what the words leave open."""
    ids, said = ([record.invocation.id for record in each] for each in (records, expected))
    insist(ids == said, what, ids, said)
    for record, one in zip(records, expected, strict=True):
        seen = _as_far_as_said(record, one)
        differing = [each.name for each in fields(one) if getattr(seen, each.name) != getattr(one, each.name)]
        insist(not differing, f"{what}: {', '.join(differing)}", record, one)


def insist(agrees: bool, what: str, result: object, expected: object) -> None:
    """Say where a backend and the model differ."""
    assert agrees, f"{what}: {result!r}, and the model says {expected!r}"


def _wakes_in_time(seconds: float | None, expected: float | None) -> bool:
    """Tell whether who waits so long wakes up in time, and not at once for nothing."""
    if seconds is None:
        return expected is None
    return seconds > 0 and (expected is None or seconds <= expected)


def _are_like(queues: list[QueueState], expected: list[QueueState]) -> bool:
    """Tell whether queues are as they must be; an earlier moment than the first one's may be told as the oldest."""
    plain, said = ([replace(each, oldest=None) for each in states] for states in (queues, expected))
    return plain == said and all(
        one.oldest == other.oldest or (one.oldest or math.inf) < (other.oldest or 0)
        for one, other in zip(queues, expected, strict=True)
    )


def _as_far_as_said(record: Record, said: Record) -> Record:
    if said.started == UNSAID_TIME:
        record = replace(record, started=UNSAID_TIME)
    if said.server == UNSAID:
        record = replace(record, server=UNSAID)
    if record.outcome is not None:
        known = {"started": record.started, "server": record.server}
        record = replace(record, outcome=msgspec.structs.replace(record.outcome, **known))
    return record
