"""What a request for a background call becomes, and what it is refused for."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import asdict

from zato.broker.base import Accepted, Backend, Find
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.call import AsyncCall
from zato.core.errors import BadRequest, BrokerUnavailable, PayloadTooLarge, UnknownService
from zato.core.invocation import ErrorInfo, Invocation, Outcome, Priority, Status, Terms
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


class Urgent(Service):
    name = "urgent"
    priority = "high"
    queue = "express"

    def handle(self) -> None:
        """Do nothing."""


DEPLOYED = Services(Registry(map(Deployed.of, (Target, Callback, Patient, Urgent))))
NOBODY = Services().terms_of


def prepare(folder: Path, **options: Any) -> Invocation:
    """Return what a call of the target becomes."""

    async def main() -> Invocation:
        services = Services(DEPLOYED.current)
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
        pytest.param({"priority": "urgent"}, BadRequest, id="priority-without-meaning"),
        pytest.param({"priority": 5}, BadRequest, id="priority-is-a-number"),
        pytest.param({"queue": "two words"}, BadRequest, id="queue-with-a-blank"),
        pytest.param({"queue": ""}, BadRequest, id="queue-without-a-name"),
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


@pytest.mark.parametrize(
    ("options", "priority", "queue"),
    [
        pytest.param({"service": "urgent"}, Priority.HIGH, "express", id="of-the-class"),
        pytest.param({"service": "urgent", "priority": "low", "queue": "bulk"}, Priority.LOW, "bulk", id="of-the-call"),
        pytest.param({"service": "urgent", "queue": "default"}, Priority.HIGH, "default", id="one-of-each"),
        pytest.param({"priority": Priority.LOW}, Priority.LOW, "default", id="not-a-word"),
        pytest.param({}, Priority.NORMAL, "default", id="of-nobody"),
    ],
)
def test_whose_priority_and_queue_count(
    tmp_path: Path, options: dict[str, Any], priority: Priority, queue: str
) -> None:
    """What the caller says, else what the target's class says, else what is usual."""
    call = prepare(tmp_path, **options)
    assert (call.priority, call.queue) == (priority, queue)


def many(folder: Path, *calls: AsyncCall, on_loop: bool) -> tuple[list[Accepted], int]:
    """Have calls accepted, and return what was, and how many are stored."""

    async def main() -> tuple[list[Accepted], int]:
        batcher = Batcher(open_backend(Location("sqlite", folder), SystemClock()), asyncio.get_running_loop())
        batcher.start()
        publisher = Publisher(Services(DEPLOYED.current), batcher, max_stored=MAX_STORED)
        accepted: list[Accepted] = []
        try:
            with suppress(BadRequest):
                accepted = await (
                    publisher.publish_all(calls) if on_loop else asyncio.to_thread(publisher.publish_all_here, calls)
                )
            return accepted, len((await batcher.ask(Find(limit=1000))).records)
        finally:
            batcher.close()

    return asyncio.run(main())


@pytest.mark.parametrize("on_loop", [True, False], ids=["loop", "thread"])
def test_many_calls(tmp_path: Path, on_loop: bool) -> None:
    """All of them are stored, in their order, however many there are."""
    accepted, stored = many(
        tmp_path, *(AsyncCall(service="target", cid=f"c{number}") for number in range(450)), on_loop=on_loop
    )
    assert [each.cid for each in accepted] == [f"c{number}" for number in range(450)]
    assert stored == 450


@pytest.mark.parametrize("on_loop", [True, False], ids=["loop", "thread"])
def test_many_calls_with_one_that_is_refused(tmp_path: Path, on_loop: bool) -> None:
    """None is stored."""
    calls = [AsyncCall(service="target") for _ in range(250)]
    assert many(tmp_path, *calls, AsyncCall(service="tarket"), on_loop=on_loop) == ([], 0)


@pytest.mark.parametrize("on_loop", [True, False], ids=["loop", "thread"])
def test_many_calls_that_are_too_large_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_loop: bool) -> None:
    """None is stored, because nobody else would be served meanwhile."""
    monkeypatch.setattr("zato.server.publisher.MOST_TOGETHER", 30)
    calls = [AsyncCall(service="target", payload="x" * 8) for _ in range(4)]

    assert len(many(tmp_path, *calls[:3], on_loop=on_loop)[0]) == 3
    with pytest.raises(PayloadTooLarge, match="The 4 payloads are 40 bytes together; 30 at most"):
        many(tmp_path, *calls, on_loop=on_loop)


