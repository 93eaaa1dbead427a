"""`/zato/admin/invoke`: any service, for the user `admin.invoke`, in the envelope that clients know."""

from collections.abc import Sequence
from functools import partial

from zato.core.envelope import ADMIN_INVOKE, InvokeRequest, encode_success, parse_request
from zato.core.errors import BadRequest
from zato.core.people import CLIENT_HEADER, SESSION_HEADER
from zato.server.failures import log_failure
from zato.server.front import Front, Origin, read_with
from zato.server.http.auth import BasicAuth
from zato.server.http.message import Reply, Request, http_info
from zato.server.people.acting import Person
from zato.server.people.checkpoint import Asking, Checkpoint
from zato.server.threads import Budget

__all__ = ["AdminDoor"]


class AdminDoor:
    """Carries out what a request's body asks for, as the built-in service `zato.service.invoke` does."""

    def __init__(
        self,
        front: Front,
        auth: BasicAuth,
        readers: Budget,
        checkpoint: Checkpoint,
        *,
        honour_default_expiration: bool,
    ) -> None:
        """Take what carries requests out, who may ask, where large ones are read, what lets people through, a setting.

        Args:
            honour_default_expiration: the setting of that name.
        """
        self._checkpoint = checkpoint
        self._front = front
        self._auth = auth
        self._readers = readers
        self._parse = partial(parse_request, honour_default_expiration=honour_default_expiration)

    async def invoke(self, request: Request) -> Reply:
        """Return the envelope with the service's response, or with the CID of an accepted call.

        Raises:
            Exception: whatever the request or the service deserves; `zato.server.http.errors` makes it a reply.
        """
        self._auth.check(request.header("authorization"))
        request.user = self._auth.user
        person = await self._person_of(request)
        body = await request.read()
        request.size = len(body)
        asked = await read_with(self._readers, self._parse, body, label=ADMIN_INVOKE)
        request.service, request.channel = asked.name, asked.channel
        _take_key(asked, request.header_values("idempotency-key"))
        try:
            text = await self._answer(person, asked, request)
        except Exception as error:
            log_failure(asked.name, request.cid, asked.channel, error)
            raise
        if asked.is_async:
            request.accepted = text
        return Reply(200, encode_success(text, request.cid, nested=asked.nested))

    async def _person_of(self, request: Request) -> Person | None:
        """Return for whom a request is made, or None if it says nothing of that: then a machine asks for itself."""
        tokens = request.header_values(SESSION_HEADER)
        return await self._checkpoint.person_of(tokens, request.header(CLIENT_HEADER)) if tokens else None

    async def _answer(self, person: Person | None, asked: InvokeRequest, request: Request) -> str:
        run = partial(self._front.invoke, asked, Origin(request.cid, ADMIN_INVOKE, partial(http_info, request)))
        if person is None:
            return await run()
        return await self._checkpoint.run(person, Asking(asked, request.cid, request.headers()), run)


def _take_key(asked: InvokeRequest, given: Sequence[str | None]) -> None:
    """Put the header `Idempotency-Key` into the request.

    A key that would have no effect is refused: who sends one relies on it, and sends again what got no answer.
    """
    if not given:
        return
    if not asked.is_async:
        raise BadRequest(
            "The header Idempotency-Key works with background calls only: this call would run as often as it is "
            "sent. Add 'is_async': true, or leave the header out."
        )
    keys = {*given, *((asked.idempotency_key,) if asked.idempotency_key is not None else ())}
    if None in keys:
        raise BadRequest(
            "The header Idempotency-Key is visible ASCII; send any other key as the field 'idempotency_key'."
        )
    if len(keys) > 1:
        raise BadRequest("The request carries different idempotency keys. Send one, as a header or as a field.")
    asked.idempotency_key = given[0]
