"""How a service runs: which hooks it has, what it declares, which of its methods handles a call.

Found out once, at deployment; a class that has nothing of all this is run by calling its `handle` and no more.
Blocking services and those on the event loop go through the same stages; the latter await what a stage returns.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any

from zato.core.call import REST, Call
from zato.core.elements import Contract, contract_of
from zato.core.errors import MethodNotAllowed, ServiceDefinitionError
from zato.core.exchange import Response
from zato.server.service import AsyncService, Service, ServiceBase

__all__ = ["VERBS", "Plan", "has_handle", "run_blocking", "run_on_loop"]

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BEFORE = ("before_handle", "validate_input")
AFTER = ("validate_output", "after_handle")
HOOKS = ("accept", *BEFORE, *AFTER, "finalize_handle")

# What a stage hands over: what a method of the service returned, to be awaited if it can be. It gets back what came
# of it.
Stages = Generator[Any, Any, Response]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one class of services runs.

    Attributes:
        contract: what it declares of its input and output.
        before: the hooks it has before its handler, after `accept`, in order.
        after: the hooks it has after its handler, before `finalize_handle`, in order.
        verbs: names of the methods that handle an HTTP method each, by HTTP method.
        has_handle: whether it has a `handle`, too.
        has_stages: whether there is more to call than `handle`.
        declares: whether its input or output is declared.
    """

    contract: Contract
    accepts: bool
    before: tuple[str, ...]
    after: tuple[str, ...]
    finalizes: bool
    verbs: dict[str, str]
    has_handle: bool
    has_stages: bool
    declares: bool

    @classmethod
    def of(cls, kind: type[ServiceBase]) -> "Plan":
        """Return how a class runs.

        Raises:
            ServiceDefinitionError: what it declares is not legal, or a method is of the wrong kind.
        """
        contract = contract_of(kind)
        hooks = [hook for hook in HOOKS if getattr(kind, hook) is not getattr(ServiceBase, hook)]
        verbs = {verb: method for verb in VERBS if (method := _handler_of(kind, verb))}
        for method in (*hooks, *verbs.values()):
            _check_callable(kind, method)
            _check_kind(kind, method)
        return cls(
            contract=contract,
            accepts="accept" in hooks,
            before=tuple(hook for hook in BEFORE if hook in hooks),
            after=tuple(hook for hook in AFTER if hook in hooks),
            finalizes="finalize_handle" in hooks,
            verbs=verbs,
            has_handle=has_handle(kind),
            has_stages=bool(hooks or verbs),
            declares=contract.has_input or contract.has_output,
        )

    def handler(self, service: ServiceBase) -> Callable[[], Any]:
        """Return the method that handles the call of an instance.

        At the service's own address the HTTP method chooses; everywhere else it is `handle`, or else what handles
        a POST, or else the only one there is.

        Raises:
            MethodNotAllowed: none of them fits.
        """
        method = _method_of(service._call)
        name = self.verbs.get(method) if method else None
        if name is None:
            name = "handle" if self.has_handle else None if method else self._without_method()
        if name is None:
            raise self._refusal(service.name, method)
        return getattr(service, name)  # type: ignore[no-any-return]

    def _without_method(self) -> str | None:
        """Return what handles a call for which no HTTP method speaks."""
        names = {*self.verbs.values()}
        return self.verbs.get("POST") or (names.pop() if len(names) == 1 else None)

    def _refusal(self, name: str, method: str) -> MethodNotAllowed:
        allowed = tuple(self.verbs)
        if method:
            return MethodNotAllowed.allowing(f"The service {name!r}", method, allowed)
        return MethodNotAllowed(
            f"The service {name!r} has no 'handle' for calls that come another way than {' and '.join(allowed)} at its "
            f"own address, /zato/api/invoke/{name}."
        )


def has_handle(kind: type[ServiceBase]) -> bool:
    """Tell whether a class, or one that it inherits from, says what to do with a call that has no HTTP method."""
    return getattr(kind, "handle", None) not in (Service.handle, AsyncService.handle, None)


