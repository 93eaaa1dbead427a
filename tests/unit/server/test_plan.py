"""The stages of a call: hooks in their order, the method that handles it, input and output as declared."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from zato.core.call import REST, Call, HTTPInfo
from zato.core.errors import BadRequest, Conflict, MethodNotAllowed, ServiceDefinitionError
from zato.core.runtime import Runtime
from zato.server.plan import Plan, has_handle, run_blocking, run_on_loop
from zato.server.service import AsyncService, Response, Service, ServiceBase

ORDER = ["accept", "before_handle", "validate_input", "handle", "validate_output", "after_handle", "finalize_handle"]
NO_RUNTIME = cast(Runtime, None)


class Hooked(Service):
    """Has every hook, and does in each what its input says."""

    name = "hooked"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def _at(self, stage: str) -> Any:
        self.seen.append(stage)
        asked = self.request.payload.get(stage)
        if isinstance(asked, Exception):
            raise asked
        return asked

    def accept(self) -> Any:
        return self._at("accept")

    def before_handle(self) -> None:
        self._at("before_handle")

    def validate_input(self) -> None:
        self._at("validate_input")

    def handle(self) -> Any:
        return self._at("handle")

    def validate_output(self) -> None:
        self._at("validate_output")

    def after_handle(self) -> None:
        self._at("after_handle")

    def finalize_handle(self) -> None:
        self._at("finalize_handle")


class HookedOnLoop(AsyncService):
    """The same on the event loop; some hooks are coroutines, and some are not."""

    name = "hooked-on-loop"

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def _at(self, stage: str) -> Any:
        await asyncio.sleep(0)
        return Hooked._at(cast(Hooked, self), stage)

    async def accept(self) -> Any:
        return await self._at("accept")

    def before_handle(self) -> None:
        Hooked._at(cast(Hooked, self), "before_handle")

    async def validate_input(self) -> None:
        await self._at("validate_input")

    async def handle(self) -> Any:
        return await self._at("handle")

    async def validate_output(self) -> None:
        await self._at("validate_output")

    def after_handle(self) -> None:
        Hooked._at(cast(Hooked, self), "after_handle")

    async def finalize_handle(self) -> None:
        await self._at("finalize_handle")


class Verbs(Service):
    name = "verbs"

    def handle_GET(self) -> str:  # noqa: N802 -- the name that older services use
        return "got"

    def handle_PUT(self) -> str:  # noqa: N802 -- as above
        return "put"


class VerbsAndHandle(Verbs):
    name = "verbs-and-handle"

    def handle(self) -> str:
        return "handled"


class OnlyGet(Service):
    name = "only-get"

    def handle_GET(self) -> str:  # noqa: N802 -- as above
        return "got"


class AlsoPosts(Verbs):
    name = "also-posts"

    def handle_POST(self) -> str:  # noqa: N802 -- as above
        return "posted"


class Doubles(Service):
    name = "doubles"
    input = "customer_id", "-note"
    output = "customer_id", "-note"

    def handle(self) -> Any:
        return {"customer_id": self.request.input.customer_id * 2, "note": self.request.input.note}


BOTH = pytest.mark.parametrize("kind", [Hooked, HookedOnLoop], ids=["blocking", "on-loop"])


def bound(kind: type[ServiceBase], payload: Any, method: str = "") -> ServiceBase:
    """Return an instance with a call to run, through its own address if there is a method."""
    http = (lambda: HTTPInfo(method=method)) if method else None
    service = kind()
    channel = REST if method else "invoke"
    service._bind(Call(cid="c", service=kind.get_name(), payload=payload, channel=channel, http=http), NO_RUNTIME)
    return service


def run(service: ServiceBase) -> Response:
    """Run a service as the dispatcher does."""
    plan = Plan.of(type(service))
    if isinstance(service, AsyncService):
        return asyncio.run(run_on_loop(service, plan))
    assert isinstance(service, Service)
    return run_blocking(service, plan)


@BOTH
def test_order_of_hooks(kind: Callable[[], Any]) -> None:
    """Each is called once, in the order that is documented, and the handler's result is the response."""
    service = bound(cast(type[ServiceBase], kind), {"accept": True, "handle": "answer"})
    assert (run(service).payload, cast(Hooked, service).seen) == ("answer", ORDER)


