"""`zato.service.get-list`, `zato.service.get` and `zato.service.get-source`: what is deployed."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zato.core.errors import BadRequest
from zato.core.options import priority_word
from zato.server.builtin.inputs import choice_of, count_of, read_object, text_of, truth_of, word_of
from zato.server.counts import NEVER, Ran
from zato.server.deployment import Deployment
from zato.server.registry import Deployed
from zato.server.service import SHADOW_PACKAGE, AsyncService

__all__ = ["Describe", "GetList", "GetSource"]

# More than that are never deployed.
MOST = 1_000_000

Key = Callable[[Deployed, Ran], Any]

# What a list is sorted by. Who has no file comes last.
KEYS: Mapping[str, Key] = {
    "name": lambda deployed, _: deployed.name,
    "impl_name": lambda deployed, _: deployed.impl_name,
    "file": lambda deployed, _: (deployed.file is None, deployed.file),
    "calls": lambda _, ran: ran[0],
    "errors": lambda _, ran: ran[1],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which services a list is to have, and in which order.

    Attributes:
        words: each is in the name, in the name of the implementation, or in the file, whichever case it has.
        internal: built-in ones, too.
    """

    words: tuple[str, ...]
    sort: str
    reverse: bool
    limit: int
    offset: int
    internal: bool

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Wish":
        """Read it from an input.

        Raises:
            BadRequest: a field is not legal; the message names it.
        """
        return cls(
            words=_words_of(fields),
            sort=choice_of(fields, "sort", tuple(KEYS)) or "name",
            reverse=truth_of(fields, "reverse"),
            limit=count_of(fields, "limit", default=MOST, low=1, high=MOST),
            offset=count_of(fields, "offset", default=0, low=0, high=MOST),
            internal=truth_of(fields, "internal", default=True),
        )

    def found(self, services: Iterable[Deployed], ran: Mapping[str, Ran]) -> list[Deployed]:
        """Return those that are wished for, in order, on all pages."""
        found = sorted((each for each in services if self._fits(each)), key=lambda each: each.name)
        key = KEYS[self.sort]
        return sorted(found, key=lambda each: key(each, ran.get(each.name, NEVER)), reverse=self.reverse)

    def _fits(self, deployed: Deployed) -> bool:
        if deployed.is_internal and not self.internal:
            return False
        if not self.words:
            return True
        text = f"{deployed.name}\n{deployed.impl_name}\n{deployed.file or ''}".casefold()
        return all(word in text for word in self.words)


def _words_of(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return what is looked for; an empty text finds all."""
    query = None if fields.get("query") == "" else word_of(fields, "query")
    return () if query is None else tuple(query.casefold().split())


class GetList(AsyncService):
    """Lists what is deployed.

    Input: `query`, words that are all in its name, in that of its implementation or in its file; `sort`, which is
    `name`, `impl_name`, `file`, `calls` or `errors`; `reverse`, true for the last first; `limit` and `offset`, which
    of them to list; `internal`, false to leave out built-in services. Nothing is needed.
    Output: `items`, a list of objects with `name`, `impl_name`, `is_internal`, `is_async`, `file`, `calls`, `errors`
    and `servers`; `total`, how many there are with `limit` and `offset` left aside. `calls` is how often it ran since
    the servers that live now were started, `errors` how often it raised an error or took too long; what other
    processes tell is some seconds old. `servers` are the names of those that have it.
    """

    name = "zato.service.get-list"

    def __init__(self, deployment: Deployment) -> None:
        """Take what knows of services."""
        self._deployment = deployment

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...], "total": ...}`."""
        known = ("query", "sort", "reverse", "limit", "offset", "internal")
        wish = Wish.of(read_object(self.request.payload, *known))
        ran = await self._deployment.ran()
        found = wish.found(self._deployment.all.values(), ran)
        page = found[wish.offset : wish.offset + wish.limit]
        servers = await self._deployment.servers([each.name for each in page])
        items = [_as_item(each, ran.get(each.name, NEVER), list(servers[each.name])) for each in page]
        return {"items": items, "total": len(found)}


class Describe(AsyncService):
    """Tells what is known of one service.

    Input: `name`.
    Output: what `zato.service.get-list` tells, and `doc`, the docstring; `module`; `line`, where the class begins in
    its file; `retry`, `time_limit`, `max_concurrency`, `priority` and `queue` of its class; `input` and `output`, what
    it declares; `methods`, the HTTP methods that it has a method for. What is not there is null. An unknown name is a
    404.
    """

    name = "zato.service.get"

    def __init__(self, deployment: Deployment) -> None:
        """Take what knows of services."""
        self._deployment = deployment

    async def handle(self) -> dict[str, Any]:
        """Return the fields of the service."""
        deployed = _named(self._deployment, self.request.payload)
        terms = deployed.terms
        ran, servers = await self._deployment.ran(), await self._deployment.servers([deployed.name])
        return {
            **_as_item(deployed, ran.get(deployed.name, NEVER), list(servers[deployed.name])),
            "doc": inspect.getdoc(deployed.kind) if deployed.kind.__doc__ else None,
            "module": deployed.kind.__module__.removeprefix(SHADOW_PACKAGE),
            "line": await self._deployment.line(deployed),
            "retry": None if terms.retry is None else terms.retry.as_json(),
            "time_limit": terms.time_limit,
            "max_concurrency": terms.max_concurrency,
            "priority": None if terms.priority is None else priority_word(terms.priority),
            "queue": terms.queue,
            **deployed.plan.contract.described(),
            "methods": list(deployed.plan.verbs) or None,
        }


class GetSource(AsyncService):
    """How a service is written: its class, as this server has loaded it.

    Input: `name`.
    Output: `name`; `file`; `source`, the text of the class, and `line`, its first one in the file; `has_changed`, true
    if the file is not the one any more that was loaded. Then, and of built-in services, `source` and `line` are null.
    An unknown name is a 404.
    """

    name = "zato.service.get-source"

    def __init__(self, deployment: Deployment) -> None:
        """Take what knows of services."""
        self._deployment = deployment

    async def handle(self) -> dict[str, Any]:
        """Return the source."""
        deployed = _named(self._deployment, self.request.payload)
        source = await self._deployment.source(deployed)
        return {
            "name": deployed.name,
            "file": deployed.file,
            "source": source.text,
            "line": source.line,
            "has_changed": source.has_changed,
        }


def _named(deployment: Deployment, payload: object) -> Deployed:
    name = text_of(read_object(payload, "name"), "name")
    if name is None:
        raise BadRequest("Give 'name', the name of a service.")
    return deployment.get(name)


def _as_item(deployed: Deployed, ran: Ran, servers: list[str]) -> dict[str, Any]:
    calls, errors = ran
    return {
        "name": deployed.name,
        "impl_name": deployed.impl_name,
        "is_internal": deployed.is_internal,
        "is_async": deployed.is_async,
        "file": deployed.file,
        "calls": calls,
        "errors": errors,
        "servers": servers,
    }
