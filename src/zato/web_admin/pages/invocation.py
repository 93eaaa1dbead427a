"""One invocation: what became of it, what it belongs to, and what can be done about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from zato.core.errors import InvalidPayload
from zato.core.invocation import OUTCOMES
from zato.core.layout import indented
from zato.core.payload import decode
from zato.core.typed import member
from zato.web_admin.bars import WIDTH, course, parts_of
from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.filters import iso
from zato.web_admin.highlighting import Shown, shown
from zato.web_admin.live import live
from zato.web_admin.page import page
from zato.web_admin.tree import grown
from zato.web_admin.visit import Visit

__all__ = ["routes"]

# Bytes of a payload or a response that a page shows, and of one that can be edited in a form.
CUT = 64_000
MOST_EDITED = 1_000_000
MOST_OF_A_CID = 200
VALUES = ("payload", "response")
# Payloads and responses that stand for none.
NOTHING = ("", '""', "null")
# What a name of a file may have, whatever the CID has.

Record = Mapping[str, Any]


def show(visit: Visit) -> Response:
    """Show the call with a CID or an id, or all of them, or what a request without a record has made."""
    wanted = visit.request.path_params["cid"]
    items = visit.ask("zato.invocation.get-list", {"cid": wanted, "limit": MOST_OF_A_CID})["items"]
    if len(items) > 1:
        return visit.render("invocation_several.html", cid=wanted, found=items, now=iso(datetime.now(UTC)))
    record = _record(visit, items[0]["id"] if items else wanted)
    if record is None:
        return _without_record(visit, wanted)
    return visit.render("invocation.html", **_values(visit, record))


def now(visit: Visit) -> str:
    """Return the part of the page that changes until there is an outcome.

    Raises:
        BadAddress: there is no such call, or no more.
    """
    record = _record(visit, visit.request.path_params["id"])
    if record is None:
        raise BadAddress("The record of this call is gone: outcomes are kept for a time only.")
    return visit.fragment("invocation_now.html", **_values(visit, record))


def download(visit: Visit) -> Response:
    """Serve the whole of a payload or response."""
    what = visit.query.get("what", "")
    if what not in VALUES:
        raise BadAddress(f"There is no {what!r:.80} to download. There are {' and '.join(VALUES)}.")
    reply = visit.door.invoke(visit.person, "zato.invocation.get", {"id": visit.query.get("id", "")})
    if not reply.ok:
        raise Refused(str(reply.details), status=reply.inner.status_code, cid=reply.cid)
    headers = visit.attachment(f"{what}-{reply.data['cid']}.json")
    whole = member(reply.inner_service_response, what) or "null"
    return Response(whole, media_type="application/json", headers=headers)


def cancel(visit: Visit) -> Response:
    """Cancel a call. Somebody may have been faster: then the page says so, and shows what it is now."""
    call_id = visit.form.get("id", "")
    try:
        visit.ask("zato.invocation.cancel", {"id": call_id})
    except Refused as error:
        return _back(visit, call_id, error)
    return visit.redirect(_path(call_id), notice="Cancelled.")


def replay(visit: Visit) -> Response:
    """Make a call once more. If it was replayed before, by whomever, nothing is done until somebody insists."""
    call_id, again = visit.form.get("id", ""), visit.form.get("again") == "1"
    try:
        made = visit.ask("zato.invocation.replay", {"id": call_id, "once": not again})
    except Refused as error:
        if error.http_status == 409 and not again and "replayed before" in str(error):
            return visit.redirect(f"{_path(call_id)}?again=1", notice=str(error), is_error=True)
        return _back(visit, call_id, error)
    if made.get("new", True):
        return visit.redirect(_path(made["id"]), notice="Replayed. This is the new call.")
    said = f"This call was replayed before, as {made['cid']}; nothing was done. Replay it again if that is meant."
    return visit.redirect(f"{_path(call_id)}?again=1", notice=said, is_error=True)


def edit(visit: Visit) -> Response:
    """Show the form to replay a call with another payload."""
    call_id = visit.query.get("id", "")
    record = visit.ask("zato.invocation.get", {"id": call_id, "cut": MOST_EDITED})
    payload = record["payload"]
    kind, text = ("json", "") if payload["is_cut"] else _editable(payload["text"])
    return visit.render("replay.html", record=record, kind=kind, text=text, is_large=payload["is_cut"], problem="")


def check(visit: Visit) -> Response:
    """Say what is wrong with a payload while it is typed: its form, or what the service's declared input refuses."""
    service, kind, text = (visit.form.get(name, "") for name in ("service", "kind", "payload"))
    try:
        asked = {"name": service, "payload": _typed(kind, text)}
        told = visit.door.ask(visit.person, "zato.service.check-input", asked)
    except (InvalidPayload, Refused) as error:
        return visit.json({"problem": str(error)})
    return visit.json({"problem": "" if told["ok"] else str(told["message"])})


