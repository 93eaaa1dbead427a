"""The lines of the access log: one for each request that was answered, one for each run in the background.

`Answered` and `Ran` are made where the time of every request counts; `AccessLine` is what is written of
them. Both kinds have one shape; what does not apply to a line is not in it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from zato.core.printable import on_one_line

__all__ = ["LOGGER", "AccessLine", "AccessLines", "Answered", "Ran", "encode_lines", "fields_of", "kept", "shown"]

LOGGER = "zato.access"
LEVEL = "info"
# Characters of a text. What is longer was made to be.
LONGEST = 500
# Different texts whose form in the log is remembered.
REMEMBERED = 4096

_encoder = msgspec.json.Encoder()


class Answered(msgspec.Struct, frozen=True, gc=False):
    """A request that was answered, or whose client left before. Times in seconds of a clock without a date."""

    began: float
    ended: float
    cid: str
    method: str
    path: str
    status: int
    bytes_in: int
    bytes_out: int
    client: str
    service: str | None
    channel: str | None
    user: str | None
    accepted: str | None


class Ran(msgspec.Struct, frozen=True, gc=False):
    """A run in the background that is over. `at` is in seconds since 1970, the other times in milliseconds."""

    at: float
    cid: str
    service: str
    channel: str
    outcome: str
    ms: int
    waited_ms: int
    attempt: int


class AccessLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the access log.

    Attributes:
        timestamp: when the answer was given or the run was over, ISO 8601 in UTC.
        event: the line for people.
        cid: of the request, or of the background call.
        service: what ran, or was asked for; not there if the request did not come that far.
        status: of the HTTP answer; 499 if the client left before it.
        outcome: of a run: done, failed, retried, cancelled, lost or released.
        ms: milliseconds from the request's headers to its answer, or that the run took.
        waited_ms: of a run: milliseconds from when it could have begun to when it did.
        attempt: of a run: which one, from 1.
        bytes_in: of the request's body; 0 if it was not read.
        bytes_out: of the answer's body.
        client: address and port.
        user: whom the request authenticated as.
        is_async: the request was for a background call, and it was accepted.
        accepted: CID of that call.
    """

    timestamp: str
    level: str
    logger: str
    event: str
    cid: str
    service: str | UnsetType
    channel: str | UnsetType
    method: str | UnsetType
    path: str | UnsetType
    status: int | UnsetType
    outcome: str | UnsetType
    ms: float
    waited_ms: int | UnsetType = UNSET
    attempt: int | UnsetType = UNSET
    bytes_in: int | UnsetType = UNSET
    bytes_out: int | UnsetType = UNSET
    client: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    is_async: bool | UnsetType = msgspec.field(default=UNSET, name="async")
    accepted: str | UnsetType = UNSET


class AccessLines:
    """Makes the lines of what happened. What many lines have in common is made once."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        """Take what makes a text fit to be shown."""
        self._clean: Callable[[str | None], Any] = lru_cache(REMEMBERED)(partial(_cleaned, clean))
        self._texts = lru_cache(REMEMBERED)(self._texts_of)

    def line_of(self, entry: Answered | Ran, epoch: float) -> AccessLine:
        """Return the line of a request or a run; `epoch` is the Unix time at which the clock without a date began."""
        return self._of_request(entry, epoch) if isinstance(entry, Answered) else self._of_run(entry)

    def _of_request(self, entry: Answered, epoch: float) -> AccessLine:
        """Return the line of a request. By position, which takes half of the time that names take."""
        status = entry.status
        event, method, path, service, channel = self._texts(
            entry.method, entry.path, status, entry.service, entry.channel
        )
        return AccessLine(
            _time(int((epoch + entry.ended) * 1000)),
            LEVEL,
            LOGGER,
            event,
            entry.cid,
            service,
            channel,
            method,
            path,
            status,
            UNSET,
            int((entry.ended - entry.began) * 1_000_000) / 1000,
            UNSET,
            UNSET,
            entry.bytes_in,
            entry.bytes_out,
            entry.client,
            entry.user or UNSET,
            UNSET if entry.accepted is None else True,
            self._clean(entry.accepted),
        )

    def _texts_of(self, method: str, path: str, status: int, *call: str | None) -> tuple[Any, ...]:
        clean = self._clean
        return f"{clean(method)} {clean(path)} {status}", clean(method), clean(path), *map(clean, call)

    def _of_run(self, entry: Ran) -> AccessLine:
        service = self._clean(entry.service)
        return AccessLine(
            _time(int(entry.at * 1000)),
            LEVEL,
            LOGGER,
            f"{service} {entry.outcome}",
            self._clean(entry.cid),
            service,
            self._clean(entry.channel),
            UNSET,
            UNSET,
            UNSET,
            entry.outcome,
            entry.ms,
            entry.waited_ms,
            entry.attempt,
        )


def encode_lines(lines: Sequence[AccessLine]) -> bytes:
    """Return the JSON of lines, each with its line feed."""
    return _encoder.encode_lines(lines)


def kept(text: str) -> str:
    """Return what is kept of a text until it is written: enough to show that it was longer."""
    return text if len(text) <= LONGEST else text[: LONGEST + 1]


def shown(text: str) -> str:
    """Return a text as it is shown: on one line, and not too long."""
    return on_one_line(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")


def _cleaned(clean: Callable[[str], str], text: str | None) -> str | UnsetType:
    return UNSET if text is None else clean(shown(text))


@lru_cache(8)
def _time(ms: int) -> str:
    """Return a time in text. Lines that are written at once have few different ones."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def fields_of(line: AccessLine) -> dict[str, object]:
    """Return a line's fields in their order, without those that are not in it."""
    found: dict[str, object] = msgspec.to_builtins(line)
    return found
