"""The invoker: calls now and in the background, what they came to, and how to make them from elsewhere."""

import base64
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.admins import Site, services_in
from tests.support.browsers import PHONE, OpenPage, Watch, axe
from tests.support.environments import ZATO
from tests.support.visitors import Enter, Visitor, text_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("unmeasured")

SERVICES = Path(__file__).parent / "services"
COUNTING = """
import asyncio

from zato.server.service import AsyncService, Service


class Never(AsyncService):
    name = "invoker.never"

    async def handle(self):
        await asyncio.Event().wait()


class Count(Service):
    name = "invoker.count"
    runs = []

    def handle(self):
        self.runs.append(self.request.payload)
        return {"runs": len(self.runs), "team": self.request.http.headers.get("x-team")}
"""
AWKWARD = json.dumps(
    ["it's", '"', "a\nEND\nb", "\u263a \u00e9", "$(touch x) `id` $HOME", "\\ \\n", "-x", "@y", "'; exit 1 #", "1.10"],
    ensure_ascii=False,
)
BACKGROUND = {
    "how": "background",
    "retry_attempts": "2",
    "retry_backoff": "0.5",
    "expiration": "60",
    "time_limit": "5",
    "priority": "high",
    "queue": "slow",
    "callback": "shop.told",
    "on_failure": "shop.told",
}


@pytest.fixture(scope="module")
def services() -> Mapping[str, str]:
    """The usual ones, and one that counts."""
    return {**services_in(SERVICES), "counting.py": COUNTING}


@pytest.fixture
def operator(enter: Enter, site: Site) -> Visitor:
    """Somebody who may run services."""
    visitor: Visitor = enter(session=site.session("operator"))
    return visitor


def invoke(visitor: Visitor, service: str, payload: str = "", **fields: str) -> requests.Response:
    """Send the form, and return the page of the outcome."""
    reply = visitor.submit("/invoke", service=service, payload=payload, **fields)
    assert reply.status_code == 303, text_of(reply)
    return visitor.get(reply.headers["Location"])


def part(reply: requests.Response, element: str) -> str:
    """Return the text of an element by its id."""
    found = re.search(rf'id="{element}"[^>]*>(.*?)</(?:pre|textarea|div)>', reply.text, re.DOTALL)
    assert found is not None, reply.text
    return html.unescape(re.sub(r"<[^>]*>", "", found[1]))


def run(snippet: str, name: str, folder: Path) -> str:
    """Run a snippet as it was copied, and return what it prints."""
    command = [sys.executable, "-c", snippet] if name == "python" else ["bash", "-c", snippet]
    path = f"{Path(ZATO).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: PLW1510 -- its status is looked at below
        command, capture_output=True, text=True, timeout=60, cwd=folder, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, (done.stderr, snippet)
    assert not list(folder.iterdir()), "A part of the payload was run."
    return done.stdout


def returned(printed: str, name: str) -> Any:
    """Return what a snippet says that the service returned: each way has its own form."""
    if name != "curl":
        return printed.removesuffix("\n")
    return base64.b64decode(json.loads(printed)["response"]).decode()


def test_response_has_an_address_that_a_colleague_can_open(operator: Visitor, enter: Enter, site: Site) -> None:
    """The form leads to it, and keeps what it said; a viewer sees the same."""
    sent = operator.submit("/invoke", service="shop.price", payload='{"item": "tea", "amount": 2}')
    address = sent.headers["Location"]
    for visitor in (operator, enter(session=site.session("viewer"))):
        page = visitor.get(address)
        assert json.loads(part(page, "response")) == {"item": "tea", "cost": 6}
        assert part(page, "payload") == '{"item": "tea", "amount": 2}'


def test_reload_does_not_run_the_call_again(operator: Visitor) -> None:
    """The page of an outcome is only read."""
    sent = operator.submit("/invoke", service="invoker.count", payload="1")
    before = [part(operator.get(sent.headers["Location"]), "response") for _ in range(3)]
    assert len(set(before)) == 1
    again = invoke(operator, "invoker.count")
    assert json.loads(part(again, "response"))["runs"] == json.loads(before[0])["runs"] + 1