def replay_edited(visit: Visit) -> Response:
    """Make a call once more with the payload of a form, or say what is wrong with that."""
    call_id, kind, text = (visit.form.get(name, "") for name in ("id", "kind", "payload"))
    try:
        asked = {"id": call_id, "payload": _typed(kind, text)}
        made = visit.door.ask(visit.person, "zato.invocation.replay", asked)
    except (InvalidPayload, Refused) as error:
        status = error.http_status if isinstance(error, Refused) else 400
        record = visit.ask("zato.invocation.get", {"id": call_id, "cut": 0})
        given = {"kind": kind, "text": text, "is_large": False, "problem": str(error)}
        return visit.render("replay.html", status=status, record=record, **given)
    return visit.redirect(_path(made["id"]), notice="Replayed with another payload. This is the new call.")


def _record(visit: Visit, call_id: str) -> Record | None:
    try:
        record: Record = visit.ask("zato.invocation.get", {"id": call_id, "cut": CUT})
    except Refused as error:
        if error.http_status == 404:
            return None
        raise
    return record


def _values(visit: Visit, record: Record) -> dict[str, Any]:
    moment = datetime.now(UTC)
    parts = parts_of(course(record, moment.timestamp()))
    # Among many calls a tree is looked for long: while the page goes on by itself, only now and then, and when the
    # call has come further.
    about = [record[name] for name in ("status", "attempts", "takeovers", "started")]
    tree = visit.lately.get(about, lambda: _tree(visit, {"id": record["id"]}))
    tree = tree or {"root": record["cid"], "items": [], "is_cut": False}
    return {
        "record": record,
        "now": iso(moment),
        "has_ended": record["status"] in OUTCOMES,
        "again": visit.query.get("again") == "1",
        "parts": parts,
        "width": WIDTH,
        "payload": _shown(record["payload"]),
        "response": _shown(record["response"]),
        "tree": tree,
        "nodes": grown(tree["items"], record["id"]),
        "recorded": {item["cid"] for item in tree["items"]},
    }


def _without_record(visit: Visit, cid: str) -> Response:
    """Show what a request has made that is no background call itself, or say that nothing is known of it."""
    tree = _tree(visit, {"cid": cid})
    if tree is None:
        return visit.render("invocation_unknown.html", status=404, cid=cid)
    return visit.render("invocation_request.html", cid=cid, tree=tree, nodes=grown(tree["items"], ""), recorded=set())


def _tree(visit: Visit, which: Mapping[str, str]) -> Mapping[str, Any] | None:
    try:
        tree: Mapping[str, Any] = visit.ask("zato.invocation.get-tree", which)
    except Refused as error:
        if error.http_status == 404:
            return None
        raise
    return tree


def _shown(value: Mapping[str, Any] | None) -> tuple[Shown, int] | None:
    """Return what to show of a payload or a response, and the bytes of the whole."""
    if value is None or value["text"] in NOTHING:
        return None
    _, text = ("text", value["text"]) if value["is_cut"] else _editable(value["text"])
    return shown(text, is_cut=value["is_cut"]), value["size"]


def _editable(stored: str) -> tuple[str, str]:
    """Return whether a payload is edited as `json` or as `text`, and what the form shows of it."""
    try:
        value = decode(stored, exact=True) if stored else ""
    except InvalidPayload:
        return "text", stored
    return ("text", value) if isinstance(value, str) else ("json", indented(stored) or stored)


def _typed(kind: str, text: str) -> object:
    """Return the payload that was typed; browsers send the ends of lines as two characters each.

    Raises:
        InvalidPayload: it is to be JSON, and is none.
    """
    return decode(text, exact=True) if kind == "json" else text.replace("\r\n", "\n")


def _back(visit: Visit, call_id: str, error: Refused) -> Response:
    """Return to a call's page, which shows the state that it has now, with what the server said."""
    if error.http_status == 409:
        return visit.redirect(_path(call_id), notice=str(error), is_error=True)
    raise error


def _path(call_id: str) -> str:
    return f"/invocations/{quote(call_id, safe='')}"


routes = [
    page("/invocations/-/download", download),
    page("/invocations/-/cancel", cancel, methods=["POST"]),
    page("/invocations/-/replay", replay, methods=["POST"]),
    page("/invocations/-/check", check, methods=["POST"]),
    page("/invocations/-/edit", edit),
    page("/invocations/-/edit", replay_edited, methods=["POST"]),
    live("/live/invocation/{id:path}", now),
    page("/invocations/{cid:path}", show),
]
