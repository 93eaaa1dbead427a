"""Invocations to hand to a broker, and the operations on them in one word each."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from zato.broker.base import Accept, Backend, Finish, Lease, Leased, Look, Operation
from zato.core.invocation import Delivery, Holder, Invocation, Lane, Outcome, Record, Status

__all__ = [
    "DEPLOYED",
    "HOLDER",
    "ROOM",
    "START",
    "SUCCESSOR",
    "TOKEN",
    "accept",
    "ask",
    "call_id",
    "finish",
    "lease",
    "lease_all",
    "look",
    "make_call",
]

DEPLOYED = {"crm.sync": Lane.THREAD, "crm.answer": Lane.THREAD, "ui.push": Lane.TASK}
ROOM = {Lane.THREAD: 1000, Lane.TASK: 1000}
TOKEN = b"token--1"
HOLDER = Holder("server1", "run-1", 1)
SUCCESSOR = Holder("server1", "run-2", 1)
START = 1_700_000_000_000

Result = TypeVar("Result")


def call_id(number: int) -> str:
    """Return the id of the call of this number."""
    return f"{number:026}"


def make_call(number: int = 1, **fields: Any) -> Invocation:
    """Return a call of `crm.sync`, different from those of other numbers."""
    plain = {"cid": f"c{number}", "service": "crm.sync", "payload": b'"x"', "created": START}
    return Invocation(id=call_id(number), **{**plain, **fields})


def ask(backend: Backend, operation: Operation[Result]) -> Result:
    """Carry out one operation, and return its result or raise its refusal."""
    (result,) = backend.apply([operation]).results
    if isinstance(result, Exception):
        raise result
    return cast(Result, result)


def accept(backend: Backend, *calls: Invocation) -> None:
    """Store calls, in order."""
    backend.apply([Accept(call) for call in calls])


def lease_all(
    backend: Backend,
    *,
    limits: Mapping[Lane, int] = ROOM,
    token: bytes = TOKEN,
    seconds: float = 15,
    holder: Holder = HOLDER,
) -> Leased:
    """Lease what there is, as one process."""
    return ask(backend, Lease(holder=holder, limits=limits, token=token, seconds=seconds))


def lease(backend: Backend, *, token: bytes = TOKEN, seconds: float = 15) -> list[Delivery]:
    """Lease what there is, and return the deliveries alone."""
    return lease_all(backend, token=token, seconds=seconds).deliveries


def look(backend: Backend, number: int = 1) -> Record:
    """Return the record of the call of this number."""
    record = ask(backend, Look(id=call_id(number)))
    assert record is not None
    return record


def finish(
    backend: Backend,
    number: int = 1,
    *,
    token: bytes = TOKEN,
    follow_ups: tuple[Invocation, ...] = (),
    status: Status = Status.DONE,
    response: bytes | None = b'"done"',
) -> bool:
    """End the call of this number."""
    outcome = Outcome(status=status, ended=START, response=response, attempts=1, server="server1")
    return ask(backend, Finish(call_id(number), token, outcome, follow_ups))
