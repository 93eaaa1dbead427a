"""What users subclass, without a server: names, attributes, and how calls are put together."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any

import pytest

from zato.core.call import AsyncCall, Call
from zato.core.errors import BadRequest, InvocationTimeout
from zato.core.exchange import Response
from zato.core.lock import LockWish
from zato.core.stop import StopSign
from zato.server.service import AsyncService, Channel, Service, ServiceBase


class Recorder:
    """A runtime that runs nothing: it keeps what it was asked, and answers what it was given."""

    facilities: Any = None

    def __init__(self, answer: object = None, error: Exception | None = None) -> None:
        self.asked: list[Any] = []
        self.response = Response()
        self.response.payload = answer
        self.error = error

    def invoke_here(self, call: Call, timeout: float | None) -> Response:
        self.asked.append((call, timeout))
        if self.error:
            raise self.error
        return self.response

    async def invoke(self, call: Call, timeout: float | None) -> Response:
        return self.invoke_here(call, timeout)

    def publish_here(self, call: AsyncCall) -> str:
        self.asked.append(call)
        return "new-cid"

    async def publish(self, call: AsyncCall) -> str:
        return self.publish_here(call)

    def publish_all_here(self, calls: Sequence[AsyncCall]) -> list[str]:
        return [f"{self.publish_here(call)}-{number}" for number, call in enumerate(calls)]

    async def publish_all(self, calls: Sequence[AsyncCall]) -> list[str]:
        return self.publish_all_here(calls)

    def lock_here(self, wish: LockWish, stop: StopSign) -> AbstractContextManager[None]:
        self.asked.append((wish, stop))
        return nullcontext()

    def lock(self, wish: LockWish, stop: StopSign) -> AbstractAsyncContextManager[None]:
        self.asked.append((wish, stop))
        return nullcontext()


class Sync(Service):
    name = "crm.sync"

    def handle(self) -> None:
        """Do nothing."""


class SyncLater(AsyncService):
    async def handle(self) -> None:
        """Do nothing."""


class SyncChild(Sync):
    """Has a name of its own."""


class Unset(Service):
    name = ""


CALL = Call(
    cid="abc",
    service="crm.sync",
    payload={"a": {"b": 1}},
    raw='{"a": {"b": 1}}',
    channel="rest",
    channel_name="/orders",
    data_format="json",
    transport="plain",
    environ={"k": "v"},
    in_reply_to="def",
    chain=("crm.first",),
)


def bound(kind: type[ServiceBase], runtime: Recorder, call: Call = CALL) -> Any:
    """Return a service as it is while `handle` runs."""
    service = kind()
    service._bind(call, runtime)
    return service


@pytest.fixture(params=["blocking", "asynchronous"])
def invoked(request: pytest.FixtureRequest) -> Any:
    """Call a method of either kind of service, and return its result and what the runtime was asked."""

    def run(method: str, runtime: Recorder, *arguments: Any, **options: Any) -> Any:
        if request.param == "blocking":
            return getattr(bound(Sync, runtime), method)(*arguments, **options)
        return asyncio.run(getattr(bound(SyncLater, runtime), method)(*arguments, **options))

    return run


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(Sync, "crm.sync", id="given"),
        pytest.param(SyncChild, f"{__name__.replace('_', '-')}.sync-child", id="not-inherited"),
        pytest.param(SyncLater, f"{__name__.replace('_', '-')}.sync-later", id="derived"),
        pytest.param(Unset, f"{__name__.replace('_', '-')}.unset", id="empty"),
    ],
)
def test_name(kind: type[ServiceBase], name: str) -> None:
    """A class's own `name` counts; a subclass of a named service is another service."""
    assert kind.get_name() == name


def test_impl_name_is_module_and_class() -> None:
    """The implementation is called as Python calls it."""
    assert SyncChild.get_impl_name() == f"{__name__}.SyncChild"


def test_base_classes_handle_nothing() -> None:
    """A service without a `handle` of its own says so when it is run by hand."""
    with pytest.raises(NotImplementedError):
        Service().handle()
    with pytest.raises(NotImplementedError):
        asyncio.run(AsyncService().handle())


def test_attributes_of_a_call() -> None:
    """While `handle` runs, the call is all around."""
    service = bound(Sync, Recorder())
    assert (service.cid, service.in_reply_to, service.name) == ("abc", "def", "crm.sync")
    assert (service.impl_name, service.data_format, service.transport) == (f"{__name__}.Sync", "json", "plain")
    assert (service.environ, service.request.payload, service.request.raw_request) == (
        {"k": "v"},
        {"a": {"b": 1}},
        '{"a": {"b": 1}}',
    )
    assert (service.request.input.a.b, service.response.payload) == (1, None)


def test_environ_is_a_dict_even_if_none_was_given() -> None:
    """Services read keys of it without asking whether it is there."""
    service = bound(Sync, Recorder(), Call(cid="abc", service="crm.sync"))
    assert service.environ == {}


