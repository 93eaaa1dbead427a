"""What both kinds of services have: the attributes while `handle` runs, and how their calls are put together."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zato.core.attrdict import as_attributes
from zato.core.call import AsyncCall, Call
from zato.core.elements import Contract
from zato.core.errors import BadRequest
from zato.core.exchange import Channel, Request, Response
from zato.core.invocation import Priority
from zato.core.lock import LockWish
from zato.core.many import fields_of, items_of, numbered
from zato.core.names import impl_name, service_name
from zato.core.payload import to_text
from zato.core.retry import Retry
from zato.core.runtime import Runtime
from zato.server.service.surroundings import Surroundings

__all__ = ["SHADOW_PACKAGE", "Item", "ServiceBase", "Target", "Targets", "shaped"]

# Files of the services folder whose stem is the name of an installed module are loaded below this one.
SHADOW_PACKAGE = "zato_services."
# What an item of `invoke_async_many` may have: the arguments of `invoke_async`.
ITEM = (
    "name",
    "payload",
    "channel",
    "data_format",
    "transport",
    "expiration",
    "to_json_string",
    "cid",
    "callback",
    "zato_ctx",
    "environ",
    "on_failure",
    "delay",
    "retry",
    "time_limit",
    "idempotency_key",
    "priority",
    "queue",
)


class ServiceBase(Surroundings):
    """What both kinds of services have. Subclass `Service` or `AsyncService`.

    Attributes:
        input: set it on the class to declare the input: names, types, or a model. See the docs on input and output.
            With an annotation instead, as `input: Customer`, it is the converted input while `handle` runs.
        output: set it on the class to declare the output, in the same ways.
        SimpleIO: a class inside the class is the older way to declare both.
        name: what the service is deployed under. Set it on the class to choose it.
        retry: set it on the class to have background calls of the service tried again when they fail: how
            often, or a `Retry`. A call's own `retry=` wins.
        time_limit: set it on the class to limit the seconds that one run may take. A background call's own
            `time_limit=` wins.
        max_concurrency: set it on the class to limit how many background calls of the service run at once in
            the whole cluster. Other calls are not counted.
        priority: set it on the class to have its background calls start before others, or after them:
            `'high'`, `'normal'` or `'low'`. A call's own `priority=` wins.
        queue: set it on the class to put its background calls into a queue. A call's own `queue=` wins.
        cid: the correlation ID this invocation runs under.
        in_reply_to: in a callback, the CID of the call it answers; else None.
        request: what the service was invoked with.
        response: what it answers; the return value of `handle`, if not None, replaces its payload.
        environ: a dict handed on by the caller's `environ=`.
    """

    input: Any = None
    output: Any = None
    SimpleIO: Any = None
    name: str = ""
    retry: Retry | Mapping[str, Any] | int | None = None
    time_limit: float | None = None
    max_concurrency: int | None = None
    priority: Priority | str | None = None
    queue: str | None = None

    in_reply_to: str | None
    impl_name: str
    data_format: str
    transport: str | None
    environ: dict[str, Any]

    @classmethod
    def get_name(cls) -> str:
        """Return the name the service is deployed under."""
        own: Any = cls.__dict__.get("name")
        return own or service_name(_module_of(cls), cls.__name__)

    @classmethod
    def get_impl_name(cls) -> str:
        """Return the name of the implementation: module and class."""
        return impl_name(_module_of(cls), cls.__name__)

    @property
    def channel(self) -> Channel:
        """The door the call came through."""
        return Channel(self._call.channel, self._call.channel_name)

    @property
    def chan(self) -> Channel:
        """The same as `channel`."""
        return self.channel

    @property
    def cancelled(self) -> bool:
        """Whether to stop: the call was cancelled, its time is up, or the server gives it back.

        A blocking service that takes long looks here now and then, and returns; what it returns is not
        recorded. An `AsyncService` is cancelled besides: `asyncio.CancelledError` is raised where it waits.
        """
        return self._call.stop.is_set

    def accept(self) -> Any:
        """Hook, the first: return False to leave the call alone. It is done then, without a response."""
        return True

    def before_handle(self) -> Any:
        """Hook: called before anything else, once the call is accepted."""

    def validate_input(self) -> Any:
        """Hook: called before `handle`, to raise `BadRequest` for instance. `self.request.input` is converted."""

    def validate_output(self) -> Any:
        """Hook: called after `handle`; `self.response.payload` has what it returned, if it did."""

    def after_handle(self) -> Any:
        """Hook: called after `validate_output`."""

    def finalize_handle(self) -> Any:
        """Hook, the last: called for every call that was accepted, however it ends, as a `finally` is."""

    def _bind(self, call: Call, runtime: Runtime) -> None:
        """Give the instance everything it has while `handle` runs."""
        self._call = call
        self._runtime = runtime
        self.name = call.service
        self.cid = call.cid
        self.in_reply_to = call.in_reply_to
        self.impl_name = self.get_impl_name()
        self.data_format = call.data_format
        self.transport = call.transport
        self.environ = {} if call.environ is None else call.environ
        self.request = Request(call)
        self.response = Response()
        self._began = time.time()

    def _read(self, contract: Contract) -> None:
        """Convert the input, and prepare the output, as the class declares them.

        Raises:
            BadRequest: the input is not what is declared.
        """
        self._contract = contract
        if contract.has_input:
            self.request._read_input(contract)
            if contract.annotated_input:
                self.input = self.request.input
        if contract.has_output:
            self.response.payload = contract.blank()

    def _call_of(self, target: "Target", payload: Any, extra: dict[str, Any], **how: Any) -> Call:
        if extra and payload != "":
            self.logger.warning("A payload was given, so invoke ignores the arguments %s", ", ".join(sorted(extra)))
        given = extra if extra and payload == "" else payload
        call = self._call
        return Call(
            cid=call.cid,
            service=_name_of(target),
            payload=given,
            raw=given,
            environ=call.environ,
            chain=(*call.chain, call.service),
            stop=call.stop,
            **how,
        )

    def _async_call_of(
        self,
        target: "Target",
        payload: Any = "",
        *,
        to_json_string: bool = False,
        callback: "Targets | None" = None,
        on_failure: "Targets | None" = None,
        retry: object = None,
        **options: Any,
    ) -> AsyncCall:
        return AsyncCall(
            service=_name_of(target),
            payload=to_text(payload, what="payload") if to_json_string else payload,
            caller=self.name,
            parent=self.cid,
            callback=None if callback is None else _names_of(callback),
            on_failure=() if on_failure is None else _names_of(on_failure),
            retry=None if retry is None else Retry.of(retry),
            **options,
        )

    def _async_calls_of(self, items: object) -> Iterator[AsyncCall]:
        for number, item in enumerate(items_of(items), 1):
            with numbered(number):
                fields = fields_of(item, ITEM)
                fields.pop("zato_ctx", None)
                call = self._async_call_of(fields.pop("name"), **fields)
            yield call

    def _lock_wish(self, name: object, expires: object, timeout: object) -> LockWish:
        return LockWish.of(name, expires, timeout, service=self.name)


Target = str | type[ServiceBase] | ServiceBase
Targets = Target | Iterable[Target]
Item = tuple[Target, Any] | Mapping[str, Any]


def shaped(response: Response, serialize: bool, as_bunch: bool) -> Any:
    """Return a response in the form its caller asked for."""
    if serialize:
        return to_text(response.payload)
    return as_attributes(response.payload) if as_bunch else response.payload


def _name_of(target: Target) -> str:
    if isinstance(target, str):
        return target
    if isinstance(target, ServiceBase):
        return target.name
    given: object = target
    if isinstance(given, type) and issubclass(given, ServiceBase):
        return given.get_name()
    raise BadRequest(f"A service is named by its name or its class, not by {target!r:.100}.")


def _names_of(targets: Targets) -> tuple[str, ...]:
    if isinstance(targets, str | type | ServiceBase) or not isinstance(targets, Iterable):
        return (_name_of(targets),)
    return tuple(_name_of(target) for target in targets)


def _module_of(cls: type) -> str:
    return cls.__module__.removeprefix(SHADOW_PACKAGE)
