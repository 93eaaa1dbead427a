"""What a call for a person goes through at the door: whose session it is, what they may do, and what is kept of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from zato.core.audit import AuditEntry
from zato.core.envelope import InvokeRequest, details_of
from zato.core.errors import BadRequest, ZatoError
from zato.core.many import items_of
from zato.core.masks import is_secret_name
from zato.core.names import is_reserved
from zato.core.payload import decode
from zato.core.people import KeptCall
from zato.core.people_errors import SessionEnded
from zato.core.printable import on_one_line
from zato.server.identity import now_ms
from zato.server.people.acting import Person, acting
from zato.server.people.history import cut, options_of
from zato.server.people.people import People
from zato.server.people.roles import INDIRECT, INDIRECT_MANY, is_for_trying, is_reading, permit
from zato.server.registry import Services

__all__ = ["Asking", "Checkpoint", "client_of"]

MAX_CLIENT = 100
# Bytes of an input that is looked at for what it is about.
MOST_READ = 65_536
# What an input says it is about, whichever it has.
SUBJECTS = ("name", "cid", "id", "logger")
DIRECTLY = "Invoke the service directly."
# Headers that say nothing of what somebody wanted.
COMMON = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "transfer-encoding",
        "user-agent",
        "x-zato-client",
        "x-zato-session",
    }
)

Run = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Asking:
    """A request of a person.

    Attributes:
        cid: of the HTTP request.
        headers: that it came with.
    """

    asked: InvokeRequest
    cid: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Ended:
    """When a call began, in Unix milliseconds, how many it took, and what came of it."""

    at: int
    ms: int
    http_status: int
    text: str


class Checkpoint:
    """Lets people through, each as far as their role goes."""

    def __init__(self, people: People, services: Services) -> None:
        """Take who there is, and what is deployed."""
        self._people = people
        self._services = services

    async def person_of(self, tokens: Sequence[str | None], client: str | None) -> Person:
        """Return whose session it is.

        Args:
            tokens: the values of the header that has the session's token.
            client: where the person is.

        Raises:
            SessionEnded: it is nobody's, or not any more.
        """
        token = tokens[0] if len(tokens) == 1 else None
        person = await self._people.sessions.find(token or "", client_of(client))
        if person is None:
            raise SessionEnded.now()
        return person

    async def run(self, person: Person, asking: Asking, run: Run) -> str:
        """Return what a call for a person returns, if they may make it.

        Raises:
            Forbidden: their role does not suffice.
            BrokerUnavailable: what they do could not be written down; it was not done.
            Exception: whatever the call raises.
        """
        asked = asking.asked
        name = self._services.current.resolved(asked.name)
        token = acting.set(person)
        try:
            await self._permit(person, name, asking)
            if is_reading(name) and not asked.is_async:
                return await run()
            async with self._people.trail.doing(self._entry(person, name, asking)) as done:
                text = await self._kept(person, name, asking, run)
                done.cid = text if asked.is_async else done.cid
                return text
        finally:
            acting.reset(token)

    async def _permit(self, person: Person, name: str, asking: Asking) -> None:
        asked = asking.asked
        try:
            if name == INDIRECT and len(asked.payload) > MOST_READ:
                raise BadRequest(f"This input of {name!r} is too large to write down what it asks for. {DIRECTLY}")
            permit(person, name, in_background=asked.is_async)
        except ZatoError as error:
            await self._people.trail.refuse(self._entry(person, name, asking), error)
            raise

    def _entry(self, person: Person, name: str, asking: Asking) -> AuditEntry:
        asked = asking.asked
        if asked.is_async:
            action, about = "invoke-async", name
        elif not is_reserved(name) or is_for_trying(name):
            action, about = "invoke", name
        else:
            action, about = name, _subject(name, asked.payload)
        return self._people.trail.entry(person.name, person.client, action, about=about, cid=asking.cid)

    async def _kept(self, person: Person, name: str, asking: Asking, run: Run) -> str:
        """Make a call, and keep it among the person's last ones if it is one of a service."""
        if is_reserved(name) and not is_for_trying(name):
            return await run()
        began, at = perf_counter(), now_ms()
        status, text = 200, ""
        try:
            text = await run()
        except Exception as error:
            status = error.status if isinstance(error, ZatoError) else 500
            text = str(details_of(error))
            raise
        finally:
            ended = _Ended(at, round((perf_counter() - began) * 1000), status, text)
            await self._people.history.keep(person.name, _call_of(name, asking, ended))
        return text


def client_of(given: str | None) -> str:
    """Return the address that somebody is said to be at, as it is kept."""
    return on_one_line((given or "")[:MAX_CLIENT])


def _subject(name: str, payload: bytes) -> str:
    """Return what a built-in's input is about, as far as it says so where it is looked for."""
    if len(payload) > MOST_READ:
        return ""
    try:
        fields = decode(payload)
        if name == INDIRECT_MANY:
            return _names_of(fields["items"])
    except Exception:  # whatever is wrong with it, the service says
        return ""
    found = [fields.get(key) for key in SUBJECTS] if isinstance(fields, dict) else []
    return next((on_one_line(each) for each in found if isinstance(each, str)), "")


def _names_of(items: object) -> str:
    names = [item["name"] if isinstance(item, dict) else item[0] for item in items_of(items)]
    return on_one_line(f"{len(names)}: {', '.join(sorted({str(name) for name in names}))}")


def _call_of(name: str, asking: Asking, ended: _Ended) -> KeptCall:
    asked, http_status, text = asking.asked, ended.http_status, ended.text
    payload, is_cut = cut(asked.payload)
    response, response_is_cut = cut(text.encode("utf-8", "replace"))
    is_accepted = asked.is_async and http_status == 200
    return KeptCall(
        cid=asking.cid,
        accepted=text if is_accepted else None,
        service=name,
        is_async=asked.is_async,
        time=ended.at,
        status="accepted" if is_accepted else "ok" if http_status == 200 else "error",
        http_status=http_status,
        ms=ended.ms,
        payload=payload,
        is_cut=is_cut,
        options={**options_of(asked), **_headers_of(asking)},
        response=response,
        response_is_cut=response_is_cut,
    )


def _headers_of(asking: Asking) -> dict[str, Any]:
    """Return the headers that somebody chose, without those that are secrets."""
    chosen = {name: value for name, value in asking.headers.items() if name not in COMMON and not is_secret_name(name)}
    return {"headers": chosen} if chosen else {}
