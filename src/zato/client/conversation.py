"""What is said to a server, and how its replies are read, whoever carries them.

Each function is a generator: it yields a request, is sent the reply, and returns the response. What sends the
requests, waiting or awaiting, is the client's business. So there is one set of rules for all clients, and a mistake of
the caller's is found before anything is sent.
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from requests.structures import CaseInsensitiveDict

from zato.client.errors import InvalidType, NetworkError, ResponseMismatch
from zato.client.reply import Reply
from zato.client.request import NOT_GIVEN, NotGiven, ServiceRequest
from zato.client.response import AsyncInvokeResponse, ManyInvokeResponse, ResponseOptions, ServiceInvokeResponse
from zato.client.result import InvocationResult
from zato.core.many import fields_of, items_of, numbered
from zato.core.typed import Misfit, Reader, reader_of

__all__ = [
    "Headers",
    "Item",
    "Post",
    "Talk",
    "background",
    "background_many",
    "cancellation",
    "invocation",
    "json_headers",
    "outcome",
    "repeat",
]

# The longest a server listens for an outcome in one request, in seconds.
LONGEST_WAIT = 60

R = TypeVar("R")
S = TypeVar("S", bound=ServiceInvokeResponse[Any])

Headers = Mapping[str, str] | None
Item = tuple[str, object] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Post:
    """A request to send.

    Attributes:
        patience: seconds the server is asked to take at most.
    """

    body: bytes
    headers: Mapping[str, str]
    patience: float = 0.0


Talk = Generator[Post, Reply, R]


def invocation(
    request: ServiceRequest,
    options: ResponseOptions,
    headers: Headers = None,
    output_repeated: bool | NotGiven = NOT_GIVEN,
    wanted: Any = None,
) -> Talk[ServiceInvokeResponse[Any]]:
    """Invoke a service and read its response, as data of the wanted type if there is one."""
    reader = _reader(wanted)
    reply = yield _post(request, headers, request.timeout or 0.0)
    response = ServiceInvokeResponse[Any](reply, options, output_repeated)
    return _typed(response, reader, str(request.name or request.id))


def background(
    request: ServiceRequest,
    options: ResponseOptions,
    headers: Headers = None,
    output_repeated: bool | NotGiven = NOT_GIVEN,
) -> Talk[AsyncInvokeResponse]:
    """Have a service run in the background."""
    reply = yield _post(request, headers)
    return AsyncInvokeResponse(reply, options, output_repeated)


def background_many(items: Iterable[Item], options: ResponseOptions) -> Talk[ManyInvokeResponse]:
    """Have many calls run in the background, all or none.

    Raises:
        BadRequest: what is given is no list of pairs and dicts.
    """
    asked = []
    for number, item in enumerate(items_of(items), 1):
        with numbered(number):
            asked.append(fields_of(item))
    request = ServiceRequest(name="zato.service.invoke-async-many", payload={"items": asked})
    return ManyInvokeResponse((yield _post(request, None)), options)


def outcome(cid: str, wait: float, options: ResponseOptions, wanted: Any = None) -> Talk[InvocationResult[Any]]:
    """Ask how a call ended until it has, or until the wait is over."""
    reader = _reader(wanted)
    while True:
        step = min(wait, LONGEST_WAIT)
        request = ServiceRequest(name="zato.invocation.get", payload={"cid": cid, "wait": step})
        found = InvocationResult[Any]((yield _post(request, None, step)), options, cid=cid)
        wait -= step
        if found.is_final or wait <= 0:
            return _typed(found, reader, str(found.record.get("service", "")))


def cancellation(cid: str, options: ResponseOptions) -> Talk[ServiceInvokeResponse[Any]]:
    """Cancel a background call."""
    return invocation(ServiceRequest(name="zato.invocation.cancel", payload={"cid": cid}), options)


def repeat(cid: str, payload: object, options: ResponseOptions) -> Talk[ServiceInvokeResponse[Any]]:
    """Have a background call made once more, with another payload if one is given."""
    changed = {} if payload is NOT_GIVEN else {"payload": payload}
    return invocation(ServiceRequest(name="zato.invocation.replay", payload={"cid": cid, **changed}), options)


def json_headers(headers: Headers) -> Mapping[str, str]:
    """Return the headers of a request with a JSON body; those given win, in whatever case they are written.

    Names and values are str or bytes; None leaves a header out.

    Raises:
        NetworkError: one of them is something else.
    """
    merged = CaseInsensitiveDict({"Content-Type": "application/json"})
    for name, value in dict(headers or {}).items():
        _check_header(name, value)
        merged[name] = value
    return merged


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str | bytes):
        raise NetworkError(f"No request was sent: the name of header {name!r} is no text. Give it as str.")
    if not isinstance(value, str | bytes | None):
        kind = type(value).__name__
        raise NetworkError(f"No request was sent: the value of header {name!r} is of type {kind}. Give it as str.")


def _post(request: ServiceRequest, headers: Headers, patience: float = 0.0) -> Post:
    return Post(request.body(), json_headers(headers), patience)


def _reader(wanted: Any) -> Reader | None:
    try:
        return None if wanted is None else reader_of(wanted)
    except TypeError as error:
        raise InvalidType(f"A response cannot be read as {wanted!r:.200}. {error}") from error


def _typed(response: S, reader: Reader | None, service: str) -> S:
    if reader is None or not response.has_data:
        return response
    try:
        response.data = reader.read(response.data_text)
    except Misfit as misfit:
        raise ResponseMismatch.of(misfit, response, service=service, wanted=reader.name) from misfit.__cause__
    return response
