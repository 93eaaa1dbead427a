"""Which services, if any, receive the outcome of an asynchronous call, and with what payload.

Pure rules; storing the answer is the business of `zato.server.recorder`.
"""

from collections.abc import Collection, Iterable

from zato.core.errors import UnknownService
from zato.core.invocation import Invocation, Outcome, Status
from zato.core.payload import encode, stored_to_text

__all__ = ["CONVENTION_SUFFIX", "Reply", "choose_callbacks", "replies_to", "require_deployed"]

CONVENTION_SUFFIX = "-async-callback"

Reply = tuple[str, bytes]


def choose_callbacks(caller: str | None, requested: Iterable[str] | None, deployed: Collection[str]) -> tuple[str, ...]:
    """Return the names of the services to call back, in order, or nothing.

    Requested names win over the naming convention. Requesting a service that is not deployed is
    the caller's mistake, so it is reported here, before anything is queued; the lack of a
    conventional one merely means no callback.

    Raises:
        UnknownService: a requested name is not deployed.
    """
    if requested is not None:
        return require_deployed(requested, deployed)

    if caller is None:
        return ()

    conventional = caller + CONVENTION_SUFFIX
    return (conventional,) if conventional in deployed else ()


def require_deployed(names: Iterable[str], deployed: Collection[str]) -> tuple[str, ...]:
    """Return the names as they came.

    Raises:
        UnknownService: one of them is not deployed.
    """
    asked = tuple(names)
    for name in asked:
        if name not in deployed:
            raise UnknownService.named(name, deployed=deployed)
    return asked


def replies_to(invocation: Invocation, outcome: Outcome) -> list[Reply]:
    """Return what an outcome sends to whom: pairs of a service's name and its stored payload.

    A target that is done calls its callbacks with its response as text; one that failed calls
    `on_failure` with a report. Nothing else calls anybody.
    """
    if outcome.status is Status.DONE and invocation.callback:
        text = encode(stored_to_text(outcome.response))
        return [(name, text) for name in invocation.callback]

    if outcome.status is Status.FAILED and invocation.on_failure:
        report = encode(
            {
                "cid": invocation.cid,
                "service": invocation.service,
                "error": outcome.error.public() if outcome.error else None,
                "attempts": outcome.attempts,
            }
        )
        return [(name, report) for name in invocation.on_failure]

    return []
