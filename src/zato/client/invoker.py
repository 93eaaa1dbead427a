"""The clients that invoke services, and ask after the ones that run in the background."""

from collections.abc import Iterable
from typing import Any, TypeVar, Unpack, overload

from zato.client.base import AddressClient
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
from zato.client.request import (
    NOT_GIVEN,
    InvokeOptions,
    Names,
    NotGiven,
    ServiceRequest,
    as_given,
    warn_of_unknown,
)
from zato.client.response import (
    AsyncInvokeResponse,
    JSONResponse,
    JSONSIOResponse,
    ManyInvokeResponse,
    RawDataResponse,
    ServiceInvokeResponse,
)
from zato.client.result import InvocationResult
from zato.core.payload import encode

__all__ = ["AnyServiceInvoker", "JSONClient", "JSONSIOClient", "RawDataClient"]

R = TypeVar("R")
T = TypeVar("T")


class AnyServiceInvoker(AddressClient):
    """Invokes any service of a server, through `/zato/admin/invoke`; the server may be ours, or of 2.0, 3.0 or 3.2.

    Every method raises `NetworkError`, or one of its subclasses, if no reply came. A reply of any kind raises
    nothing: look at `ok` and `details`. Only with `type=` a response that is not of that type does.
    """

    @overload
    def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        *,
        type: type[T],
        **kwargs: Unpack[InvokeOptions],
    ) -> ServiceInvokeResponse[T]: ...

    @overload
    def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        channel: str = "invoke",
        data_format: str = "json",
        transport: str | None = None,
        expiration: float | NotGiven | None = NOT_GIVEN,
        id: str | int | None = None,
        to_json: bool = True,
        output_repeated: bool | NotGiven = NOT_GIVEN,
        pid: int | None = None,
        all_pids: bool = False,
        timeout: float | None = None,
        skip_response_elem: bool = True,
        *,
        type: Any = None,
        **kwargs: object,
    ) -> ServiceInvokeResponse[Any]: ...

    def invoke(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        channel: str = "invoke",
        data_format: str = "json",
        transport: str | None = None,
        expiration: float | NotGiven | None = NOT_GIVEN,
        id: str | int | None = None,
        to_json: bool = True,
        output_repeated: bool | NotGiven = NOT_GIVEN,
        pid: int | None = None,
        all_pids: bool = False,
        timeout: float | None = None,
        skip_response_elem: bool = True,
        *,
        type: Any = None,
        **kwargs: Any,
    ) -> ServiceInvokeResponse[Any]:
        """Invoke a service and wait for its response.

        Args:
            name: the service, unless `id` says which.
            payload: anything that has a JSON form, or with `to_json=False` text or bytes to send as they are.
            headers: HTTP headers to add.
            channel: what the service's `self.channel` is to say.
            data_format: what its `self.data_format` is to say.
            transport: what its `self.transport` is to say.
            expiration: of no effect here; see `invoke_async`.
            id: the service's id, instead of its name.
            to_json: turn the payload into JSON.
            output_repeated: what the response's attribute of this name is to say.
            pid: accepted by servers of one process, and of no effect there.
            all_pids: likewise.
            timeout: seconds the service may take before the server answers with an error; by default any.
            skip_response_elem: drop the wrapper of a response that is a dict with one key.
            type: what `data` is to be: a dataclass, a pydantic model, a msgspec struct, a TypedDict, a builtin, a
                datetime, a Decimal, or a list, dict or union of these. Without output, or if the call failed, `data`
                is None all the same.
            kwargs: arguments that other versions may know; they are ignored, with a warning that names them.

        Raises:
            InvalidName: neither `name` nor `id` is given.
            NotSerializable: the payload has no JSON form.
            InvalidPayload: `to_json` is False, and the payload is neither text nor bytes.
            InvalidType: nothing can be read as `type`.
            NetworkError: no reply came.
            ResponseMismatch: the service ran, and what it returned is not of that type.
        """
        warn_of_unknown(kwargs, method="invoke")
        request = ServiceRequest(
            name=name,
            payload=payload,
            channel=channel,
            data_format=data_format,
            transport=transport,
            expiration=expiration,
            id=id,
            to_json=to_json,
            pid=pid,
            all_pids=all_pids,
            timeout=timeout,
            skip_response_elem=skip_response_elem,
        )
        return self._run(invocation(request, self._options, headers, output_repeated, type))

    def invoke_async(
        self,
        name: str | None = None,
        payload: object = "",
        headers: Headers = None,
        channel: str = "invoke",
        data_format: str = "json",
        transport: str | None = None,
        expiration: float | NotGiven | None = NOT_GIVEN,
        id: str | int | None = None,
        to_json: bool = True,
        output_repeated: bool | NotGiven = NOT_GIVEN,
        pid: int | None = None,
        all_pids: bool = False,
        timeout: float | None = None,
        skip_response_elem: bool = True,
        *,
        callback: Names = None,
        on_failure: Names = None,
        delay: float | None = None,
        idempotency_key: str | None = None,
        retry: object = None,
        time_limit: float | None = None,
        cid: str | None = None,
        priority: str | None = None,
        queue: str | None = None,
        **kwargs: object,
    ) -> AsyncInvokeResponse:
        """Have a service run in the background; `data` is the CID it runs with, a str.

        What the service returns is fetched with `result`, which takes a `type`. The arguments of `invoke` mean the
        same here. Those below need a server of ours.

        Args:
            expiration: seconds in which the service must start. By default, or with None or 0: never expires.
            callback: the service, or services, to invoke with the response.
            on_failure: the service, or services, to invoke if it fails.
            delay: seconds before it may start.
            idempotency_key: a text that makes repeated requests count once.
            retry: how often to try: a number, a `zato.client.Retry`, or a dict of its fields. By default as often as
                the service's class says, else once.
            time_limit: seconds that one attempt may take, 0 for any. By default what the service's class says.
            cid: the CID to run with, 1 to 128 printable characters; by default a new one.
            priority: `'high'`, `'normal'` or `'low'`: which of several calls that wait starts first. By default what
                the service's class says, else normal.
            queue: which queue it waits in. By default what the service's class says, else `default`.

        Raises:
            InvalidName: neither `name` nor `id` is given.
            NotSerializable: the payload has no JSON form.
            InvalidPayload: `to_json` is False, and the payload is neither text nor bytes.
            NetworkError: no reply came. The call may have been stored, unless it is a `ConnectionFailed`.
        """
        warn_of_unknown(kwargs, method="invoke_async")
        request = ServiceRequest(
            name=name,
            payload=payload,
            channel=channel,
            data_format=data_format,
            transport=transport,
            is_async=True,
            expiration=expiration,
            id=id,
            to_json=to_json,
            pid=pid,
            all_pids=all_pids,
            timeout=timeout,
            skip_response_elem=skip_response_elem,
            extras={
                "callback": callback,
                "on_failure": on_failure,
                "delay": delay,
                "idempotency_key": idempotency_key,
                "retry": retry,
                "time_limit": time_limit,
                "cid": cid,
                "priority": priority,
                "queue": queue,
            },
        )
        return self._run(background(request, self._options, headers, output_repeated))

    def invoke_async_many(self, items: Iterable[Item]) -> ManyInvokeResponse:
        """Have many calls run in the background; `data` is the list of their CIDs. All are stored, or none is.

        It needs a server of ours. If no reply came, they may have been stored; with an `idempotency_key` each, they
        can be made again.

        Args:
            items: pairs of a name and a payload, or dicts of `name`, `payload` and what `invoke_async` takes from
                `channel` on; at most 10,000.

        Raises:
            BadRequest: what is given is no list of these.
            NotSerializable: a payload has no JSON form.
            NetworkError: no reply came.
        """
        return self._run(background_many(items, self._options))

    @overload
    def result(self, cid: str, wait: float = 0, *, type: type[T]) -> InvocationResult[T]: ...

    @overload
    def result(self, cid: str, wait: float = 0, *, type: Any = None) -> InvocationResult[Any]: ...

    def result(self, cid: str, wait: float = 0, *, type: Any = None) -> InvocationResult[Any]:
        """Return how a background call ended, or how it stands.

        Args:
            cid: what `invoke_async` returned as `data`.
            wait: seconds to wait for an outcome if there is none yet. The server is asked again every 60 seconds.
            type: what `data` is to be if the call is done; see `invoke`.

        Raises:
            InvalidType: nothing can be read as `type`.
            NetworkError: no reply came. Asking again does no harm.
            ResponseMismatch: the service ran, and what it returned is not of that type.
        """
        return self._run(outcome(cid, wait, self._options, type))

    def cancel(self, cid: str) -> ServiceInvokeResponse[Any]:
        """Cancel a background call that has no outcome yet; `data` is its record.

        Raises:
            NetworkError: no reply came.
        """
        return self._run(cancellation(cid, self._options))

    def replay(self, cid: str, payload: object = NOT_GIVEN) -> ServiceInvokeResponse[Any]:
        """Have a background call made once more, as a new one; `data` has its `cid` and `id`.

        Args:
            cid: the call to repeat; its callback and options are kept.
            payload: what to give the service this time; by default the same as before.

        Raises:
            NotSerializable: the payload has no JSON form.
            NetworkError: no reply came. The call may have been made.
        """
        return self._run(repeat(cid, payload, self._options))

    def _run(self, talk: Talk[R]) -> R:
        try:
            post = next(talk)
            while True:
                reply = self._transport.send(
                    "POST", self.url, body=post.body, headers=post.headers, patience=post.patience
                )
                post = talk.send(reply)
        except StopIteration as end:
            returned: R = end.value
            return returned


