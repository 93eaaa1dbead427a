"""What a request for a background call becomes, and what it is refused for."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from zato.broker.base import Accepted
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.call import AsyncCall
from zato.core.errors import BadRequest, BrokerUnavailable, PayloadTooLarge, UnknownService
from zato.core.invocation import ErrorInfo, Invocation, Outcome, Status
from zato.core.payload import decode
from zato.core.retry import Retry
from zato.server.publisher import Publisher, follow_ups, repeated, to_its_end
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import Service

MAX_STORED = 100
NOW = 1_700_000_000_000


class Target(Service):
    name = "target"

    def handle(self) -> None:
        """Do nothing."""


class Callback(Service):
    name = "caller-async-callback"

    def handle(self) -> None:
        """Do nothing."""


class Patient(Service):
    name = "patient"
    retry = 3
    time_limit = 5.0

    def handle(self) -> None:
        """Do nothing."""


DEPLOYED = Registry(map(Deployed.of, (Target, Callback, Patient))).by_name


def prepare(folder: Path, **options: Any) -> Invocation:
    """Return what a call of the target becomes."""

    async def main() -> Invocation:
        services = Services(Registry(DEPLOYED.values()))
        batcher = Batcher(open_backend(Location("sqlite", folder), SystemClock()), asyncio.get_running_loop())
        batcher.start()
        publisher = Publisher(services, batcher, max_stored=MAX_STORED)
        try:
            return publisher.prepare(AsyncCall(**{"service": "target", **options}))
        finally:
            batcher.close()
            with pytest.raises(BrokerUnavailable):
                await publisher.publish(AsyncCall(service="target"))

    return asyncio.run(main())


def test_call_with_nothing_but_a_name(tmp_path: Path) -> None:
    """A bare call has a CID of its own, an empty payload, and nobody to call back."""
    call = prepare(tmp_path)

    assert (call.service, call.payload, call.channel) == ("target", b'""', "invoke-async")
    assert (call.callback, call.on_failure, call.not_before, call.expires) == ((), (), None, None)
    assert (len(call.cid), len(call.id)) == (24, 26)


def test_times(tmp_path: Path) -> None:
    """Delay and expiration are counted in seconds from now; zero is none."""
    call = prepare(tmp_path, delay=1.5, expiration=60)
    none = prepare(tmp_path, delay=0, expiration=0)

    assert call.not_before is not None
    assert call.expires is not None
    assert (call.not_before - call.created, call.expires - call.created) == (1_500, 60_000)
    assert (none.not_before, none.expires) == (None, None)


@pytest.mark.parametrize(
    ("options", "callback"),
    [
        pytest.param({"caller": "caller"}, ("caller-async-callback",), id="by-convention"),
        pytest.param({"caller": "caller", "callback": ("target",)}, ("target",), id="explicit"),
        pytest.param({"caller": "caller", "callback": ()}, (), id="explicitly-none"),
        pytest.param({"caller": "target"}, (), id="nobody"),
    ],
)
def test_callback(tmp_path: Path, options: dict[str, Any], callback: tuple[str, ...]) -> None:
    """Who is called back is settled when the call is accepted."""
    assert prepare(tmp_path, **options).callback == callback


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"service": "tarket"}, UnknownService, id="unknown-target"),
        pytest.param({"callback": ("nobody",)}, UnknownService, id="unknown-callback"),
        pytest.param({"on_failure": ("nobody",)}, UnknownService, id="unknown-on-failure"),
        pytest.param({"payload": "x" * MAX_STORED}, PayloadTooLarge, id="too-large"),
        pytest.param({"cid": ""}, BadRequest, id="empty-cid"),
        pytest.param({"delay": float("nan")}, BadRequest, id="delay-is-no-number"),
        pytest.param({"expiration": 1e10}, BadRequest, id="expiration-beyond-all-times"),
        pytest.param({"idempotency_key": "k" * 256}, BadRequest, id="long-key"),
        pytest.param({"idempotency_key": ""}, BadRequest, id="empty-key"),
        pytest.param({"idempotency_key": 1}, BadRequest, id="key-is-a-number"),
        pytest.param({"transport": object()}, BadRequest, id="transport-is-an-object"),
        pytest.param({"channel": "a\ud800"}, BadRequest, id="channel-is-no-unicode"),
        pytest.param({"data_format": None}, BadRequest, id="data-format-is-nothing"),
        pytest.param({"environ": [1]}, BadRequest, id="environ-is-a-list"),
        pytest.param({"time_limit": -1}, BadRequest, id="time-limit-negative"),
        pytest.param({"time_limit": 2e9}, BadRequest, id="time-limit-of-a-lifetime"),
        pytest.param({"time_limit": "5"}, BadRequest, id="time-limit-is-text"),
        pytest.param({"time_limit": True}, BadRequest, id="time-limit-is-a-flag"),
        pytest.param({"time_limit": float("nan")}, BadRequest, id="time-limit-is-no-number"),
    ],
)
def test_refusal(tmp_path: Path, options: dict[str, Any], error: type[Exception]) -> None:
    """What could not run, or could not be stored, is refused at the call."""
    with pytest.raises(error):
        prepare(tmp_path, **options)


def test_largest_payload(tmp_path: Path) -> None:
    """A payload of exactly `max_stored` bytes of JSON is taken."""
    assert len(prepare(tmp_path, payload="x" * (MAX_STORED - 2)).payload) == MAX_STORED


@pytest.mark.parametrize(
    ("options", "retry", "limit"),
    [
        pytest.param({}, Retry(3), 5.0, id="of-the-class"),
        pytest.param({"retry": Retry(7), "time_limit": 1}, Retry(7), 1, id="of-the-call"),
        pytest.param({"retry": Retry(1), "time_limit": 0}, Retry(1), None, id="once-and-without-limit"),
        pytest.param({"service": "target"}, Retry(), None, id="of-nobody"),
        pytest.param({"service": "target", "time_limit": 9.5}, Retry(), 9.5, id="of-the-call-alone"),
    ],
)
def test_whose_retry_and_time_limit_count(
    tmp_path: Path, options: dict[str, Any], retry: Retry, limit: float | None
) -> None:
    """What the caller says, else what the target's class says, else one attempt of any length."""
    call = prepare(tmp_path, **{"service": "patient", **options})
    assert (call.retry, call.time_limit) == (retry, limit)


