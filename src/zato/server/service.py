"""What users subclass.

A `Service` blocks and runs on a thread; an `AsyncService` runs on the event loop. Both have the same
attributes while `handle` runs. How calls travel is the business of `zato.server.dispatcher` and
`zato.server.publisher`, which a service reaches through its `Runtime`.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from zato.core.attrdict import as_attributes
from zato.core.call import AsyncCall, Call
from zato.core.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvocationTimeout,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnknownService,
    ZatoError,
)
from zato.core.exchange import Channel, Request, Response, ServiceLogger
from zato.core.names import impl_name, service_name
from zato.core.payload import to_text
from zato.core.retry import Retry
from zato.core.runtime import Runtime

__all__ = [
    "AsyncService",
    "BadRequest",
    "Channel",
    "Conflict",
    "Forbidden",
    "InvocationTimeout",
    "MethodNotAllowed",
    "NotFound",
    "Request",
    "Response",
    "Retry",
    "Runtime",
    "Service",
    "ServiceBase",
    "ServiceError",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnknownService",
    "ZatoError",
]

# Files of the services folder whose stem is the name of an installed module are loaded below this one.
SHADOW_PACKAGE = "zato_services."


class ServiceBase:
    """What both kinds of services have. Subclass `Service` or `AsyncService`.

    Attributes:
        name: what the service is deployed under. Set it on the class to choose it.
        retry: set it on the class to have background calls of the service tried again when they fail: how
            often, or a `Retry`. A call's own `retry=` wins.
        time_limit: set it on the class to limit the seconds that one run may take. A background call's own
            `time_limit=` wins.
        cid: the correlation ID this invocation runs under.
        in_reply_to: in a callback, the CID of the call it answers; else None.
        request: what the service was invoked with.
        response: what it answers; the return value of `handle`, if not None, replaces its payload.
        environ: a dict handed on by the caller's `environ=`.
    """

    name: str = ""
    retry: Retry | Mapping[str, Any] | int | None = None
    time_limit: float | None = None

    cid: str
    in_reply_to: str | None
    impl_name: str
    data_format: str
    transport: str | None
    environ: dict[str, Any]
    request: Request
    response: Response
    _call: Call
    _runtime: Runtime

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

    @property
    def logger(self) -> ServiceLogger:
        """A logger that takes `%`-style arguments and adds the CID to each line by itself."""
        extra = {"cid": self.cid, "service": self.name, "channel": self._call.channel}
        return ServiceLogger(logging.getLogger(self.name), extra)

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
        payload: Any,
        *,
        to_json_string: bool,
        callback: "Targets | None",
        on_failure: "Targets | None",
        retry: object,
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


Target = str | type[ServiceBase] | ServiceBase
Targets = Target | Iterable[Target]


class Service(ServiceBase):
    """A service whose `handle` blocks; it runs on a thread."""

    def handle(self) -> Any:
        """Do the work. What it returns, if not None, is the response; else `self.response.payload`."""
        raise NotImplementedError

    def invoke(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke",
        data_format: str = "dict",
        transport: str | None = None,
        serialize: bool = False,
        as_bunch: bool = False,
        timeout: float | None = None,
        raise_timeout: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Run another service now, under the same CID, and return its response.

        Args:
            name: its name, or its class.
            payload: its input.
            channel: what the target sees as `self.channel`.
            data_format: what the target sees as `self.data_format`.
            transport: what the target sees as `self.transport`.
            serialize: return the response as text.
            as_bunch: return dicts whose keys can be read as attributes.
            timeout: seconds to wait; None is for ever. The target's own `time_limit` counts if it is shorter.
            raise_timeout: if not, return None when the time is up.
            **kwargs: become the payload when there is none.

        Raises:
            UnknownService: nothing is deployed under that name.
            RecursiveInvocation: a service invokes itself, or the chain is too deep.
            InvocationTimeout: `timeout` ran out. The target goes on, because a thread cannot be stopped.
            Exception: whatever the target raised.
        """
        call = self._call_of(name, payload, kwargs, channel=channel, data_format=data_format, transport=transport)
        try:
            response = self._runtime.invoke_here(call, timeout)
        except InvocationTimeout:
            if raise_timeout:
                raise
            return None
        return _shaped(response, serialize, as_bunch)

    def invoke_async(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke-async",
        data_format: str = "dict",
        transport: str | None = None,
        expiration: float | None = None,
        to_json_string: bool = False,
        cid: str | None = None,
        callback: Targets | None = None,
        zato_ctx: object = None,
        environ: Mapping[str, Any] | None = None,
        *,
        on_failure: Targets | None = None,
        delay: float | None = None,
        retry: object = None,
        time_limit: float | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Have another service run in the background and return the CID it will have.

        Returns once the call is stored: from then on it runs even if every process is killed.

        Args:
            name: its name, its class, or `self`.
            payload: its input, anything with a JSON form.
            channel: what the target sees as `self.channel`.
            data_format: what the target sees as `self.data_format`.
            transport: what the target sees as `self.transport`.
            expiration: seconds within which it must start; None or 0 is for ever.
            to_json_string: pass the payload on as JSON text.
            cid: the CID to run under, up to 128 printable characters; None makes a new one.
            callback: a service name, class, `self` or a list of these, invoked with the response.
            zato_ctx: accepted for older services; has no effect.
            environ: a dict with a JSON form, the target's `self.environ`.
            on_failure: as `callback`, invoked with a report if the target failed.
            delay: seconds before it may start.
            retry: how often to try, a number or a `Retry`; None leaves it to the target's class.
            time_limit: seconds that one attempt may take, 0 for any; None leaves it to the target's class.
            idempotency_key: a repeat with the same key runs nothing and returns the first one's CID.

        Raises:
            UnknownService: nothing is deployed under the name of the target or of a callback.
            BadRequest: an option is not legal.
            BrokerUnavailable: the call could not be stored. It will not run.
        """
        return self._runtime.publish_here(
            self._async_call_of(
                name,
                payload,
                channel=channel,
                data_format=data_format,
                transport=transport,
                expiration=expiration,
                to_json_string=to_json_string,
                cid=cid,
                callback=callback,
                environ=environ,
                on_failure=on_failure,
                delay=delay,
                retry=retry,
                time_limit=time_limit,
                idempotency_key=idempotency_key,
            )
        )


class AsyncService(ServiceBase):
    """A service whose `handle` is a coroutine; it runs on the event loop, thousands at once."""

    async def handle(self) -> Any:
        """Do the work. What it returns, if not None, is the response; else `self.response.payload`."""
        raise NotImplementedError

    async def invoke(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke",
        data_format: str = "dict",
        transport: str | None = None,
        serialize: bool = False,
        as_bunch: bool = False,
        timeout: float | None = None,
        raise_timeout: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Run another service now, under the same CID, and return its response. See `Service.invoke`."""
        call = self._call_of(name, payload, kwargs, channel=channel, data_format=data_format, transport=transport)
        try:
            response = await self._runtime.invoke(call, timeout)
        except InvocationTimeout:
            if raise_timeout:
                raise
            return None
        return _shaped(response, serialize, as_bunch)

    async def invoke_async(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke-async",
        data_format: str = "dict",
        transport: str | None = None,
        expiration: float | None = None,
        to_json_string: bool = False,
        cid: str | None = None,
        callback: Targets | None = None,
        zato_ctx: object = None,
        environ: Mapping[str, Any] | None = None,
        *,
        on_failure: Targets | None = None,
        delay: float | None = None,
        retry: object = None,
        time_limit: float | None = None,
        idempotency_key: str | None = None,
    ) -> str:
        """Have another service run in the background and return its CID. See `Service.invoke_async`."""
        return await self._runtime.publish(
            self._async_call_of(
                name,
                payload,
                channel=channel,
                data_format=data_format,
                transport=transport,
                expiration=expiration,
                to_json_string=to_json_string,
                cid=cid,
                callback=callback,
                environ=environ,
                on_failure=on_failure,
                delay=delay,
                retry=retry,
                time_limit=time_limit,
                idempotency_key=idempotency_key,
            )
        )


def _shaped(response: Response, serialize: bool, as_bunch: bool) -> Any:
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
