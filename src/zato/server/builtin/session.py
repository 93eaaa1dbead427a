"""`zato.session.*`: logging in and out of the web admin, and the last calls that somebody made there."""

from typing import Any

from zato.core.errors import BadRequest
from zato.core.people import KeptCall
from zato.server.builtin.inputs import read_object, text_of
from zato.server.builtin.passwords import name_in, password_in
from zato.server.people.acting import acting, acting_person
from zato.server.people.checkpoint import client_of
from zato.server.people.history import History
from zato.server.people.login import LogIn
from zato.server.people.sessions import Sessions
from zato.server.records import iso_time
from zato.server.service import AsyncService

__all__ = ["Close", "GetCall", "GetCalls", "GetSession", "Open"]


class Open(AsyncService):
    """Logs a person in.

    After three failures from one address, the next attempt has to wait for 1 second, then 2, 4, up to 60; after
    twenty for one name from any addresses, 30.

    Input: `name`; `password`; `client`, the address that the person is at; in a session, it is that of the session's.
    Output: `token`, which the web admin sends in the header `X-Zato-Session`; `user`; `role`; `expires`. A wrong name
    or password is a 403, too many attempts a 429, too many at once a 503.
    """

    name = "zato.session.open"

    def __init__(self, login: LogIn) -> None:
        """Take what tells whether somebody is who they say they are."""
        self._login = login

    async def handle(self) -> dict[str, Any]:
        """Return the session."""
        fields = read_object(self.request.payload, "name", "password", "client")
        name, password = name_in(fields), password_in(fields, "password")
        given, person = client_of(text_of(fields, "client")), acting.get()
        # Nobody who is logged in chooses for whom somebody else has to wait.
        client = given if person is None else person.client
        user, token, session = await self._login.open(name, password, client, self.cid)
        return {"token": token, "user": user.name, "role": user.role.value, "expires": iso_time(session.expires)}


class GetSession(AsyncService):
    """Tells whose session the request is made in.

    Input: nothing.
    Output: `user`; `role`; `opened` and `expires`, when; `client`, the address at which it was opened.
    """

    name = "zato.session.get"

    async def handle(self) -> dict[str, Any]:
        """Return the session."""
        read_object(self.request.payload)
        person = acting_person()
        return {
            "user": person.name,
            "role": person.role.value,
            "opened": iso_time(person.opened),
            "expires": iso_time(person.expires),
            "client": person.since,
        }


class Close(AsyncService):
    """Logs out whose session the request is made in.

    Input: nothing.
    Output: an empty object.
    """

    name = "zato.session.close"

    def __init__(self, sessions: Sessions) -> None:
        """Take what closes sessions."""
        self._sessions = sessions

    async def handle(self) -> dict[str, Any]:
        """Return `{}`."""
        read_object(self.request.payload)
        await self._sessions.close(acting_person())
        return {}


class GetCalls(AsyncService):
    """Lists the last calls of services that the person made whose session it is: at most 20, of the last 7 days.

    Input: nothing.
    Output: `items`, newest first: what `zato.session.get-call` returns.
    """

    name = "zato.session.get-calls"

    def __init__(self, history: History) -> None:
        """Take what keeps calls."""
        self._history = history

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return {"items": [_as_item(call) for call in await self._history.of(acting_person().name)]}


class GetCall(AsyncService):
    """One of the last calls of services that somebody made, whoever it was.

    Input: `cid`, of the request.
    Output: `cid`; `accepted`, the CID of the background call, or null; `service`; `is_async`; `time`; `status`, `ok`,
    `error` or `accepted`; `http_status`; `ms`; `payload`, as text, and `is_cut`, whether that is not all; `options`, an
    object with those that were given; `response`, the text of it or of the error, and `response_is_cut`. What is not
    kept is a 404.
    """

    name = "zato.session.get-call"

    def __init__(self, history: History) -> None:
        """Take what keeps calls."""
        self._history = history

    async def handle(self) -> dict[str, Any]:
        """Return the call."""
        cid = text_of(read_object(self.request.payload, "cid"), "cid")
        if cid is None:
            raise BadRequest("Give 'cid', of a request.")
        return _as_item(await self._history.get(cid))


def _as_item(call: KeptCall) -> dict[str, Any]:
    return {
        "cid": call.cid,
        "accepted": call.accepted,
        "service": call.service,
        "is_async": call.is_async,
        "time": iso_time(call.time),
        "status": call.status,
        "http_status": call.http_status,
        "ms": call.ms,
        "payload": call.payload,
        "is_cut": call.is_cut,
        "options": call.options,
        "response": call.response,
        "response_is_cut": call.response_is_cut,
    }
