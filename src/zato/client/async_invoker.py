"""`AsyncServiceInvoker`: the contract of `AnyServiceInvoker` for programs that run on asyncio.

Importing it costs nothing: the HTTP library is imported when the first client is made.
"""

import logging
from collections.abc import Iterable
from typing import Any, Self, TypeVar, Unpack, overload

from zato.client.conversation import (
    Headers,
    Item,
    Talk,
    background,
    background_many,
    cancellation,
    invocation,
    outcome,
    repeat,
)
from zato.client.errors import MissingExtra
from zato.client.limits import CONNECT_TIMEOUT, READ_TIMEOUT, Limits
from zato.client.request import (
    NOT_GIVEN,
    BackgroundOptions,
    InvokeOptions,
    ServiceRequest,
    warn_of_unknown,
)
from zato.client.response import AsyncInvokeResponse, ManyInvokeResponse, ResponseOptions, ServiceInvokeResponse
from zato.client.result import InvocationResult

__all__ = ["AsyncServiceInvoker"]

R = TypeVar("R")
T = TypeVar("T")


class AsyncServiceInvoker:
    """Invokes any service of a server from asyncio, as `AnyServiceInvoker` does from threads.

    One client carries any number of calls at a time. It belongs to the event loop of its first call until
    `aclose()`; use it in an `async with`. Awaiting can be cancelled: what was sent before is not taken back, and
    the client stays usable.

    Args:
        address: where the server is, for instance `http://localhost:11223`.
        path: what follows it, as text.
        auth: user and password.
        to_bunch: give the dicts in `data` attribute access to their keys.
        max_response_repr: how many characters of a body the `repr` of a response shows.
        max_cid_repr: how many characters it shows of either end of a CID.
        logger: where debug lines go, without payloads and credentials.
        tls_verify: whether to check certificates, or the path of a file with authorities to trust.
        tls_fingerprint: SHA-256, in hex with or without colons, of the one certificate to accept, whoever signed it
            and for whatever name. No proxy is used then.
        connect_timeout: seconds to wait for a connection, 5 by default, each of the 5 times it is tried.
            None: for ever.
        read_timeout: seconds in which the server may send nothing, 600 by default. None: for ever. A call that
            asks the server to take longer is listened to for longer.
        max_connections: calls beyond this number, 500 by default, wait until one before them is answered.
            0: any number.

    Raises:
        MissingExtra: the HTTP library is not installed.
        InvalidSetting: the fingerprint is no SHA-256 in hex.
    """

    def __init__(
        self,
        address: str,
        path: str,
        auth: tuple[str | bytes, str | bytes] | None = None,
        *,
        to_bunch: bool = False,
        max_response_repr: int = 2500,
        max_cid_repr: int = 5,
        logger: logging.Logger | None = None,
        tls_verify: bool | str = True,
        tls_fingerprint: str | None = None,
        connect_timeout: float | None = CONNECT_TIMEOUT,
        read_timeout: float | None = READ_TIMEOUT,
        max_connections: int = 500,
    ) -> None:
        self.address = address
        self.url = address + path
        self._options = ResponseOptions(to_bunch, max_response_repr, max_cid_repr)
        self._transport = _transport_class()(
            self.url,
            auth=auth,
            tls_verify=tls_verify,
            tls_fingerprint=tls_fingerprint,
            limits=Limits(connect_timeout, read_timeout),
            max_connections=max_connections,
            logger=logger,
        )

    @overload
    async def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        *,
        type: type[T],
        **options: Unpack[InvokeOptions],
    ) -> ServiceInvokeResponse[T]: ...

    @overload
    async def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        *,
        type: Any = None,
        **options: Unpack[InvokeOptions],
    ) -> ServiceInvokeResponse[Any]: ...

    async def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        *,
        type: Any = None,
        **options: Unpack[InvokeOptions],
    ) -> ServiceInvokeResponse[Any]:
        """Invoke a service and await its response; all is as `AnyServiceInvoker.invoke` says."""
        warn_of_unknown(options, method="invoke")
        request = ServiceRequest.of(name, payload, options)
        repeated = options.get("output_repeated", NOT_GIVEN)
        return await self._run(invocation(request, self._options, headers, repeated, type))

    async def invoke_async(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        **options: Unpack[BackgroundOptions],
    ) -> AsyncInvokeResponse:
        """Have a service run in the background; all is as `AnyServiceInvoker.invoke_async` says.

        If awaiting it is cancelled, the call may have been stored; with an `idempotency_key` it can be made again.
        """
        warn_of_unknown(options, method="invoke_async")
        request = ServiceRequest.of(name, payload, options, is_async=True)
        repeated = options.get("output_repeated", NOT_GIVEN)
        return await self._run(background(request, self._options, headers, repeated))

    async def invoke_async_many(self, items: Iterable[Item]) -> ManyInvokeResponse:
        """Have many calls run in the background; all is as `AnyServiceInvoker.invoke_async_many` says."""
        return await self._run(background_many(items, self._options))

    @overload
    async def result(self, cid: str, wait: float = 0, *, type: type[T]) -> InvocationResult[T]: ...

    @overload
    async def result(self, cid: str, wait: float = 0, *, type: Any = None) -> InvocationResult[Any]: ...

    async def result(self, cid: str, wait: float = 0, *, type: Any = None) -> InvocationResult[Any]:
        """Return how a background call ended, or how it stands; all is as `AnyServiceInvoker.result` says."""
        return await self._run(outcome(cid, wait, self._options, type))

    async def cancel(self, cid: str) -> ServiceInvokeResponse[Any]:
        """Cancel a background call that has no outcome yet; `data` is its record."""
        return await self._run(cancellation(cid, self._options))

    async def replay(self, cid: str, payload: object = NOT_GIVEN) -> ServiceInvokeResponse[Any]:
        """Have a background call made once more, as a new one; `data` has its `cid` and `id`."""
        return await self._run(repeat(cid, payload, self._options))

    async def aclose(self) -> None:
        """Close the connections; calls that are open fail. A later call makes new ones, in its own event loop."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def _run(self, talk: Talk[R]) -> R:
        try:
            post = next(talk)
            while True:
                post = talk.send(await self._transport.send(post))
        except StopIteration as end:
            returned: R = end.value
            return returned


def _transport_class() -> Any:
    try:
        from zato.client.async_transport import AsyncTransport  # noqa: PLC0415 - it is optional, and slow to import
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise MissingExtra("AsyncServiceInvoker needs aiohttp. Install it: pip install 'openzato[async]'") from error
    return AsyncTransport