class JSONClient(AddressClient):
    """Posts JSON to any address, and reads JSON back. `ok` is an HTTP status below 400."""

    def invoke(self, payload: object = "", headers: Headers = None, to_json: bool = True) -> JSONResponse:
        """Post the payload's JSON, or with `to_json=False` text or bytes that are JSON already.

        Raises:
            NotSerializable: the payload has no JSON form.
            InvalidPayload: `to_json` is False, and the payload is neither text nor bytes.
            NetworkError: no reply came.
        """
        inner = self._send_json("POST", self.url, _body(payload, to_json), headers)
        return JSONResponse(inner, self._options)


class JSONSIOClient(AddressClient):
    """Posts JSON to any address, and reads JSON back whose `zato_env` tells whether the call succeeded."""

    def invoke(self, payload: object = "", headers: Headers = None, to_json: bool = True) -> JSONSIOResponse:
        """Post the payload's JSON, or with `to_json=False` text or bytes that are JSON already.

        Raises:
            NotSerializable: the payload has no JSON form.
            InvalidPayload: `to_json` is False, and the payload is neither text nor bytes.
            NetworkError: no reply came.
        """
        inner = self._send_json("POST", self.url, _body(payload, to_json), headers)
        return JSONSIOResponse(inner, self._options)


class RawDataClient(AddressClient):
    """Posts text or bytes to any address, and reads text back. `ok` is an HTTP status below 400."""

    def invoke(self, payload: str | bytes = "", headers: Headers = None) -> RawDataResponse:
        """Post a payload as it is.

        Raises:
            InvalidPayload: the payload is neither text nor bytes.
            NetworkError: no reply came.
        """
        inner = self._transport.send("POST", self.url, body=as_given(payload), headers=headers)
        return RawDataResponse(inner, self._options)


def _body(payload: object, to_json: bool) -> bytes:
    return encode(payload) if to_json else as_given(payload)
