"""Any service, invoked by hand: now, or in the background.

A form that is sent runs the call and leads to the page of its outcome, so that no reload runs it twice. The server
keeps the last calls of each person; what it does not keep of them is in `outcomes.py` for a while.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from zato.client import ServiceInvokeResponse
from zato.client.response import NO_CID
from zato.core.invocation import OUTCOMES
from zato.core.layout import indented
from zato.core.payload import decode
from zato.web_admin.calls import FIELDS, Call, fields_of_call, read_call
from zato.web_admin.declared import example_of
from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.highlighting import Shown, shown
from zato.web_admin.live import live
from zato.web_admin.outcomes import Outcome, Whole
from zato.web_admin.page import page
from zato.web_admin.snippets import Snippet, snippets_of, why_not
from zato.web_admin.visit import Visit

__all__ = ["routes"]

# Names that the field for the service offers; others come as somebody types.
MOST_NAMES = 100
# Bytes of a payload or response that the server keeps of a call.
KEPT_BY_SERVER = 65_536
# Characters of a payload that are checked while somebody types, and that a form is filled with.
LONGEST_CHECKED = 1_000_000
# Built-ins whose payloads are secrets, which no page repeats.
SECRETIVE = ("zato.session.", "zato.user.")
NO_PAYLOAD_YET = "Say which service to invoke, and correct what is marked; then it can be copied."


def show(visit: Visit) -> Response:
    """Show the form: empty, filled in by the address, or with a call that was made and what it came to."""
    cid = visit.query.get("call")
    if cid is None:
        return _page(visit, {name: visit.query[name] for name in FIELDS if name in visit.query})
    call, outcome = _made(visit, cid)
    fields = fields_of_call(call)
    is_cut = call["is_cut"]
    whole = outcome.wholes.get("payload") if outcome is not None else None
    if is_cut and whole is not None and whole.size <= LONGEST_CHECKED:
        is_cut = False
        fields |= fields_of_call({**call, "payload": whole.text()})
    return _page(visit, fields, is_cut=is_cut, **_result(call, outcome), **_background(visit, call))


def run(visit: Visit) -> Response:
    """Make the call that the form says, and go to the page that has its outcome."""
    fields = {name: visit.form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    call, problems = read_call(fields)
    if problems:
        return _page(visit, fields, problems=problems, status=400)
    at, began = datetime.now(UTC), time.perf_counter()
    with visit.outcomes.waiting():
        response = _invoke(visit, call)
    ms = round((time.perf_counter() - began) * 1000)
    if response.cid == NO_CID:
        raise Refused(str(response.details), status=502)
    _keep(visit, call, response, _as_kept(call, response, at, ms))
    return visit.redirect(f"/invoke?{urlencode({'call': response.cid})}")


def check(visit: Visit) -> Response:
    """Tell our script what is wrong with the form as it is now, and how to make the same call from elsewhere."""
    fields = {name: visit.form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    call, problems = read_call(fields)
    service = _described(visit, call.service)
    if service is None and call.service:
        problems["service"] = f"No service of the name {call.service!r:.200} is deployed."
    accepted = None
    if service is not None and "payload" not in problems and visit.may("operator"):
        accepted = _accepted(visit, call)
    return visit.json(
        {
            "problems": problems,
            "accepted": accepted,
            "example": _example(service),
            "snippets": [asdict(each) for each in _snippets(visit, call, problems)],
        }
    )


def names(visit: Visit) -> Response:
    """Tell our script which services there are whose names have what was typed."""
    return visit.json({"names": _names(visit, visit.form.get("query", ""))})


def outcome_now(visit: Visit) -> str:
    """Return what has become of a call in the background.

    Raises:
        BadAddress: the address names no call.
    """
    cid = visit.query.get("cid")
    if cid is None:
        raise BadAddress("The address names no call: it has to say cid=.")
    return visit.fragment("invoke_outcome.html", **_background(visit, {"accepted": cid}))


def download(visit: Visit) -> Response:
    """Serve the whole of a response. It was kept when it came: the call is not made again."""
    cid = visit.request.path_params["cid"]
    call, outcome = _made(visit, cid)
    whole = outcome.wholes.get("response") if outcome is not None else None
    if whole is None and call["response_is_cut"]:
        raise BadAddress(
            "The whole response is not kept any more: only the beginning of it is, which the page of the call shows. "
            "Run the call in the background to have the server keep all of it."
        )
    is_json = outcome is not None and outcome.wholes and call["response"].lstrip()[:1] in ("{", "[")
    kind, end = ("application/json", "json") if is_json else ("text/plain; charset=utf-8", "txt")
    headers = visit.attachment(f"response-{cid}.{end}")
    if whole is None:
        return Response(call["response"], media_type=kind, headers=headers)
    return StreamingResponse(whole.blocks(), media_type=kind, headers={**headers, "Content-Length": str(whole.size)})


def _page(
    visit: Visit,
    fields: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
    is_cut: bool = False,
    **result: Any,
) -> Response:
    name = fields.get("service", "")
    service = _described(visit, name)
    problems = dict(problems or {})
    if service is None and name and "call" not in visit.query:
        problems.setdefault("service", f"No service of the name {name!r:.200} is deployed.")
    example = _example(service)
    filled = {**dict.fromkeys(FIELDS, ""), "kind": "json", "how": "now", "payload": example, **fields}
    call, wrong = read_call(filled)
    return visit.render(
        "invoke.html",
        status=status,
        fields=filled,
        problems=problems,
        service=service,
        example=example,
        is_cut=is_cut,
        names=_names(visit, ""),
        snippets=_snippets(visit, call, wrong),
        calls=_last_calls(visit),
        may_run=visit.may("operator"),
        **{"call": None, **result},
    )


def _described(visit: Visit, name: str) -> Mapping[str, Any] | None:
    """Return what is known of a service, or None if there is none of that name."""
    if not name:
        return None
    try:
        service: Mapping[str, Any] = visit.ask("zato.service.get", {"name": name})
    except Refused as error:
        if error.http_status == 404:
            return None
        raise
    return service


def _example(service: Mapping[str, Any] | None) -> str:
    example = example_of(service["input"]) if service is not None else ""
    return indented(example) or ""


def _names(visit: Visit, query: str) -> list[str]:
    asked = {"query": query or None, "internal": bool(query), "limit": MOST_NAMES}
    return [item["name"] for item in visit.ask("zato.service.get-list", asked)["items"]]


def _accepted(visit: Visit, call: Call) -> Mapping[str, Any] | None:
    """Return whether the declared input accepts the payload, and if not, why."""
    if len(call.body) > LONGEST_CHECKED:
        return None
    payload = decode(call.body) if call.body else ""
    try:
        told: Mapping[str, Any] = visit.ask("zato.service.check-input", {"name": call.service, "payload": payload})
    except Refused as error:
        return {"ok": False, "message": str(error)}
    return told


def _snippets(visit: Visit, call: Call, problems: Mapping[str, str]) -> list[Snippet]:
    return why_not(NO_PAYLOAD_YET) if problems else snippets_of(call, visit.door.address)


def _last_calls(visit: Visit) -> list[Mapping[str, Any]]:
    try:
        items: list[Mapping[str, Any]] = visit.ask("zato.session.get-calls")["items"]
    except Refused:
        return []
    return items


def _invoke(visit: Visit, call: Call) -> ServiceInvokeResponse[Any]:
    door = visit.door
    method = door.invoke_async if call.in_background else door.invoke
    return method(visit.person, call.service, call.body, headers=call.headers, to_json=False, **call.options)


def _keep(visit: Visit, call: Call, response: ServiceInvokeResponse[Any], told: Mapping[str, Any]) -> None:
    """Keep what the server does not: long texts, tracebacks, and calls that it refused or that are its own."""
    texts = {"payload": call.body, "response": response.inner_service_response}
    if call.service.startswith(SECRETIVE):
        texts = {}
    wholes = {name: Whole.of(data) for name, text in texts.items() if len(data := text.encode()) > KEPT_BY_SERVER}
    details = "" if response.ok else str(response.details)
    is_kept = _kept(visit, response.cid) is not None
    if not is_kept or wholes or details:
        found = {name: whole for name, whole in wholes.items() if whole is not None}
        visit.outcomes.keep(response.cid, Outcome(visit.user, None if is_kept else told, details, found))


def _as_kept(call: Call, response: ServiceInvokeResponse[Any], at: datetime, ms: int) -> dict[str, Any]:
    """Return a call as `zato.session.get-call` tells of those that the server keeps."""
    text = response.inner_service_response if response.ok else str(response.details)
    secretive = call.service.startswith(SECRETIVE)
    payload = "" if secretive else call.body
    return {
        "cid": response.cid,
        "accepted": str(response.data) if call.in_background and response.ok else None,
        "service": call.service,
        "is_async": call.in_background,
        "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": "error" if not response.ok else "accepted" if call.in_background else "ok",
        "http_status": response.inner.status_code,
        "ms": ms,
        "payload": payload[:KEPT_BY_SERVER],
        "is_cut": len(payload) > KEPT_BY_SERVER,
        "options": {**call.options, "headers": dict(call.headers)},
        "response": "" if secretive and response.ok else text[:KEPT_BY_SERVER],
        "response_is_cut": len(text) > KEPT_BY_SERVER,
    }


def _kept(visit: Visit, cid: str) -> Mapping[str, Any] | None:
    """Return a call that the server keeps, or None."""
    try:
        call: Mapping[str, Any] = visit.ask("zato.session.get-call", {"cid": cid})
    except Refused as error:
        if error.http_status == 404:
            return None
        raise
    return call


def _made(visit: Visit, cid: str) -> tuple[Mapping[str, Any], Outcome | None]:
    """Return a call that somebody made, and what is kept of it here.

    Raises:
        Refused: nothing is kept of it.
    """
    outcome, call = visit.outcomes.get(cid), _kept(visit, cid)
    if call is None and outcome is not None and outcome.user == visit.user:
        call = outcome.call
    if call is None:
        raise Refused(
            f"No call with the CID {cid!r:.200} is kept. The last 20 of each person are, for 7 days. A call in the "
            "background has a record of its own, among the invocations.",
            status=404,
        )
    return call, outcome


def _result(call: Mapping[str, Any], outcome: Outcome | None) -> dict[str, Any]:
    """Return what the page shows of what a call came to."""
    whole = outcome.wholes.get("response") if outcome is not None else None
    details = outcome.details if outcome is not None else ""
    if whole is not None:
        text, is_cut = whole.text(), False
    else:
        text, is_cut = call["response"], call["response_is_cut"]
    return {
        "call": call,
        "response": shown(text, is_cut=is_cut),
        "size": whole.size if whole is not None else None,
        "details": details or call["response"],
    }


def _background(visit: Visit, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a call that was accepted to be run in the background."""
    if not call["accepted"]:
        return {}
    try:
        record = visit.ask("zato.invocation.get", {"cid": call["accepted"], "cut": KEPT_BY_SERVER})
    except Refused as error:
        return {"record": None, "is_final": True, "said": str(error)}
    value = record["response"]
    result = None if value is None else _shown_json(value)
    return {"record": record, "is_final": record["status"] in OUTCOMES, "result": result, "value": value}


def _shown_json(value: Mapping[str, Any]) -> Shown:
    """Return what to show of a stored value; a text is shown as what it says."""
    text, is_cut = value["text"], value["is_cut"]
    is_text = text.startswith('"') and not is_cut
    return shown(decode(text) if is_text else text, is_cut=is_cut)


routes = [
    page("/invoke", show),
    page("/invoke", run, methods=["POST"]),
    page("/invoke/check", check, methods=["POST"]),
    page("/invoke/names", names, methods=["POST"]),
    page("/invoke/response/{cid:path}", download),
    live("/live/invoke", outcome_now, every=1.0),
]