def run_blocking(service: Service, plan: Plan) -> Response:
    """Run a service that blocks, and return its response."""
    if not plan.has_stages:
        if plan.declares:
            service._read(plan.contract)
        return _answered(service, plan, service.handle())
    stages, came = _stages(service, plan), None
    try:
        while True:
            came = stages.send(came)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def run_on_loop(service: AsyncService, plan: Plan) -> Response:
    """Run a service on the event loop, and return its response."""
    if not plan.has_stages:
        if plan.declares:
            service._read(plan.contract)
        return _answered(service, plan, await service.handle())
    stages = _stages(service, plan)
    try:
        returned = next(stages)
        while True:
            try:
                came = await returned if isinstance(returned, Awaitable) else returned
            except BaseException as error:
                returned = stages.throw(error)
            else:
                returned = stages.send(came)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _stages(service: ServiceBase, plan: Plan) -> Stages:
    """Go through the stages of one call. What a hook raises is raised here, as what `handle` raises is.

    `finalize_handle` runs however the others end, as in a `finally`: if it raises too, the caller gets its error, and
    the log has both.
    """
    handler = plan.handler(service)
    service._read(plan.contract)
    if plan.accepts and (yield service.accept()) is False:
        service.logger.info("%s does not accept this call, so it does not run", service.name)
        return Response()
    try:
        for hook in plan.before:
            yield getattr(service, hook)()
        try:
            returned = yield handler()
        finally:
            service._returned = time.time()
        if returned is not None:
            service.response.payload = returned
        for hook in plan.after:
            yield getattr(service, hook)()
    finally:
        if plan.finalizes:
            yield service.finalize_handle()
    return _answered(service, plan, None)


def _answered(service: ServiceBase, plan: Plan, returned: Any) -> Response:
    """Return the response: what the handler returned, if anything, is its payload, and what is declared leaves."""
    response = service.response
    if returned is not None:
        response.payload = returned
    if plan.contract.has_output:
        response.payload = plan.contract.written(response.payload, service._warn)
    return response


def _handler_of(kind: type[ServiceBase], verb: str) -> str | None:
    """Return the method of a class that handles an HTTP method. A HEAD is a GET whose answer nobody looks at."""
    wanted = (verb, "GET") if verb == "HEAD" else (verb,)
    return next((f"handle_{each}" for each in wanted if hasattr(kind, f"handle_{each}")), None)


def _method_of(call: Call) -> str:
    """Return the HTTP method by which a service was addressed, or an empty text if it was not."""
    return call.http().method if call.channel == REST and call.http is not None else ""


def _check_callable(kind: type[ServiceBase], method: str) -> None:
    """Refuse what only has the name of a hook or handler: it could never be called as one."""
    given = getattr(kind, method)
    has_no_self = isinstance(inspect.getattr_static(kind, method), classmethod | staticmethod)
    try:
        inspect.signature(given).bind(*(() if has_no_self else (None,)))
    except TypeError as error:
        raise ServiceDefinitionError(
            f"{kind.__name__}.{method}: the server calls what has this name with nothing but self, and that fails: "
            f"{error}. If it is no hook, give it another name."
        ) from error
    except ValueError:
        return


def _check_kind(kind: type[ServiceBase], method: str) -> None:
    """Refuse a coroutine where nobody would await it, and a handler on the loop that would block it."""
    is_coroutine = inspect.iscoroutinefunction(getattr(kind, method))
    if is_coroutine and not issubclass(kind, AsyncService):
        raise ServiceDefinitionError(
            f"{kind.__name__}.{method} is a coroutine. Subclass AsyncService instead of Service."
        )
    if method in {f"handle_{verb}" for verb in VERBS} and issubclass(kind, AsyncService) and not is_coroutine:
        raise ServiceDefinitionError(
            f"{kind.__name__}.{method} is no coroutine. Write 'async def {method}', or subclass Service."
        )