def test_digits_come_back_as_they_are(operator: Visitor) -> None:
    """Nothing is read as a float on the way to the page."""
    page = invoke(operator, "zato.helpers.echo", '[1.5, 12345678901234567890, "\\u00e9", 1e3]')
    assert "".join(part(page, "response").split()) == '[1.5,12345678901234567890,"é",1000.0]'


def test_text_is_shown_as_text(operator: Visitor) -> None:
    """What looks like a number is a text if it was sent as one."""
    page = invoke(operator, "zato.helpers.echo", "12\r\n<b>", kind="text")
    assert part(page, "response") == "12\n<b>"
    assert re.search(r'value="text" checked', page.text)


def test_headers_reach_the_service(operator: Visitor) -> None:
    """And they are in the form when the call is to be repeated."""
    page = invoke(operator, "invoker.count", "", headers="X-Team: blue; green")
    assert json.loads(part(page, "response"))["team"] == "blue; green"
    assert "x-team: blue; green" in part(page, "headers").lower()


def test_error_is_shown_with_its_status(operator: Visitor) -> None:
    """Without a traceback, for the server keeps those for itself."""
    page = invoke(operator, "shop.order", "{}")
    assert part(page, "error").startswith("ValueError: An order needs a customer")
    assert "HTTP status500" in text_of(page)
    assert "Traceback" not in page.text


def test_timeout_of_a_call(operator: Visitor) -> None:
    """The server gives up, and says so."""
    page = invoke(operator, "invoker.never", timeout="0.1")
    assert "HTTP status504" in text_of(page)
    assert re.search(r'name="timeout" value="0.1"', page.text)


@pytest.mark.parametrize("fail", ["true", "false"])
def test_markup_is_text_everywhere(operator: Visitor, fail: str) -> None:
    """In the payload, the response, the error, the snippets and the list of last calls."""
    page = invoke(operator, "shop.markup", f'{{"fail": {fail}, "x": "</textarea></pre><script>alert(1)</script>"}}')
    main = page.text.partition("<main")[2]
    assert "<script" not in main
    assert "<img" not in main
    assert "</pre><script>document.title = 'taken'</script>" in html.unescape(page.text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"service": ""}, "Say which service to invoke"),
        ({"service": "shop.price", "payload": "{nonsense"}, "This is not JSON"),
        ({"service": "shop.price", "timeout": "soon"}, "'soon' is no number"),
        ({"service": "shop.price", "how": "background", "priority": "<b>"}, "priority='<b>' is not legal"),
    ],
)
def test_wrong_form_keeps_what_was_typed(operator: Visitor, fields: dict[str, str], said: str) -> None:
    """It says beside each field what is wrong, and runs nothing."""
    reply = operator.submit("/invoke", **fields)
    assert reply.status_code == 400
    assert said in text_of(reply)
    assert html.escape(fields.get("payload", "")) in reply.text
    assert "<b>" not in reply.text


def test_unknown_service_is_said_with_the_nearest(operator: Visitor) -> None:
    """The server's own words are shown, and the form is kept."""
    page = invoke(operator, "shop.prise", '{"item": "tea"}')
    assert "shop.price" in part(page, "error")
    assert part(page, "payload") == '{"item": "tea"}'


def test_viewer_may_look_and_not_run(enter: Enter, site: Site) -> None:
    """There is no button, and the server refuses whoever sends the form all the same."""
    viewer = enter(session=site.session("viewer"))
    page = viewer.get("/invoke?service=shop.price")
    assert 'id="run"' not in page.text
    refused = invoke(viewer, "shop.price", '{"item": "tea"}')
    assert "may not invoke" in part(refused, "error")
    assert "HTTP status403" in text_of(refused)


def test_large_response_is_cut_and_downloaded_whole(operator: Visitor) -> None:
    """Ten million characters are shown in part, and come whole without the call being made again."""
    page = invoke(operator, "shop.report", '{"size": 10000000}')
    assert len(page.content) < 400_000
    assert "the beginning" in text_of(page)
    path = re.findall(r'href="(/invoke/response/[^"]+)"', page.text)[0]
    whole = operator.get(path)
    assert whole.json() == {"text": "x" * 10_000_000}
    assert whole.headers["Content-Disposition"].startswith("attachment; filename=response-")