def test_channel_is_text_and_more() -> None:
    """`self.channel` equals its type; `self.chan` is the same."""
    service = bound(Sync, Recorder())
    assert isinstance(service.channel, Channel)
    assert (service.channel, service.channel.type, service.channel.name) == ("rest", "rest", "/orders")
    assert service.chan == service.channel


def test_logger_adds_what_the_line_belongs_to(caplog: pytest.LogCaptureFixture) -> None:
    """Arguments are put in as `%`-style, and a caller's own extras stay."""
    with caplog.at_level("INFO"):
        bound(Sync, Recorder()).logger.info("%d of %s", 1, "two", extra={"order": 17})
    (record,) = caplog.records
    told = (record.getMessage(), record.name, *(getattr(record, key) for key in ("cid", "service", "channel", "order")))
    assert told == ("1 of two", "crm.sync", "abc", "crm.sync", "rest", 17)


def test_invoke_hands_on_the_context(invoked: Any) -> None:
    """The target runs under the caller's CID and environ, and knows who waits for it."""
    runtime = Recorder({"x": 1})
    result = invoked("invoke", runtime, "crm.other", [1], "ch", "xml", "tr", timeout=3)
    ((call, timeout),) = runtime.asked

    assert (result, timeout) == ({"x": 1}, 3)
    assert (call.cid, call.service, call.payload, call.raw) == ("abc", "crm.other", [1], [1])
    assert (call.channel, call.data_format, call.transport, call.environ) == ("ch", "xml", "tr", {"k": "v"})
    assert call.chain == ("crm.first", "crm.sync")


def test_keyword_arguments_become_the_payload(invoked: Any) -> None:
    """What is no option is input, if there is no other."""
    runtime = Recorder()
    invoked("invoke", runtime, "crm.other", customer=7)
    invoked("invoke", runtime, "crm.other", "given", customer=7)
    assert [call.payload for call, _ in runtime.asked] == [{"customer": 7}, "given"]