def test_replay_of_a_call_without_a_limit(tmp_path: Path) -> None:
    """It has none again, whatever the class says meanwhile."""
    first = prepare(tmp_path, service="patient", time_limit=0, retry=Retry())
    again = prepare(tmp_path, **asdict(repeated(first, payload="", parent="p")))
    assert (again.retry, again.time_limit) == (Retry(), None)


def test_follow_ups() -> None:
    """Each callback is a call of its own that names the one it answers and has its `environ`."""
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("a", "b"), environ=b'{"k":1}'
    )
    made = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW, response=b'{"x":1}'), {})

    assert [(call.service, decode(call.payload)) for call in made] == [("a", '{"x":1}'), ("b", '{"x":1}')]
    assert {(call.in_reply_to, call.parent, call.channel, call.environ) for call in made} == {
        ("c1", "c1", "invoke-async-callback", b'{"k":1}')
    }
    assert len({call.cid for call in made} | {"c1"}) == 3


@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED])
def test_follow_ups_are_tried_as_often_as_what_they_answer(status: Status) -> None:
    """A callback, or a report of a failure, inherits the retries of its call."""
    retry = Retry(attempts=4, backoff=0.5)
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("a",), on_failure=("b",), retry=retry
    )

    (made,) = follow_ups(answered, Outcome(status=status, ended=NOW), {})

    assert (made.retry, made.time_limit) == (retry, None)


def test_follow_up_whose_class_says_how_often_to_try() -> None:
    """A callback's own class wins over the call it answers."""
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("patient", "target"), retry=Retry(9)
    )
    answered_with = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW), DEPLOYED)

    assert [(made.retry, made.time_limit) for made in answered_with] == [(Retry(3), 5.0), (Retry(9), None)]


def test_follow_ups_of_a_failure() -> None:
    """A failure calls `on_failure` alone; an expired call calls nobody."""
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("a",), on_failure=("b",)
    )
    error = ErrorInfo("code", "Type", "words", "trace")
    failed = follow_ups(answered, Outcome(status=Status.FAILED, ended=NOW, error=error, attempts=2), {})

    report = {"code": "code", "type": "Type", "message": "words"}
    assert [(call.service, decode(call.payload)) for call in failed] == [
        ("b", {"cid": "c1", "service": "target", "error": report, "attempts": 2})
    ]
    assert follow_ups(answered, Outcome(status=Status.EXPIRED, ended=NOW), {}) == ()


def test_repeated_call_keeps_its_options() -> None:
    """A replay has everything the first call had except id, CID and times, and says what it repeats."""
    first = Invocation(
        id="1",
        cid="c1",
        service="target",
        payload=b'{"a":1}',
        created=NOW,
        expires=NOW + 60_000,
        not_before=NOW + 5,
        callback=("a",),
        on_failure=("b",),
        environ=b'{"k":1}',
        retry=Retry(attempts=3, not_on=BadRequest),
        time_limit=2.5,
        data_format="xml",
        transport="plain",
        channel="rest",
        idempotency_key="key",
    )
    again = repeated(first, payload={"a": 2}, parent="p")

    assert (again.service, again.payload, again.environ) == ("target", {"a": 2}, {"k": 1})
    assert (again.callback, again.on_failure, again.retry) == (("a",), ("b",), first.retry)
    assert (again.time_limit, again.channel, again.data_format, again.transport) == (2.5, "rest", "xml", "plain")
    assert (again.expiration, again.delay, again.cid, again.idempotency_key) == (60.0, None, None, None)
    assert (again.parent, again.replay_of) == ("p", "1")


def test_cancelled_request_is_told_what_was_stored() -> None:
    """Who asked for a call gets its CID even if the request ends meanwhile; told no, he would ask again."""

    async def scenario() -> Accepted:
        stored = asyncio.Event()

        async def storing() -> Accepted:
            await stored.wait()
            return Accepted("id", "cid")

        asking = asyncio.ensure_future(to_its_end(storing()))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0)
        stored.set()
        return await asking

    assert asyncio.run(scenario()) == Accepted("id", "cid")