def test_large_payload_stays_in_the_form(operator: Visitor) -> None:
    """It is longer than what the server keeps, and can be edited and sent again."""
    payload = json.dumps(["x" * 100_000])
    page = invoke(operator, "zato.helpers.echo", payload)
    assert part(page, "payload") == payload


def test_call_that_nobody_made_is_said(operator: Visitor) -> None:
    """An address that leads nowhere, or not any more."""
    for path in ("/invoke?call=nonsense", "/invoke/response/nonsense"):
        reply = operator.get(path)
        assert reply.status_code == 404
        assert "No call with the CID" in text_of(reply)


def test_outcome_of_no_call_is_said(operator: Visitor) -> None:
    """A stream whose address names no call ends with what is missing."""
    reply = operator.get("/live/invoke")
    assert reply.text.startswith("event: wrong\n")
    assert "names no call" in reply.text


def test_last_calls_are_mine_newest_first(operator: Visitor, enter: Enter, site: Site) -> None:
    """Each can be opened; those of others are not among them."""
    invoke(operator, "shop.price", '{"item": "plum"}')
    invoke(operator, "shop.price", '{"item": "quince"}')
    said = operator.get("/invoke").text.partition("My last calls")[2]
    assert said.index("quince") < said.index("plum")
    assert "quince" not in enter(session=site.session("admin")).get("/invoke").text


def test_builtin_call_has_a_page_of_its_own(enter: Enter, site: Site) -> None:
    """The server does not keep it; its maker sees it, and nobody else."""
    admin = enter(session=site.session("admin"))
    sent = admin.submit("/invoke", service="zato.server.info")
    assert '"python"' in part(admin.get(sent.headers["Location"]), "response")
    assert enter(session=site.session("viewer")).get(sent.headers["Location"]).status_code == 404


def test_password_is_on_no_page(enter: Enter, site: Site) -> None:
    """What people's passwords are set by is not repeated."""
    admin = enter(session=site.session("admin"))
    page = invoke(admin, "zato.user.create", '{"name": "eve", "password": "secret-of-eve", "role": "viewer"}')
    assert "HTTP status200" in text_of(page)
    assert "secret-of-eve" not in page.text


def test_background_call_has_every_option(operator: Visitor, site: Site) -> None:
    """They reach the record, and the form says them still."""
    page = invoke(operator, "shop.price", '{"item": "tea"}', **BACKGROUND, cid="my-cid", idempotency_key="k1")
    record = site.ask("zato.invocation.get", {"cid": "my-cid", "wait": 30})
    assert (record["status"], record["queue"], record["priority"]) == ("done", "slow", "high")
    assert (record["callback"], record["on_failure"]) == (["shop.told"], ["shop.told"])
    assert record["expires"] is not None
    for name in ("retry_backoff", "queue", "callback", "idempotency_key", "time_limit"):
        value = {**BACKGROUND, "idempotency_key": "k1"}[name]
        assert re.search(rf'name="{name}" value="{value}"', page.text), name


@pytest.mark.parametrize(
    ("name", "kind"), [("python", "json"), ("command", "json"), ("command", "text"), ("curl", "json")]
)
def test_snippet_of_a_call_now_runs_as_copied(operator: Visitor, tmp_path: Path, name: str, kind: str) -> None:
    """Whatever the payload has in it, the service gets it, and what it returns is printed."""
    payload = AWKWARD if kind == "json" else "\n".join(json.loads(AWKWARD))
    fields = {"service": "zato.helpers.echo", "payload": payload, "kind": kind, "headers": "X-Team: it's"}
    page = operator.get("/invoke", params=fields)
    got = returned(run(part(page, f"snippet-{name}"), name, tmp_path), name)
    if kind == "text":
        assert got == payload
    else:
        assert got == repr(json.loads(payload)) if name == "python" else json.loads(got) == json.loads(payload)


@pytest.mark.parametrize(
    ("name", "backoff"),
    [
        pytest.param("python", "0.5", id="python"),
        pytest.param("command", "0.5", id="command"),
        pytest.param("command", "", id="command-attempts-only"),
        pytest.param("curl", "0.5", id="curl"),
    ],
)
def test_snippet_of_a_background_call_runs_as_copied(
    operator: Visitor, site: Site, tmp_path: Path, name: str, backoff: str
) -> None:
    """It prints the CID, and the record has the options."""
    fields = {"service": "zato.helpers.echo", "payload": AWKWARD, **BACKGROUND, "retry_backoff": backoff}
    page = operator.get("/invoke", params=fields)
    cid = returned(run(part(page, f"snippet-{name}"), name, tmp_path), name)
    record = site.ask("zato.invocation.get", {"cid": cid, "wait": 30})
    assert record["response"] == json.loads(AWKWARD)
    assert (record["queue"], record["priority"], record["callback"]) == ("slow", "high", ["shop.told"])