def test_arguments_beside_a_payload_are_not_dropped_in_silence(invoked: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A warning names what has no effect."""
    invoked("invoke", Recorder(), "crm.other", "given", customer=7, amount=1)
    assert [record.getMessage() for record in caplog.records] == [
        "A payload was given, so invoke ignores the arguments amount, customer"
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, {"a": [1]}, id="as-it-is"),
        pytest.param({"serialize": True}, '{"a":[1]}', id="as-text"),
        pytest.param({"as_bunch": True}, {"a": [1]}, id="as-bunch"),
    ],
)
def test_form_of_a_response(invoked: Any, options: dict[str, Any], expected: object) -> None:
    """The caller chooses between values, text, and dicts with attributes."""
    result = invoked("invoke", Recorder({"a": [1]}), "crm.other", **options)
    assert (result, hasattr(result, "a")) == (expected, "as_bunch" in options)


def test_timeout_is_raised_unless_unwanted(invoked: Any) -> None:
    """With `raise_timeout=False` a late answer is None."""
    late = Recorder(error=InvocationTimeout("Too late."))
    with pytest.raises(InvocationTimeout, match="Too late"):
        invoked("invoke", late, "crm.other", timeout=1)
    assert invoked("invoke", late, "crm.other", timeout=1, raise_timeout=False) is None


def test_background_call_has_everything_it_was_given(invoked: Any) -> None:
    """Each option arrives where the publisher looks for it."""
    runtime = Recorder()
    given: dict[str, Any] = {"cid": "mine", "expiration": 5, "environ": {"e": 1}, "delay": 2, "idempotency_key": "k"}
    given |= {"time_limit": 0, "priority": "high", "queue": "bulk"}
    cid = invoked("invoke_async", runtime, "crm.other", {"a": 1}, "ch", "xml", "tr", retry=3, **given)
    (call,) = runtime.asked

    assert (cid, call.service, call.payload, call.parent) == ("new-cid", "crm.other", {"a": 1}, "abc")
    assert (call.channel, call.data_format, call.transport) == ("ch", "xml", "tr")
    assert {name: getattr(call, name) for name in given} == given
    assert (call.retry.attempts, call.callback, call.on_failure) == (3, None, ())


def test_background_call_by_default(invoked: Any) -> None:
    """Without options it runs once, at once, and for ever if need be."""
    runtime = Recorder()
    invoked("invoke_async", runtime, "crm.other")
    (call,) = runtime.asked
    assert (call.payload, call.channel, call.retry, call.expiration) == ("", "invoke-async", None, None)


def test_many_calls(invoked: Any) -> None:
    """Pairs and dicts become calls as single ones do, in their order, and so do their CIDs."""
    runtime = Recorder()
    items = [("a", 1), (Sync, [2]), {"name": "c", "delay": 3, "callback": Sync, "retry": 2, "zato_ctx": {}}]
    cids = invoked("invoke_async_many", runtime, iter(items))

    assert cids == ["new-cid-0", "new-cid-1", "new-cid-2"]
    assert [(call.service, call.payload, call.parent) for call in runtime.asked] == [
        ("a", 1, "abc"),
        ("crm.sync", [2], "abc"),
        ("c", "", "abc"),
    ]
    assert (runtime.asked[2].delay, runtime.asked[2].callback) == (3, ("crm.sync",))
    assert [call.retry and call.retry.attempts for call in runtime.asked] == [None, None, 2]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param("b", "Item 2: 'b' is neither a pair", id="name-alone"),
        pytest.param({"name": "b", "dealy": 1}, "Item 2: There is no option 'dealy'. Did you mean", id="option"),
        pytest.param({"name": 7}, "Item 2: A service is named by its name or its class, not by 7", id="no-service"),
        pytest.param({"name": "b", "retry": 0}, "Item 2: Retry(attempts=0", id="retry"),
    ],
)
def test_many_calls_with_one_that_is_not_legal(invoked: Any, item: object, message: str) -> None:
    """None is made, and the error says which one it was."""
    runtime = Recorder()
    with pytest.raises(BadRequest) as caught:
        invoked("invoke_async_many", runtime, [("a", 1), item])
    assert message in str(caught.value)
    assert runtime.asked == []


@pytest.mark.parametrize("kind", [Sync, SyncLater])
def test_lock(kind: type[ServiceBase]) -> None:
    """It is called as the service unless it is named, and ends its wait with the call."""
    runtime = Recorder()
    service = bound(kind, runtime)
    service.lock()
    service.lock("mine", expires=5, timeout=0)

    assert runtime.asked == [
        (LockWish("crm.sync", 20, 10, "crm.sync"), CALL.stop),
        (LockWish("mine", 5, 0, "crm.sync"), CALL.stop),
    ]
    with pytest.raises(BadRequest, match="timeout=-1 is not legal"):
        service.lock(timeout=-1)


def test_payload_as_json_text(invoked: Any) -> None:
    """With `to_json_string` the target gets text."""
    runtime = Recorder()
    invoked("invoke_async", runtime, "crm.other", {"a": [1]}, to_json_string=True)
    assert runtime.asked[0].payload == '{"a":[1]}'


@pytest.mark.parametrize(
    ("target", "names"),
    [
        pytest.param("crm.other", ("crm.other",), id="name"),
        pytest.param(Sync, ("crm.sync",), id="class"),
        pytest.param(["crm.other", Sync], ("crm.other", "crm.sync"), id="list"),
        pytest.param((Sync,), ("crm.sync",), id="tuple"),
        pytest.param([], (), id="none-at-all"),
    ],
)
def test_callbacks_are_named_in_many_ways(invoked: Any, target: object, names: tuple[str, ...]) -> None:
    """A name, a class, or several of these."""
    runtime = Recorder()
    invoked("invoke_async", runtime, "crm.other", callback=target, on_failure=target)
    assert (runtime.asked[0].callback, runtime.asked[0].on_failure) == (names, names)


def test_service_may_name_itself() -> None:
    """`self` stands for the service that runs, as target and as callback."""
    runtime = Recorder()
    service = bound(Sync, runtime)
    service.invoke_async(service, callback=service)
    assert (runtime.asked[0].service, runtime.asked[0].callback) == ("crm.sync", ("crm.sync",))


@pytest.mark.parametrize("target", [None, 17, ["crm.other"], object])
def test_target_that_is_no_service_is_refused(invoked: Any, target: object) -> None:
    """The message says what a service is named by, and what was given."""
    with pytest.raises(BadRequest, match=r"A service is named by its name or its class, not by "):
        invoked("invoke", Recorder(), target)


@pytest.mark.parametrize("callback", [17, [None], [17], [["crm.other"]]])
def test_callback_that_is_no_service_is_refused(invoked: Any, callback: object) -> None:
    """Nothing is stored for a callback that cannot be meant."""
    runtime = Recorder()
    with pytest.raises(BadRequest, match=r"A service is named by its name or its class, not by "):
        invoked("invoke_async", runtime, "crm.other", callback=callback)
    assert runtime.asked == []


def test_service_sees_that_it_should_stop() -> None:
    """`self.cancelled` follows the call's sign, and so does that of a service that it invokes."""
    runtime, call = Recorder(), Call(cid="abc", service="crm.sync")
    service, before = bound(Sync, runtime, call), bound(Sync, runtime, call).cancelled
    service.invoke("crm.other")
    ((nested, _),) = runtime.asked
    call.stop.set()
    assert (before, service.cancelled, bound(Sync, runtime, nested).cancelled) == (False, True, True)


@pytest.mark.parametrize("retry", ["often", -1, True])
def test_retry_that_makes_no_sense_is_refused(invoked: Any, retry: object) -> None:
    """Nothing is stored, and the caller is told."""
    runtime = Recorder()
    with pytest.raises(BadRequest, match=r"(?i)retry"):
        invoked("invoke_async", runtime, "crm.other", retry=retry)
    assert runtime.asked == []


def test_misspelt_option_of_a_background_call_is_refused(invoked: Any) -> None:
    """There is no silent `**kwargs`."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'calback'"):
        invoked("invoke_async", Recorder(), "crm.other", calback="crm.sync")