@pytest.mark.parametrize("on_loop", [True, False], ids=["loop", "thread"])
def test_no_calls(tmp_path: Path, on_loop: bool) -> None:
    """Nothing is asked for, and nothing comes back."""
    assert many(tmp_path, on_loop=on_loop) == ([], 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param({"service": "tarket"}, r"Item 251: No service named 'tarket' .* Did you mean 'target'", id="name"),
        pytest.param({"service": "target", "delay": -1}, "Item 251: delay=-1 is not legal", id="option"),
        pytest.param({"service": "target", "payload": "x" * 200}, "Item 251: The payload for 'target'", id="large"),
        pytest.param({"service": "target", "payload": object()}, "Item 251: The payload cannot be", id="no-json"),
    ],
)
def test_number_of_the_call_that_is_refused(wrong: dict[str, Any], message: str) -> None:
    """The error says which one it is."""

    async def main() -> None:
        batcher = Batcher(cast(Backend, None), asyncio.get_running_loop())
        publisher = Publisher(Services(DEPLOYED.current), batcher, max_stored=MAX_STORED)
        calls = [*(AsyncCall(service="target") for _ in range(250)), AsyncCall(**wrong)]
        with pytest.raises(BadRequest, match=message):
            await publisher.publish_all(calls)

    asyncio.run(main())


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
    made = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW, response=b'{"x":1}'), NOBODY)

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

    (made,) = follow_ups(answered, Outcome(status=status, ended=NOW), NOBODY)

    assert (made.retry, made.time_limit) == (retry, None)


def test_follow_up_whose_class_says_how_often_to_try() -> None:
    """A callback's own class wins over the call it answers."""
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("patient", "target"), retry=Retry(9)
    )
    answered_with = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW), DEPLOYED.terms_of)

    assert [(made.retry, made.time_limit) for made in answered_with] == [(Retry(3), 5.0), (Retry(9), None)]


def test_priority_and_queue_of_a_follow_up() -> None:
    """Its class says them; else it starts when what it answers would, and is in no queue of its own."""
    answered = Invocation(
        id="1",
        cid="c1",
        service="target",
        payload=b"{}",
        created=NOW,
        callback=("urgent", "target"),
        priority=Priority.LOW,
        queue="bulk",
    )
    made = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW), DEPLOYED.terms_of)

    assert [(call.priority, call.queue) for call in made] == [(Priority.HIGH, "express"), (Priority.LOW, "default")]


def test_follow_up_of_a_service_that_others_have() -> None:
    """What was announced for it counts, as far as it is known here."""
    services = Services()
    services.elsewhere["far"] = Terms(retry=Retry(4), time_limit=2.0)
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("far", "farther"), retry=Retry(9)
    )
    made = follow_ups(answered, Outcome(status=Status.DONE, ended=NOW), services.terms_of)

    assert [(call.retry, call.time_limit) for call in made] == [(Retry(4), 2.0), (Retry(9), None)]


def test_follow_ups_of_a_failure() -> None:
    """A failure calls `on_failure` alone; an expired call calls nobody."""
    answered = Invocation(
        id="1", cid="c1", service="target", payload=b"{}", created=NOW, callback=("a",), on_failure=("b",)
    )
    error = ErrorInfo("code", "Type", "words", "trace")
    failed = follow_ups(answered, Outcome(status=Status.FAILED, ended=NOW, error=error, attempts=2), NOBODY)

    report = {"code": "code", "type": "Type", "message": "words"}
    assert [(call.service, decode(call.payload)) for call in failed] == [
        ("b", {"cid": "c1", "service": "target", "error": report, "attempts": 2})
    ]
    assert follow_ups(answered, Outcome(status=Status.EXPIRED, ended=NOW), NOBODY) == ()


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
        priority=Priority.HIGH,
        queue="bulk",
        idempotency_key="key",
    )
    again = repeated(first, payload={"a": 2}, parent="p")

    assert (again.service, again.payload, again.environ) == ("target", {"a": 2}, {"k": 1})
    assert (again.callback, again.on_failure, again.retry) == (("a",), ("b",), first.retry)
    assert (again.time_limit, again.channel, again.data_format, again.transport) == (2.5, "rest", "xml", "plain")
    assert (again.expiration, again.delay, again.cid, again.idempotency_key) == (60.0, None, None, None)
    assert (again.parent, again.replay_of, again.priority, again.queue) == ("p", "1", Priority.HIGH, "bulk")


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
