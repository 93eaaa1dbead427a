"""`/zato/admin/invoke`: any service, for the user `admin.invoke`, in the envelope that clients know."""

from functools import partial

from zato.core.envelope import ADMIN_INVOKE, encode_success, parse_request
from zato.server.failures import log_failure
from zato.server.front import Front, Origin, read_with
from zato.server.http.auth import BasicAuth
from zato.server.http.message import Reply, Request, http_info
from zato.server.threads import Budget

__all__ = ["AdminDoor"]


class AdminDoor:
    """Carries out what a request's body asks for, as the built-in service `zato.service.invoke` does."""

    def __init__(self, front: Front, auth: BasicAuth, readers: Budget, *, honour_default_expiration: bool) -> None:
        """Take what carries requests out, who may ask, where large ones are read, and the setting of that name."""
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
        asked = await read_with(self._readers, self._parse, await request.read(), label=ADMIN_INVOKE)
        try:
            text = await self._front.invoke(asked, Origin(request.cid, ADMIN_INVOKE, partial(http_info, request)))
        except Exception as error:
            log_failure(asked.name, request.cid, asked.channel, error)
            raise
        return Reply(200, encode_success(text, request.cid, nested=asked.nested))
