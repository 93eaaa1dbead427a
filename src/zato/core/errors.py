"""Every error this package raises on purpose.

`code` is public and stable, `status` is the HTTP status a caller gets, `exit_code` is what the
command line ends with. Messages may be reworded. Errors cross processes as code and message. Of a class's
docstring the first paragraph is the cause and the second the remedy; the reference page shows both.

Exit codes: 1 the call failed, 2 something given or configured is wrong, 3 no server answers,
4 what was asked for does not exist, 5 not allowed, 6 it contradicts the state of things, 7 try again
later, 8 time ran out.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

from zato.core.faults import (
    DecryptionFailed,
    EnvironmentFault,
    InvalidSetting,
    MissingConfig,
    ServerNotRunning,
    StartFailed,
    ZatoError,
)

__all__ = [
    "BadRequest",
    "BrokerUnavailable",
    "Conflict",
    "DecryptionFailed",
    "EnvironmentFault",
    "Forbidden",
    "InvalidCID",
    "InvalidName",
    "InvalidOutput",
    "InvalidPayload",
    "InvalidResponse",
    "InvalidSetting",
    "InvocationCancelled",
    "InvocationTimeout",
    "LockTimeout",
    "MethodNotAllowed",
    "MissingConfig",
    "NotFound",
    "NotSerializable",
    "Overloaded",
    "PayloadTooLarge",
    "RecursiveInvocation",
    "RequestTimeout",
    "ResponseTooLarge",
    "ServerNotRunning",
    "ServiceDefinitionError",
    "ServiceError",
    "ServiceUnavailable",
    "ShuttingDown",
    "StartFailed",
    "TooManyRequests",
    "Unauthorized",
    "UnknownService",
    "ZatoError",
    "hint_for",
]


class ServiceError(ZatoError):
    """An error a service reports to its caller: the message is shown to them as it is.

    Raise a subclass as `BadRequest(message)` or, as older services do, `BadRequest(cid, message)`.

    Attributes:
        cid: what was given as the CID, or None.
        message: the text shown to the caller.
    """

    code = "service_error"

    def __init__(self, cid_or_message: object = "", message: object = None) -> None:
        super().__init__(*((cid_or_message,) if message is None else (cid_or_message, message)))
        self.cid = None if message is None else cid_or_message
        self.message = str(cid_or_message if message is None else message)

    def __str__(self) -> str:
        return self.message


class BadRequest(ServiceError):
    """The caller sent something that makes no sense.

    Compare what was sent with what the message says, and send it anew.
    """

    code = "bad_request"
    status = 400


class Unauthorized(ServiceError):
    """The credentials are missing, malformed or wrong.

    Give the user and password of the environment's `secrets.toml`; after `zato password`, restart the server.
    """

    code = "unauthorized"
    status = 401
    exit_code = 5
    scheme: str = "Basic"
    realm: str = ""

    @classmethod
    def in_realm(cls, realm: str, message: str) -> Self:
        """Say what is wrong, and what to log in to."""
        error = cls(message)
        error.realm = realm
        return error


class Forbidden(ServiceError):
    """The caller is known, and may not do this.

    Use an address, or a user, that is allowed to; built-in services are for `admin.invoke`.
    """

    code = "forbidden"
    status = 403
    exit_code = 5


class NotFound(ServiceError):
    """The thing asked for does not exist.

    Check the name, CID or address. Outcomes are kept for the time set by `retention`.
    """

    code = "not_found"
    status = 404
    exit_code = 4


class MethodNotAllowed(ServiceError):
    """The address exists, and does not take this HTTP method.

    Use a method that the header `Allow` names.
    """

    code = "method_not_allowed"
    status = 405
    allowed: tuple[str, ...] = ()

    @classmethod
    def allowing(cls, path: str, method: str, allowed: tuple[str, ...]) -> Self:
        """Say which methods the address takes."""
        error = cls(f"{path} takes {' and '.join(allowed)}, not {method[:20]}.")
        error.allowed = allowed
        return error


class RequestTimeout(ServiceError):
    """The request's body did not arrive in time.

    Send the body at once, or raise `body_timeout` for slow networks.
    """

    code = "request_timeout"
    status = 408
    exit_code = 8


class Conflict(ServiceError):
    """The request contradicts the state of what it is about.

    Look at what the message says of that state, and decide what you want now.
    """

    code = "conflict"
    status = 409
    exit_code = 6


class PayloadTooLarge(ServiceError):
    """A body, payload or response is over its limit.

    Store what is large elsewhere and pass on where, or raise `max_body` or `max_stored`.
    """

    code = "too_large"
    status = 413


class TooManyRequests(ServiceError):
    """The caller is to slow down.

    Wait, then send it again.
    """

    code = "too_many_requests"
    status = 429
    exit_code = 7


class ServiceUnavailable(ServiceError):
    """Nothing is wrong with the request; try again later.

    Send it again after the seconds in the header `Retry-After`.
    """

    code = "unavailable"
    status = 503
    exit_code = 7


class ShuttingDown(ServiceUnavailable):
    """The server is stopping and takes no new work.

    Send it to another server, or again when this one has started.
    """

    code = "shutting_down"


class Overloaded(ServiceUnavailable):
    """As many calls run as the server allows at once.

    Send it again a little later; raise `max_requests`, or start more `workers`, if it goes on.
    """

    code = "overloaded"


class BrokerUnavailable(ServiceUnavailable):
    """The store of background calls cannot store now: the call is refused, not lost.

    Look into the server's log for the reason, such as a full disk; then send it again.
    """

    code = "broker_unavailable"


class LockTimeout(ServiceUnavailable):
    """A service waited for a lock, and whoever holds it did not give it back in time.

    Try it again later; give `self.lock` a longer `timeout`, or hold the lock for a shorter time.
    """

    code = "lock_timeout"

    @classmethod
    def after(cls, lock: str, seconds: float) -> Self:
        """Say which lock it was, and for how long it was waited for."""
        return cls(f"The lock {lock!r} was not free within {seconds:g} s. Try again later, or wait longer.")


class InvocationTimeout(ServiceError):
    """A call ran longer than the `timeout` its caller gave it, or than its `time_limit`.

    Give it more time, or run it in the background and ask for its outcome.
    """

    code = "timeout"
    status = 504
    exit_code = 8

    @classmethod
    def after(cls, service: str, seconds: float) -> Self:
        """Say which service did not answer, and within which time."""
        return cls(f"{service!r} did not answer within {seconds:g} s.")

    @classmethod
    def over_limit(cls, service: str, seconds: float) -> Self:
        """Say which service did not end, and within which limit."""
        return cls(f"{service!r} did not end within its time limit of {seconds:g} s.")


class InvocationCancelled(ServiceError):
    """A blocking service waited, for an `AsyncService` that it invoked or for a lock, and its call was stopped.

    Nothing, if the call was cancelled on purpose; else invoke it again.
    """

    code = "cancelled"
    status = 503
    exit_code = 7

    @classmethod
    def of(cls, service: str) -> Self:
        """Say which service was stopped."""
        return cls(f"{service!r} was stopped before it ended: nobody waits for it any more.")

    @classmethod
    def of_waiting(cls, lock: str) -> Self:
        """Say which lock is waited for no more."""
        return cls(f"The lock {lock!r} is waited for no more: nobody waits for the service that did.")


class InvalidCID(BadRequest):
    """A caller's correlation ID is not printable text of 1 to 128 characters.

    Leave it out, and a new one is made.
    """

    code = "invalid_cid"


class InvalidName(BadRequest):
    """Something is no legal service name.

    Name a service as `zato service list` shows it.
    """

    code = "invalid_name"


class InvalidPayload(BadRequest):
    """What came in cannot be read as a payload.

    Send JSON in UTF-8, not nested deeper than 200 levels.
    """

    code = "invalid_payload"


class UnknownService(NotFound):
    """A service was asked for by a name that nothing is deployed under.

    Use the name that the message suggests, or one that `zato service list` shows.
    """

    code = "unknown_service"

    @classmethod
    def named(cls, name: str, *, deployed: Iterable[str]) -> Self:
        """Say what was asked for, and the deployed name nearest to it."""
        hint = hint_for(name, deployed) or "Try 'zato service list PATH'."
        return cls(f"No service named {name!r} is deployed. {hint}")


class NotSerializable(ZatoError):
    """A service returned, or passed on, something that has no JSON form.

    Return what has a JSON form; the message has the path to what has none.
    """

    code = "not_serializable"


class InvalidResponse(ZatoError):
    """A service set a status, header or content type that HTTP cannot carry.

    Set a status from 200 to 599, and header values of visible ASCII.
    """

    code = "invalid_response"


class InvalidOutput(ZatoError):
    """What a service answered is not what it declares as its output.

    Set the element that the message names, or declare it as optional, or of another type.
    """

    code = "invalid_output"


class ResponseTooLarge(ZatoError):
    """A service returned more than one reply may carry.

    Return less, for instance in pages, or raise `max_response`.
    """

    code = "response_too_large"


class RecursiveInvocation(ZatoError):
    """A service invokes itself synchronously, directly or through too many others.

    Use `invoke_async`, by which a service may invoke itself, or raise `max_depth`.
    """

    code = "recursive_invocation"


class ServiceDefinitionError(ZatoError):
    """A service class or its file cannot be deployed.

    Mend the file that the message names, and restart the server.
    """

    code = "service_definition"


def hint_for(name: str, candidates: Iterable[str]) -> str:
    """Return the sentence that names the candidate nearest to `name`, or an empty text."""
    nearest = get_close_matches(name, list(candidates), n=1)
    return f"Did you mean {nearest[0]!r}?" if nearest else ""
