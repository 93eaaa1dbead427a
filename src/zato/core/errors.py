"""Every error this package raises on purpose.

`code` is public and stable, `status` is the HTTP status a caller gets, `exit_code` is what the
command line ends with. Messages may be reworded. Errors cross processes as code and message.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar, Self

__all__ = [
    "BadRequest",
    "BrokerUnavailable",
    "Conflict",
    "EnvironmentFault",
    "Forbidden",
    "InvalidCID",
    "InvalidName",
    "InvalidPayload",
    "InvalidResponse",
    "InvalidSetting",
    "InvocationCancelled",
    "InvocationTimeout",
    "MethodNotAllowed",
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


class ZatoError(Exception):
    """Root of the tree: catch this to catch everything the package raises."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1


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
    """The caller sent something that makes no sense."""

    code = "bad_request"
    status = 400


class Unauthorized(ServiceError):
    """The credentials are missing, malformed or wrong."""

    code = "unauthorized"
    status = 401
    realm: str = ""

    @classmethod
    def in_realm(cls, realm: str, message: str) -> Self:
        """Say what is wrong, and what to log in to."""
        error = cls(message)
        error.realm = realm
        return error


class Forbidden(ServiceError):
    """The caller is known, and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(ServiceError):
    """The thing asked for does not exist."""

    code = "not_found"
    status = 404


class MethodNotAllowed(ServiceError):
    """The address exists, and does not take this HTTP method."""

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
    """The request's body did not arrive in time."""

    code = "request_timeout"
    status = 408


class Conflict(ServiceError):
    """The request contradicts the state of what it is about."""

    code = "conflict"
    status = 409


class PayloadTooLarge(ServiceError):
    """A body, payload or response is over its limit."""

    code = "too_large"
    status = 413


class TooManyRequests(ServiceError):
    """The caller is to slow down."""

    code = "too_many_requests"
    status = 429


class ServiceUnavailable(ServiceError):
    """Nothing is wrong with the request; try again later."""

    code = "unavailable"
    status = 503


class ShuttingDown(ServiceUnavailable):
    """The server is stopping and takes no new work."""

    code = "shutting_down"


class Overloaded(ServiceUnavailable):
    """As many calls run as the server allows at once."""

    code = "overloaded"


class BrokerUnavailable(ServiceUnavailable):
    """The store of background calls cannot store now: the call is refused, not lost."""

    code = "broker_unavailable"


class InvocationTimeout(ServiceError):
    """A call ran longer than the `timeout` its caller gave it, or than its `time_limit`."""

    code = "timeout"
    status = 504

    @classmethod
    def after(cls, service: str, seconds: float) -> Self:
        """Say which service did not answer, and within which time."""
        return cls(f"{service!r} did not answer within {seconds:g} s.")

    @classmethod
    def over_limit(cls, service: str, seconds: float) -> Self:
        """Say which service did not end, and within which limit."""
        return cls(f"{service!r} did not end within its time limit of {seconds:g} s.")


class InvocationCancelled(ServiceError):
    """An `AsyncService` that a blocking one invoked was stopped, because the call they belong to was."""

    code = "cancelled"
    status = 503

    @classmethod
    def of(cls, service: str) -> Self:
        """Say which service was stopped."""
        return cls(f"{service!r} was stopped before it ended: nobody waits for it any more.")


class InvalidCID(BadRequest):
    """A caller's correlation ID is not printable text of 1 to 128 characters."""

    code = "invalid_cid"


class InvalidName(BadRequest):
    """Something is no legal service name."""

    code = "invalid_name"


class InvalidPayload(BadRequest):
    """What came in cannot be read as a payload."""

    code = "invalid_payload"


class UnknownService(NotFound):
    """A service was asked for by a name that nothing is deployed under."""

    code = "unknown_service"

    @classmethod
    def named(cls, name: str, *, deployed: Iterable[str]) -> Self:
        """Say what was asked for, and the deployed name nearest to it."""
        hint = hint_for(name, deployed) or "Try 'zato service list PATH'."
        return cls(f"No service named {name!r} is deployed. {hint}")


class NotSerializable(ZatoError):
    """A service returned, or passed on, something that has no JSON form."""

    code = "not_serializable"


class InvalidResponse(ZatoError):
    """A service set a status, header or content type that HTTP cannot carry."""

    code = "invalid_response"


class ResponseTooLarge(ZatoError):
    """A service returned more than one reply may carry."""

    code = "response_too_large"


class RecursiveInvocation(ZatoError):
    """A service invokes itself synchronously, directly or through too many others."""

    code = "recursive_invocation"


class ServiceDefinitionError(ZatoError):
    """A service class or its file cannot be deployed."""

    code = "service_definition"


class InvalidSetting(ZatoError):
    """A setting is unknown, or its value is not legal."""

    code = "invalid_setting"
    exit_code = 2


class EnvironmentFault(ZatoError):
    """A folder is no usable environment: missing, not empty, locked, of wrong rights."""

    code = "environment"
    exit_code = 2


class ServerNotRunning(ZatoError):
    """Nothing serves this environment now."""

    code = "server_not_running"
    exit_code = 3


class StartFailed(ZatoError):
    """A server that was to go on by itself did not start."""

    code = "start_failed"


def hint_for(name: str, candidates: Iterable[str]) -> str:
    """Return the sentence that names the candidate nearest to `name`, or an empty text."""
    nearest = get_close_matches(name, list(candidates), n=1)
    return f"Did you mean {nearest[0]!r}?" if nearest else ""
