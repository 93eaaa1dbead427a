"""Background calls: accepted, run by hand or at once, delayed, tried again, expired."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.testing import services
from tests.unit.testing.services import Echo, Fail, Later, Slow, seen
from zato.core.errors import BadRequest, Conflict, InvocationTimeout, NotFound, UnknownService
from zato.server.service import Retry
from zato.testing import BackgroundCall, Zato, kit


@pytest.fixture(autouse=True)
def nothing_seen() -> Iterator[None]:
    """Every test begins with an empty list."""
    seen.clear()
    yield
    seen.clear()


@pytest.fixture
def zato(zato: Zato) -> Zato:
    """All services are deployed."""
    zato.deploy(services)
    return zato


def states(calls: list[BackgroundCall]) -> list[tuple[str, str, int]]:
    """Return the service, status and attempts of calls."""
    return [(call.service, call.status, call.attempts) for call in calls]


def test_call_waits_until_it_is_run(zato: Zato) -> None:
    """By hand, nothing runs before the test says so."""
    cid = zato.invoke(Later, {}).data
    before = (zato.result(cid).status, list(seen))

    (ran,) = zato.run_background()

    assert before == ("waiting", [])
    assert (ran.cid, ran.ok, ran.data, seen) == (cid, True, "noted from later", ["from later"])


def test_call_runs_at_once(zato: Zato) -> None:
    """It runs when the service that made it has ended, before the test goes on."""
    zato.background = "at_once"

    cid = zato.invoke(Later, {}).data

    assert (seen, zato.result(cid).status) == (["from later"], "done")


def test_call_of_a_service_that_fails_runs_all_the_same() -> None:
    """What was accepted is not undone by what happens then."""
    with Zato(background="at_once") as zato:
        zato.deploy(services)
        zato.replace("crm.get-customer", lambda payload: zato.invoke_async("test.note", payload))
        with pytest.raises(KeyError):
            zato.invoke("test.call", {})
        cid = zato.invoke("test.call", {"id": 7}).data

        assert (zato.result(cid).status, seen) == ("done", [{"id": 7}])


def test_calls_at_once_wait_for_the_outermost_service(zato: Zato) -> None:
    """What a function that stands in does with the kit is part of the service that it stands in for."""
    zato.background = "at_once"

    def stand_in(payload: object) -> list[Any]:
        zato.invoke(Later, {})
        return list(seen)

    zato.replace("crm.get-customer", stand_in)

    assert (zato.invoke("test.call", {"id": 7}).data, seen) == ([], ["from later"])


def test_calls_run_in_the_order_of_a_server(zato: Zato) -> None:
    """The most urgent first, then what was accepted first, whichever kind of service it is for."""
    for number, priority in enumerate((None, "low", None, "high", None)):
        zato.invoke_async("test.note-async" if number % 4 else "test.note", number, priority=priority)

    zato.run_background()

    assert seen == [3, 0, 2, 4, 1]


def test_payload_goes_through_json(zato: Zato) -> None:
    """A service in the background gets what was stored."""
    zato.invoke_async("test.note", {"a": (1, None)})

    zato.run_background()

    assert seen == [{"a": [1, None]}]


def test_delayed_call_waits_for_the_clock(zato: Zato) -> None:
    """It does not run a moment before its time."""
    cid = zato.invoke(Later, {"delay": 60}).data
    zato.clock.turn(59.999)
    early = zato.run_background()
    zato.clock.turn(0.001)

    assert (early, zato.result(cid).status) == ([], "waiting")
    assert [call.cid for call in zato.run_background()] == [cid]


def test_call_that_expires(zato: Zato) -> None:
    """What has not started in time never does."""
    cid = zato.invoke(Later, {"expiration": 5}).data
    zato.clock.turn(5.001)

    assert (zato.result(cid).status, zato.run_background(), seen) == ("expired", [], [])


def test_call_is_tried_again_after_its_pause(zato: Zato) -> None:
    """The clock says when; between the attempts the call is delayed."""
    retry = Retry(attempts=3, backoff=10, jitter=0)
    cid = zato.invoke_async("test.flaky", retry=retry)
    began = zato.clock.now()

    first = states(zato.run_background())
    zato.clock.turn(10)
    second = states(zato.run_background())
    third = states(zato.run_background(delayed=True))

    assert first + second == [("test.flaky", "delayed", 1), ("test.flaky", "delayed", 2)]
    assert (third, zato.result(cid).data) == ([("test.flaky", "done", 3)], "at last")
    assert (zato.clock.now() - began).total_seconds() == 30
    assert len(set(seen)) == 3


def test_everything_that_is_delayed(zato: Zato) -> None:
    """On request, the clock is turned to each call's time, and no further."""
    began = zato.clock.now()
    for delay in (3600, 60):
        zato.invoke_async("test.note", delay, delay=delay)

    zato.run_background(delayed=True)

    assert (seen, (zato.clock.now() - began).total_seconds()) == ([60, 3600], 3600)


