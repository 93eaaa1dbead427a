"""What a service raised, as data for a record, as a line in the log, as something safe to pass on."""

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

from zato.core.errors import ServiceError, ZatoError
from zato.core.invocation import ErrorInfo
from zato.core.payload import unicode_text

__all__ = [
    "MAX_TEXT_OF_AN_ATTEMPT",
    "PROCESS_DIED",
    "UNRECORDABLE",
    "ServiceExited",
    "contained",
    "describe",
    "from_service",
    "log_failure",
    "message_of",
    "process_died",
    "run_contained",
    "unrecordable",
]

PROCESS_DIED = "process_died"
UNEXPECTED = "exception"
UNRECORDABLE = "unrecordable"
MAX_TEXT = 65_536
# Of attempts that are tried again: a call may have many of them.
MAX_TEXT_OF_AN_ATTEMPT = 8_192
CUT = " ... cut"
OUR_PACKAGES = ("zato.server.", "zato.broker.", "zato.testing.")

Result = TypeVar("Result")

logger = logging.getLogger("zato.server")


class ServiceExited(ZatoError):
    """A service called `sys.exit`, or raised something else that would end the process.

    Return or raise an exception to end a service; look for `exit()` in what it calls.
    """

    code = "service_exited"


def contained(error: BaseException) -> Exception:
    """Return an error that is safe to raise anywhere: one that would end a loop or a process is wrapped."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    wrapped = ServiceExited(
        f"{type(error).__name__}: {message_of(error)}. The server goes on; return or raise to end a service."
    )
    wrapped.__cause__ = error
    return wrapped


def run_contained(work: Callable[[], Result]) -> Result:
    """Return what something returns; what it raises is contained."""
    try:
        return work()
    except BaseException as error:
        # Not kept in a variable: that would tie error and frame together, with everything the work had.
        if contained(error) is error:
            raise
        raise contained(error) from error


def describe(error: BaseException, *, most: int = MAX_TEXT) -> ErrorInfo:
    """Return an error as it is recorded: its texts are cut where they are longer than anybody reads.

    Args:
        error: what was raised.
        most: characters that each text may have.
    """
    code = error.code if isinstance(error, ZatoError) else UNEXPECTED
    text = "".join(traceback.format_exception(from_service(error)))
    return ErrorInfo(
        code=code, type=type(error).__name__, message=_cut(message_of(error), most), traceback=_cut(text, most)
    )


def message_of(error: BaseException) -> str:
    """Return an error's text, not too long, whatever its own code does."""
    try:
        return unicode_text(_cut(str(error)))
    except Exception:
        return ""


def _cut(text: str, most: int = MAX_TEXT) -> str:
    return text if len(text) <= most else text[: most - len(CUT)] + CUT


def from_service(error: BaseException) -> BaseException:
    """Return the error with a traceback that begins where the service's own code does."""
    first = error.__traceback__
    trace = first
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(OUR_PACKAGES):
        trace = trace.tb_next
    return error.with_traceback(trace or first)


def process_died(takeovers: int) -> ErrorInfo:
    """Return why a call is given up that lost its process too often."""
    message = (
        f"The process that ran this call died {takeovers} times, more often than max_takeovers allows. "
        "Find out what kills it, then replay it."
    )
    return ErrorInfo(code=PROCESS_DIED, type="ProcessDied", message=message)


def unrecordable() -> ErrorInfo:
    """Return why a call failed that ended in a way that has no record; always the same, so that this can be stored."""
    message = "How this call ended cannot be recorded. The server's log says why."
    return ErrorInfo(code=UNRECORDABLE, type="Unrecordable", message=message)


def log_failure(service: str, cid: str, channel: str, error: BaseException) -> None:
    """Log a failed root call: what a service meant to say as one line, anything else with its traceback."""
    extra = {"cid": cid, "service": service, "channel": channel}
    if isinstance(error, ServiceError):
        logger.info("%s answered %s: %s", service, type(error).__name__, message_of(error), extra=extra)
    else:
        logger.error(
            "%s failed with %s: %s",
            service,
            type(error).__name__,
            message_of(error),
            extra=extra,
            exc_info=from_service(error),
        )
