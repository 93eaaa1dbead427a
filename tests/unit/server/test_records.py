"""The JSON form of a record."""

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from zato.broker.base import Accept, Find
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.errors import BadRequest, NotFound
from zato.core.invocation import ErrorInfo, Failure, Invocation, Outcome, Record, Status
from zato.core.retry import Retry
from zato.server.gate import Gate
from zato.server.records import Records, listed_as_json, record_as_json
from zato.server.waiters import Waiters

NOW = 1_700_000_000_123
CALL = Invocation(id="i", cid="c", service="s", payload=b'{"a":1}', created=NOW, callback=("x",))
KEYS = [
    "id",
    "cid",
    "cid_count",
    "service",
    "status",
    "channel",
    "queue",
    "priority",
    "parent",
    "in_reply_to",
    "replay_of",
    "attempts",
    "takeovers",
    "created",
    "not_before",
    "expires",
    "started",
    "ended",
    "server",
    "version",
    "payload",
    "response",
    "error",
    "callback",
    "on_failure",
    "retry",
    "time_limit",
    "failures",
]


def record(outcome: Outcome | None = None, call: Invocation = CALL) -> Record:
    """Return a record of the call, with or without an outcome."""
    return Record(
        invocation=call,
        status=outcome.status if outcome else Status.WAITING,
        attempts=0,
        takeovers=0,
        started=None,
        server=None,
        not_before=None,
        outcome=outcome,
        cid_count=1,
    )


def test_record_of_a_call_that_is_tried_again() -> None:
    """It says how often, how long an attempt may take, and how each one failed so far."""
    error = ErrorInfo("code", "Type", "words", "trace")
    failure = Failure(attempt=1, started=NOW, ended=NOW + 5, server="here", error=error)
    call = replace(CALL, retry=Retry(3, backoff=2.0, on=KeyError), time_limit=2.5)
    shown = record_as_json(dataclasses.replace(record(call=call), failures=(failure,)), tracebacks=False)

    policy = {"attempts": 3, "backoff": 2.0, "cap": 600.0, "jitter": 0.5, "on": ["builtins.KeyError"], "not_on": []}
    assert (shown["retry"], shown["time_limit"]) == (policy, 2.5)
    assert shown["failures"] == [
        {
            "attempt": 1,
            "started": "2023-11-14T22:13:20.123Z",
            "ended": "2023-11-14T22:13:20.128Z",
            "server": "here",
            "error": {"code": "code", "type": "Type", "message": "words"},
        }
    ]


def test_record_in_a_list() -> None:
    """It has neither payload nor response, which a list does not read."""
    shown = listed_as_json(record(call=replace(CALL, payload=b"")), tracebacks=False)

    assert list(shown) == [key for key in KEYS if key not in ("payload", "response")]
    assert (shown["retry"], shown["time_limit"], shown["failures"]) == (None, None, [])


def test_record_without_an_outcome() -> None:
    """Everything is there from the first moment; what is not known yet is null."""
    shown = record_as_json(record(), tracebacks=False)

    assert list(shown) == KEYS
    assert (shown["status"], shown["created"], shown["payload"]) == ("waiting", "2023-11-14T22:13:20.123Z", {"a": 1})
    assert {shown[key] for key in ("ended", "started", "response", "error", "version", "expires")} == {None}
    assert (shown["callback"], shown["on_failure"]) == (["x"], [])


@pytest.mark.parametrize(
    ("cut", "text", "is_cut"),
    [
        pytest.param(0, "", True, id="nothing"),
        pytest.param(3, '{"\u00e4'[:2], True, id="not-half-a-character"),
        pytest.param(9, '{"\u00e4": 1}', False, id="all"),
    ],
)
def test_beginning_of_what_is_large(cut: int, text: str, is_cut: bool) -> None:
    """With a cut there is the JSON up to so many bytes, the size of the whole, and null where there is nothing."""
    call = replace(CALL, payload='{"\u00e4": 1}'.encode())
    shown = record_as_json(record(call=call), tracebacks=False, cut=cut)
    assert (shown["payload"], shown["response"]) == ({"text": text, "size": 9, "is_cut": is_cut}, None)


@pytest.mark.parametrize("tracebacks", [True, False], ids=["with-traceback", "without-traceback"])
def test_error_of_a_record(tracebacks: bool) -> None:
    """Code, type and message are public; the traceback is shown only where the setting says so."""
    outcome = Outcome(status=Status.FAILED, ended=NOW, error=ErrorInfo("code", "Type", "words", "trace"))
    error = record_as_json(record(outcome), tracebacks=tracebacks)["error"]

    public = {"code": "code", "type": "Type", "message": "words"}
    assert error == ({**public, "traceback": "trace"} if tracebacks else public)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param({"call_id": None, "cid": None}, BadRequest, id="neither"),
        pytest.param({"call_id": "a", "cid": "b"}, BadRequest, id="both"),
        pytest.param({"call_id": "a", "cid": None}, NotFound, id="unknown-id"),
        pytest.param({"call_id": None, "cid": "b"}, NotFound, id="unknown-cid"),
    ],
)
def test_record_that_is_not_there(tmp_path: Path, given: dict[str, Any], error: type[Exception]) -> None:
    """Whoever asks for nothing, for two things or for something unknown is told so, and nobody waits for ever."""

    async def scenario() -> int:
        batcher = Batcher(open_backend(Location("sqlite", tmp_path), SystemClock()), asyncio.get_running_loop())
        batcher.start()
        waiters = Waiters()
        try:
            with pytest.raises(error):
                await Records(batcher, batcher, waiters, Gate(1)).get(
                    call_id=given["call_id"], cid=given["cid"], wait=30
                )
        finally:
            batcher.close()
        return len(waiters)

    assert asyncio.run(scenario()) == 0


def test_records_are_read_on_a_connection_of_their_own(tmp_path: Path) -> None:
    """Neither a record nor a list asks what writes, which may be busy, or closed."""

    async def scenario() -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        writer, reader = (Batcher(open_backend(Location("sqlite", tmp_path), SystemClock()), loop) for _ in range(2))
        writer.start()
        reader.start()
        await writer.ask(Accept(replace(CALL, id="0" * 26)))
        writer.close()
        records = Records(writer, reader, Waiters(), Gate(1))
        try:
            record, found = await records.get(call_id=None, cid="c"), await records.find(Find(cid="c"))
        finally:
            reader.close()
        return record.invocation.service, len(found.records)

    assert asyncio.run(scenario()) == ("s", 1)