def test_call_that_fails(zato: Zato) -> None:
    """Its error is recorded, the test is not interrupted, and the service for failures is told."""
    cid = zato.invoke_async("test.fail", 1, on_failure="test.callback")

    failed, _ = zato.run_background()

    assert (failed.ok, failed.details, failed.data) == (False, "Not 1.", None)
    assert failed.error is not None
    assert (failed.error.code, failed.cid) == ("bad_request", cid)
    assert seen[0][2]["error"]["message"] == "Not 1."


def test_callback_runs_too(zato: Zato) -> None:
    """It gets the response as text, and knows which call it answers."""
    cid = zato.invoke_async(Echo, {"a": 1}, callback="test.callback")

    ran = zato.run_background()

    assert [call.service for call in ran] == ["test.echo", "test.callback"]
    assert (seen, ran[1].in_reply_to) == ([("invoke-async-callback", cid, '{"a":1}')], cid)


def test_options_of_a_call_are_known(zato: Zato) -> None:
    """A test sees what a service asked for."""
    options = {"delay": 60, "expiration": 90, "retry": 3, "priority": "high", "queue": "q", "time_limit": 5}
    zato.invoke(Later, {**options, "callback": ["test.echo"], "idempotency_key": "k", "environ": {"a": 1}})

    (call,) = zato.background_calls("test.note")

    assert (call.payload, call.status, call.delay, call.expiration) == ("from later", "delayed", 60, 90)
    assert (call.retry.attempts, call.priority, call.queue, call.time_limit) == (3, "high", "q", 5)
    assert (call.callback, call.idempotency_key, call.environ) == (("test.echo",), "k", {"a": 1})
    assert zato.background_calls(Echo) == []


