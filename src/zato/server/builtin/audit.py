"""`zato.audit.*`: who did what."""

from typing import Any

from zato.broker.audit import Notes
from zato.server.builtin.filters import cursor_of
from zato.server.builtin.inputs import count_of, read_object, text_of, time_of
from zato.server.people.trail import Trail
from zato.server.records import iso_time
from zato.server.service import AsyncService

__all__ = ["GetAudit"]

PAGE = 50
MAX_PAGE = 1000


class GetAudit(AsyncService):
    """Lists what people did, and what they were refused, newest first, in pages. Reading leaves no entry.

    Input: `user`, `action`, `object`, `cid`; `since` and `until`, ISO 8601; `limit`, 1 to 1000, by default 50;
    `cursor`, from the page before. Nothing is needed.
    Output: `items`, a list of objects with `time`, `user`, `client`, `action`, `object`, `cid` and `status`; `cursor`
    for the next page, or null. `action` is the name of a built-in service, `invoke` or `invoke-async`; `status` is
    `ok`, the code of an error, or `unknown` for what has begun and not ended, or whose server died meanwhile.
    """

    name = "zato.audit.get-list"

    def __init__(self, trail: Trail) -> None:
        """Take the audit."""
        self._trail = trail

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...], "cursor": ...}`."""
        known = ("user", "action", "object", "cid", "since", "until", "limit", "cursor")
        fields = read_object(self.request.payload, *known)
        page = await self._trail.find(
            Notes(
                limit=count_of(fields, "limit", default=PAGE, low=1, high=MAX_PAGE),
                cursor=cursor_of(fields),
                since=time_of(fields, "since"),
                until=time_of(fields, "until"),
                user=text_of(fields, "user"),
                action=text_of(fields, "action"),
                object=text_of(fields, "object"),
                cid=text_of(fields, "cid"),
            )
        )
        items = [
            {
                "time": iso_time(entry.time),
                "user": entry.user,
                "client": entry.client,
                "action": entry.action,
                "object": entry.object,
                "cid": entry.cid,
                "status": entry.status,
            }
            for entry in page.entries
        ]
        return {"items": items, "cursor": None if page.cursor is None else str(page.cursor)}