def test_form_is_checked_while_it_is_typed(operator: Visitor) -> None:
    """Our script asks for all that is wrong, for what the service takes, and for the snippets."""
    fields = {"service": "shop.price", "payload": '{"amount": "x"}', "delay": "soon", "how": "background"}
    told = operator.submit("/invoke/check", **fields).json()
    assert "soon" in told["problems"]["delay"]
    assert told["accepted"]["ok"] is False
    assert "item" in told["accepted"]["message"]
    assert json.loads(told["example"]) == {"item": "item", "amount": 1}
    assert {each["name"] for each in told["snippets"]} == {"python", "command", "curl"}


def test_names_are_offered_by_what_was_typed(operator: Visitor) -> None:
    """Built-in ones, too."""
    assert "zato.helpers.echo" in operator.submit("/invoke/names", query="ECHO").json()["names"]


def test_payload_is_checked_by_line_and_column(open_page: OpenPage) -> None:
    """Syntax at once, then what the service declares; the layout keeps every digit."""
    page = open_page("/invoke?service=shop.price", "operator")
    page.fill("#payload", '{"item": "tea",\n "amount": 1.}')
    assert page.inner_text("#payload-problem").startswith("Line 2, column 13")
    page.fill("#payload", '{"amount": 2}')
    page.get_by_text("Element missing: item").wait_for()
    page.fill("#payload", '{"item":"tea","amount":2.000,"x":[{},[]]}')
    page.get_by_text("The service takes this.").wait_for()
    page.click("#pretty")
    expected = '{\n  "item": "tea",\n  "amount": 2.000,\n  "x": [\n    {},\n    []\n  ]\n}'
    assert page.input_value("#payload") == expected
    assert "to_json=False" in page.inner_text("#snippet-python")


def test_payload_of_a_service_is_filled_in(open_page: OpenPage) -> None:
    """When another one is chosen, too, unless somebody has typed."""
    page = open_page("/invoke", "operator")
    page.fill("#service", "shop.price")
    wait_until(lambda: '"item"' in page.input_value("#payload"), what="an example")
    page.fill("#payload", '{"mine": 1}')
    page.fill("#service", "shop.order")
    page.get_by_text("shop.order", exact=False).first.wait_for()
    assert page.input_value("#payload") == '{"mine": 1}'


def test_background_call_is_waited_for_live(open_page: OpenPage, site: Site) -> None:
    """By keyboard alone: the page shows the outcome as it comes, and axe-core finds no grave fault on it."""
    site.ask("zato.queue.pause", {"name": "slow"})
    page = open_page("/invoke?service=shop.price&how=background&queue=slow", "operator")
    page.focus("#payload")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#outcome .status.waiting")
    site.ask("zato.queue.resume", {"name": "slow"})
    page.wait_for_selector("#outcome [data-final]")
    assert json.loads(page.inner_text("#outcome #response")) == {"item": "item", "cost": 1}
    axe(page)


def test_snippet_says_what_the_form_says_now(open_page: OpenPage, tmp_path: Path) -> None:
    """After every change; what is copied runs."""
    page = open_page("/invoke?service=zato.helpers.echo", "operator", size=PHONE, theme="dark")
    page.fill("#payload", '["typed"]')
    wait_until(lambda: "typed" in page.inner_text("#snippet-python"), what="a new snippet")
    assert run(page.inner_text("#snippet-python"), "python", tmp_path) == "['typed']\n"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    axe(page)


def test_broken_json_is_not_sent(open_page: OpenPage, watch: Watch) -> None:
    """The form stays, with the fault marked."""
    page = open_page("/invoke?service=shop.price", "operator")
    page.fill("#payload", "{")
    page.click("#run")
    assert page.get_attribute("#payload", "aria-invalid") == "true"
    assert page.url.endswith("/invoke?service=shop.price")
