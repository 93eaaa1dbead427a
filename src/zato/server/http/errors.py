"""The one place where an error becomes a reply."""

import traceback
from http import HTTPStatus

from zato.core.envelope import details_of, encode_error
from zato.core.errors import MethodNotAllowed, ServiceUnavailable, Unauthorized, ZatoError
from zato.core.people_errors import TooManyAttempts
from zato.server.failures import from_service
from zato.server.http.message import Reply

__all__ = ["error_reply"]

RETRY_AFTER_SECONDS = "1"


def error_reply(error: BaseException, cid: str, *, tracebacks: bool) -> Reply:
    """Return the reply to a request that failed.

    Args:
        error: what was raised.
        cid: of the request.
        tracebacks: tell the caller where it was raised, unless the error is the caller's own.
    """
    status = error.status if isinstance(error, ZatoError) else 500
    shown = tracebacks and status >= HTTPStatus.INTERNAL_SERVER_ERROR
    details = "".join(traceback.format_exception(from_service(error))) if shown else details_of(error)
    reply = Reply(status, encode_error(details, cid))
    if isinstance(error, Unauthorized) and error.realm:
        reply.headers.append(("WWW-Authenticate", f'{error.scheme} realm="{error.realm}", charset="UTF-8"'))
    elif isinstance(error, TooManyAttempts):
        reply.headers.append(("Retry-After", str(error.retry_after)))
    elif isinstance(error, ServiceUnavailable):
        reply.headers.append(("Retry-After", RETRY_AFTER_SECONDS))
    elif isinstance(error, MethodNotAllowed) and error.allowed:
        reply.headers.append(("Allow", ", ".join(error.allowed)))
    return reply