@BOTH
def test_call_that_is_not_accepted(kind: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing else is called, there is no output, and the log says why."""
    caplog.set_level("INFO")
    service = bound(cast(type[ServiceBase], kind), {"accept": False})
    assert (run(service).payload, cast(Hooked, service).seen) == (None, ["accept"])
    assert caplog.messages == [f"{service.name} does not accept this call, so it does not run"]


@BOTH
def test_accept_that_returns_nothing(kind: Callable[[], Any]) -> None:
    """Only False refuses: a hook whose author forgot to return loses no call."""
    service = bound(cast(type[ServiceBase], kind), {"accept": None, "handle": "answer"})
    assert run(service).payload == "answer"


@BOTH
@pytest.mark.parametrize("stage", ORDER)
def test_what_a_hook_raises(kind: Callable[[], Any], stage: str) -> None:
    """The caller gets it, what would have come next does not run, and `finalize_handle` does."""
    service = bound(cast(type[ServiceBase], kind), {stage: Conflict("no")})
    with pytest.raises(Conflict, match="no"):
        run(service)
    expected = ORDER[: ORDER.index(stage) + 1]
    if stage not in ("accept", "finalize_handle"):
        expected.append("finalize_handle")
    assert cast(Hooked, service).seen == expected


@BOTH
def test_error_of_the_last_hook_hides_no_other(kind: Callable[[], Any]) -> None:
    """Both are in the traceback, as with a `finally`."""
    service = bound(cast(type[ServiceBase], kind), {"handle": ValueError("first"), "finalize_handle": Conflict("last")})
    with pytest.raises(Conflict, match="last") as caught:
        run(service)
    assert str(caught.value.__context__) == "first"


def test_cancelled_on_the_loop() -> None:
    """The last hook runs, and the cancellation goes on."""

    class Waits(HookedOnLoop):
        async def handle(self) -> None:
            began.set()
            await asyncio.sleep(30)

    began = asyncio.Event()

    async def scenario() -> None:
        running = asyncio.create_task(run_on_loop(cast(AsyncService, service), Plan.of(Waits)))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    service = bound(Waits, {})
    asyncio.run(scenario())
    assert cast(Hooked, service).seen[-1] == "finalize_handle"


@pytest.mark.parametrize(
    ("kind", "method", "answer"),
    [
        pytest.param(Verbs, "GET", "got", id="get"),
        pytest.param(Verbs, "HEAD", "got", id="head-is-a-get"),
        pytest.param(Verbs, "PUT", "put", id="put"),
        pytest.param(VerbsAndHandle, "PUT", "put", id="verb-before-handle"),
        pytest.param(VerbsAndHandle, "DELETE", "handled", id="handle-for-the-others"),
        pytest.param(VerbsAndHandle, "", "handled", id="handle-without-a-method"),
        pytest.param(OnlyGet, "", "got", id="the-only-one-without-a-method"),
        pytest.param(AlsoPosts, "", "posted", id="post-without-a-method"),
    ],
)
def test_method_that_handles(kind: type[ServiceBase], method: str, answer: str) -> None:
    """The HTTP method chooses at the service's own address; elsewhere `handle`, a POST, or the only one does."""
    assert run(bound(kind, "", method)).payload == answer


@pytest.mark.parametrize(
    ("method", "message"),
    [
        pytest.param("POST", "The service 'verbs' takes GET and HEAD and PUT, not POST.", id="another-method"),
        pytest.param("", "The service 'verbs' has no 'handle' for calls that come another way", id="no-method"),
    ],
)
def test_method_that_nothing_handles(method: str, message: str) -> None:
    """The refusal has what is allowed."""
    with pytest.raises(MethodNotAllowed, match=message):
        run(bound(Verbs, "", method))


def test_allowed_methods_are_for_programs_too() -> None:
    """They become the header Allow."""
    with pytest.raises(MethodNotAllowed) as caught:
        run(bound(Verbs, "", "POST"))
    assert caught.value.allowed == ("GET", "HEAD", "PUT")


def test_declared_input_and_output() -> None:
    """What comes in is converted before the hooks, and what goes out after them."""
    assert run(bound(Doubles, {"customer_id": "21", "note": "n"})).payload == {"customer_id": 42, "note": "n"}


def test_input_that_is_not_as_declared() -> None:
    """The service does not run."""
    with pytest.raises(BadRequest, match=r"^Element missing: customer_id$"):
        run(bound(Doubles, {}))


def test_call_not_accepted_needs_no_output() -> None:
    """A required element of the output is for those that ran."""

    class Picky(Doubles):
        name = "picky"

        def accept(self) -> bool:
            return False

    assert run(bound(Picky, {"customer_id": 1})).payload is None


def test_class_without_hooks_has_no_stages() -> None:
    """It costs a call of `handle` and no more."""

    class Plain(Service):
        def handle(self) -> None: ...

    plan = Plan.of(Plain)
    assert (plan.has_stages, Plan.of(Hooked).has_stages, Plan.of(Doubles).has_stages) == (False, True, False)
    assert (plan.declares, Plan.of(Doubles).declares) == (False, True)
    assert (has_handle(Plain), has_handle(Verbs)) == (True, False)


@pytest.mark.parametrize("method", ["accept", "validate_output", "handle_GET"])
def test_coroutine_that_nobody_would_await(method: str) -> None:
    """A blocking service has no coroutines."""

    async def coroutine(self: object) -> None: ...

    kind = type("Wrong", (Service,), {method: coroutine})
    with pytest.raises(ServiceDefinitionError, match=rf"Wrong\.{method} is a coroutine\. Subclass AsyncService"):
        Plan.of(kind)


def test_handler_that_would_block_the_loop() -> None:
    """On the event loop what handles a method is a coroutine."""
    kind = type("Wrong", (AsyncService,), {"handle_GET": lambda self: None})
    with pytest.raises(ServiceDefinitionError, match=r"Wrong\.handle_GET is no coroutine\. Write 'async def"):
        Plan.of(kind)


def test_method_is_refused_before_the_input() -> None:
    """Whoever used the wrong method learns that, and not what would be wrong with the payload of another one."""

    class Posts(HookedOnLoop):
        input = "customer_id"
        handle = AsyncService.handle

        async def handle_POST(self) -> None: ...  # noqa: N802 -- as above

    service = bound(Posts, {}, "GET")
    with pytest.raises(MethodNotAllowed, match=r"takes POST, not GET"):
        run(service)
    assert cast(Hooked, service).seen == []


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        pytest.param("accept", True, "True is not a callable object", id="no-method"),
        pytest.param("validate_input", lambda self, data: data, "missing a required argument: 'data'", id="argument"),
        pytest.param("handle_GET", lambda: None, "too many positional arguments", id="no-self"),
    ],
)
def test_what_only_has_the_name_of_a_hook(method: str, given: object, why: str) -> None:
    """It would fail at each call, so it is told at deployment."""
    kind = type("Wrong", (Service,), {"handle": lambda self: None, method: given})
    with pytest.raises(ServiceDefinitionError, match=rf"^Wrong\.{method}: .*{why}\. If it is no hook, give it another"):
        Plan.of(kind)


@pytest.mark.parametrize("hook", [staticmethod(lambda: None), classmethod(lambda cls: None), lambda self, *more: None])
def test_hooks_that_can_be_called(hook: object) -> None:
    """However a method is written, what can be called with nothing but self is a hook."""
    kind = type("Right", (Service,), {"handle": lambda self: "done", "before_handle": hook})
    assert run(bound(kind, {})).payload == "done"