def test_calls_are_listed_in_order(zato: Zato, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, the first one that was accepted is the first."""
    monkeypatch.setattr(kit, "PAGE", 2)
    for number in range(5):
        zato.invoke_async("test.note", number)

    assert [call.payload for call in zato.background_calls()] == [0, 1, 2, 3, 4]


def test_idempotency_key_counts_once(zato: Zato) -> None:
    """The second call with a key is the first one."""
    cids = [zato.invoke_async("test.note", 1, idempotency_key="k") for _ in range(2)]

    zato.run_background()

    assert (len(set(cids)), seen) == (1, [1])


@pytest.mark.parametrize("service", ["test.slow", "test.slow-async"])
def test_time_limit_of_a_call(zato: Zato, service: str) -> None:
    """It is of real seconds; what takes longer has failed."""
    zato.replace("test.slow-async", sleeper)
    zato.invoke_async(service, time_limit=0.01)

    (ran,) = zato.run_background()

    assert ran.details == f"'{service}' did not end within its time limit of 0.01 s."


async def sleeper(payload: object) -> None:
    """Wait for a test that does not."""
    await asyncio.sleep(10)


def test_own_timeout_of_a_service_is_not_the_limit(zato: Zato) -> None:
    """A TimeoutError that the service raises is told as what it is."""
    zato.replace("test.own", TimeoutError("my own"))
    zato.invoke_async("test.own", time_limit=5)

    (ran,) = zato.run_background()

    assert (ran.details, ran.error and ran.error.type) == ("my own", "TimeoutError")


def test_call_is_cancelled(zato: Zato) -> None:
    """It never runs; what has ended cannot be cancelled."""
    cid = zato.invoke_async("test.note", 1)

    cancelled = zato.cancel(cid)

    assert (cancelled.status, zato.run_background(), seen) == ("cancelled", [], [])
    with pytest.raises(Conflict, match="it is cancelled"):
        zato.cancel(cid)


def test_call_is_cancelled_while_it_runs(zato: Zato) -> None:
    """The service learns of it, and what it returns is not recorded."""
    zato.invoke_async("test.stop")

    (ran,) = zato.run_background()

    assert (ran.status, ran.data, seen) == ("cancelled", None, [True])


def test_cid_that_nobody_has(zato: Zato) -> None:
    """The message says where to look."""
    with pytest.raises(NotFound, match=r"zato\.background_calls\(\)"):
        zato.result("c0ffee")


@pytest.mark.parametrize(
    ("service", "options", "error"),
    [
        pytest.param("test.not", {}, UnknownService, id="unknown-service"),
        pytest.param("test.note", {"callback": "test.not"}, UnknownService, id="unknown-callback"),
        pytest.param("test.note", {"delay": -1}, BadRequest, id="illegal-option"),
    ],
)
def test_call_that_is_refused(zato: Zato, service: str, options: dict[str, Any], error: type[Exception]) -> None:
    """It is refused where it is made, as on a server."""
    with pytest.raises(error):
        zato.invoke_async(service, **options)


def test_chain_without_an_end(zato: Zato) -> None:
    """It is stopped, and the message says who makes it and what to do if it is none."""
    zato.invoke_async("test.circular")

    with pytest.raises(RuntimeError, match=r"7 background calls have run, and 'test\.circular'.*most="):
        zato.run_background(most=7)


def test_record_is_there_for_services_too(zato: Zato) -> None:
    """The built-in services tell what the test itself sees."""
    cid = zato.invoke_async(Fail, 1)
    zato.clock.turn(60)
    zato.run_background()

    record = zato.invoke("zato.invocation.get", {"cid": cid}).data

    assert (record["status"], record["created"] < record["ended"]) == ("failed", True)
    assert record["ended"] == zato.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_wait_for_a_call_ends_with_it(zato: Zato) -> None:
    """A service that waits for a call has its outcome as soon as there is one."""
    zato.replace("test.note", lambda payload: zato.invoke("zato.invocation.get", {"cid": payload, "wait": 9}).data)
    done = zato.invoke_async(Echo, 5)
    zato.run_background()
    zato.invoke_async("test.note", done)

    (ran,) = zato.run_background()

    assert ran.data["response"] == 5


def test_stopped_service_is_left_alone(zato: Zato) -> None:
    """A blocking service that runs out of time is told to stop."""
    with pytest.raises(InvocationTimeout):
        zato.invoke(Slow, timeout=0.01)


def test_wait_for_a_call_ends_when_it_is_cancelled(zato: Zato) -> None:
    """Whoever waits for an outcome meanwhile has it at once."""
    cid = zato.invoke_async(Echo, 5)

    assert zato.invoke("test.wait", cid, timeout=5).data == "cancelled"


def test_call_that_a_service_cancels_ends_at_the_time_of_the_clock(zato: Zato) -> None:
    """All times of a record are of one clock."""
    cid = zato.invoke_async(Echo, 5)
    zato.clock.turn(60)

    record = zato.invoke("zato.invocation.cancel", {"cid": cid}).data

    assert record["ended"] == zato.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
