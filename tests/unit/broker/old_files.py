"""Broker files as older versions of the format wrote them, and what this version is to find in them."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw

from tests.contract.calls import START, call_id, make_call
from zato.broker.base import Backend, Look
from zato.core.invocation import ErrorInfo, Outcome, Record, Status
from zato.core.retry import Retry

__all__ = ["OLD_RECORDS", "execute", "make_old_file", "records"]

FAILED = ErrorInfo("exception", "ValueError", "No.", "Traceback …")
RUNNING_CALL = make_call(
    3,
    parent="p",
    in_reply_to="r",
    replay_of=call_id(9),
    on_failure=("crm.alarm",),
    retry=Retry(attempts=4, backoff=0.5),
    environ=b'{"a": 1}',
)
WAITING = Record(
    invocation=make_call(4, expires=START + 60_000),
    status=Status.WAITING,
    attempts=0,
    takeovers=0,
    started=None,
    server=None,
    not_before=None,
    outcome=None,
    cid_count=1,
)


def _ended(status: Status, ended: int, **fields: Any) -> Outcome:
    return Outcome(status=status, ended=ended, attempts=1, started=START, server="north/1", version="0.1", **fields)


RAN = replace(WAITING, attempts=1, started=START, server="north/1")
DONE = _ended(Status.DONE, START + 5, response=b'"done"')
LOST = _ended(Status.FAILED, START + 6, error=FAILED)
OLD_RECORDS = {
    1: replace(
        RAN,
        invocation=make_call(1, idempotency_key="order-7", callback=("crm.answer",)),
        status=Status.DONE,
        outcome=DONE,
    ),
    2: replace(RAN, invocation=make_call(2), status=Status.FAILED, outcome=LOST),
    3: replace(RAN, invocation=RUNNING_CALL, status=Status.RUNNING),
    4: WAITING,
    5: replace(
        WAITING,
        invocation=make_call(5, queue="mail", not_before=START + 9000),
        status=Status.DELAYED,
        not_before=START + 9000,
    ),
    6: replace(WAITING, invocation=make_call(6, service="unknown"), status=Status.STRANDED),
}


def make_old_file(path: Path, *, version: int = 1, ballast: int = 0) -> Path:
    """Make a file of a version, in the mode that servers use, with a payload of so many bytes more in it."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(Path(__file__).with_name(f"format_{version}.sql").read_text("utf-8"))
        connection.execute("UPDATE outcome SET response = zeroblob(?) WHERE seq = 2 AND ? > 0", (ballast, ballast))
    return path


def records(backend: Backend) -> dict[int, object]:
    """Return what a backend says of every call of the old file that it has."""
    found = backend.apply([Look(id=call_id(number)) for number in OLD_RECORDS]).results
    return {number: record for number, record in zip(OLD_RECORDS, found, strict=True) if record is not None}


def execute(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement on a file, beside whoever has it open."""
    with closing(apsw.Connection(str(path))) as connection:
        return connection.execute(statement).fetchall()
