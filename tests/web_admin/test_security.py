"""What the web admin refuses, over plain HTTP: sessions, forms and addresses that somebody else made up."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from tests.support.admins import Site
from tests.support.visitors import Enter, text_of

MARKUP = "<script>document.title='taken'</script>"
PAGES = ("/", "/servers", "/people", "/people/viewer", "/audit", "/me", "/servers/drain?name=server1")
FORMS = ("/logout", "/theme", "/servers/pause", "/servers/drain", "/people", "/people/role", "/me/password")
TOO_LARGE = 64_001


def paused(site: Site) -> set[str]:
    """Return the queues that are paused."""
    return {queue["name"] for queue in site.ask("zato.queue.get-list")["items"] if queue["paused"]}


@pytest.mark.parametrize("path", [*PAGES, "/live/overview"])
def test_nobody_sees_a_page_without_a_log_in(enter: Enter, path: str) -> None:
    """They are sent to the log-in, which knows where they wanted to go; a stream ends with the word that it is over."""
    reply = enter().get(path)
    if path.startswith("/live"):
        assert reply.text.startswith("event: over")
    else:
        assert reply.status_code == 303
        assert reply.headers["Location"] == ("/login" if path == "/" else f"/login?next={quote(path, safe='')}")


@pytest.mark.parametrize("path", FORMS)
def test_nobody_sends_a_form_without_a_log_in(enter: Enter, path: str) -> None:
    """They are sent to the log-in, and not back to the form."""
    reply = enter().send(path, {"name": "crm"})
    assert (reply.status_code, reply.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("session", ["forged", "x" * 43, "admin", "%00", "a" * 4000, '"quoted"'])
def test_forged_session_is_none(enter: Enter, session: str) -> None:
    """A token that no log-in gave out lets nobody in, and the browser is told to forget it."""
    reply = enter(session=session).get("/people")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/login?next=%2Fpeople")
    assert "session=" in reply.headers["Set-Cookie"]
    assert "Max-Age=0" in reply.headers["Set-Cookie"]


def test_stolen_session_is_worth_nothing_after_the_log_out(enter: Enter) -> None:
    """Whoever has a copy of the cookie is out, too."""
    owner = enter()
    owner.log_in("operator")
    thief = enter(session=owner.session)
    assert thief.get("/").status_code == 200

    assert "You are logged out." in owner.landed(owner.submit("/logout"))

    assert not owner.session
    assert thief.get("/").headers["Location"] == "/login"


def test_each_log_in_has_a_new_session_and_ends_the_one_before(enter: Enter) -> None:
    """What a browser had before plays no part: a session that somebody planted in it is not theirs afterwards."""
    visitor = enter()
    visitor.log_in("viewer")
    first = visitor.session
    visitor.log_in("operator")
    assert visitor.session != first
    assert "operator" in text_of(visitor.get("/me"))
    assert enter(session=first).get("/").status_code == 303


def test_log_in_after_a_session_that_is_over(enter: Enter) -> None:
    """An old cookie is in nobody's way."""
    visitor = enter(session="over")
    assert visitor.log_in("viewer").headers["Location"] == "/"
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "of another"])
def test_log_in_form_of_another_site_is_refused(enter: Enter, token: str) -> None:
    """Nobody is logged in as somebody else by a page that sends our form."""
    visitor, other = enter(), enter()
    visitor.get("/login")
    given = other.token("/login") if token == "of another" else token
    reply = visitor.log_in("admin", form_token=given)
    assert reply.status_code == 403
    assert "The page was too old" in reply.text
    assert not visitor.session


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="same-site"),
        pytest.param({"Origin": "https://evil.example"}, id="origin"),
        pytest.param({"Origin": "null"}, id="no-origin"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, id="other-port"),
    ],
)
def test_form_from_another_origin_does_nothing(site: Site, enter: Enter, headers: dict[str, str]) -> None:
    """Even with the right token: the browser says that a page of somebody else sends it."""
    visitor = enter("operator")
    fields = {"form_token": visitor.token(), "name": "crm"}
    reply = visitor.send("/servers/pause", fields, headers=headers)
    assert reply.status_code == 403
    assert "comes from another site, and nothing was done" in reply.text
    assert "crm" not in paused(site)

    stranger = enter()
    fields = {"form_token": stranger.token("/login"), "name": "admin", "password": "x"}
    assert stranger.send("/login", fields, headers=headers).status_code == 403


def test_form_of_our_own_origin_is_taken(site: Site, enter: Enter) -> None:
    """What browsers say of our own pages."""
    visitor = enter("operator")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": site.url}):
        fields = {"form_token": visitor.token(), "name": "own"}
        assert visitor.send("/servers/pause", fields, headers=headers).status_code == 303
    assert "own" in paused(site)


@pytest.mark.parametrize("kind", ["missing", "wrong", "of another person", "of an earlier log-in"])
def test_form_without_the_token_of_the_session_does_nothing(site: Site, enter: Enter, kind: str) -> None:
    """It says that the page is old and what to do, and nothing was done."""
    visitor = enter()
    visitor.log_in("operator")
    tokens = {
        "missing": "",
        "wrong": "0" * 64,
        "of another person": enter("admin").token(),
        "of an earlier log-in": visitor.token(),
    }
    visitor.log_in("operator")
    reply = visitor.send("/servers/pause", {"form_token": tokens[kind], "name": "crm"})
    assert reply.status_code == 403
    assert "nothing was done. Go back, load the page again" in reply.text
    assert "crm" not in paused(site)


def test_scripts_are_answered_in_json(enter: Enter) -> None:
    """Our own script sends the token in a header, and gets an error that it can show."""
    visitor = enter("operator")
    wrong = visitor.send("/servers/pause", {"name": "crm"}, headers={"X-Form-Token": "wrong"})
    assert (wrong.status_code, "nothing was done" in wrong.json()["error"]) == (403, True)
    over = enter(session="over").send("/servers/pause", {"name": "crm"}, headers={"X-Form-Token": "wrong"})
    assert (over.status_code, "not logged in" in over.json()["error"]) == (401, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 200) for path in PAGES),
        ("/login", 200),
        ("/nowhere", 404),
        ("/logout", 405),
        ("/people/nobody", 404),
        ("/servers/drain?name=nobody", 400),
        ("/audit?nonsense=1", 400),
        ("/audit?since=nonsense", 400),
        ("/favicon.ico", 200),
        ("/static/x/admin.css", 200),
        ("/static/x/nothing.css", 404),
        ("/static/x/..%2Fapp.py", 404),
    ],
)
def test_every_reply_tells_browsers_what_they_may_do(enter: Enter, path: str, status: int) -> None:
    """Pages, errors and files have the same policy, and nothing but files is kept by browsers."""
    reply = enter("admin").get(path)
    assert reply.status_code == status
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "same-origin"
    is_kept = path.startswith("/static") and status == 200
    assert reply.headers["Cache-Control"] == ("public, max-age=31536000, immutable" if is_kept else "no-store")
    assert "Traceback" not in reply.text


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_nothing_inline(enter: Enter, path: str) -> None:
    """What the policy would refuse is not there."""
    text = enter("admin").get(path).text
    assert 'style="' not in text
    assert " onclick" not in text
    assert "<script>" not in text


def test_cookies_are_for_our_own_pages_alone(enter: Enter) -> None:
    """No script reads them, no other site sends them; over plain HTTP they cannot be for HTTPS alone."""
    visitor = enter()
    shown = visitor.get("/login").headers["Set-Cookie"]
    opened = visitor.log_in("viewer").headers["Set-Cookie"]
    for said in (shown, opened):
        assert "HttpOnly" in said
        assert "SameSite=lax" in said
        assert "Path=/" in said
        assert "Secure" not in said


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "/\t/evil.example", "x"]
)
def test_nobody_is_sent_to_another_site(enter: Enter, wanted: str) -> None:
    """Neither after the log-in nor after another form."""
    assert enter().log_in("viewer", next=wanted).headers["Location"] == "/"
    assert enter("viewer").submit("/theme", theme="dark", next=wanted).headers["Location"] == "/"


def test_log_in_leads_to_the_page_that_was_wanted(enter: Enter) -> None:
    """With its query; and never back to the log-in itself."""
    assert enter().log_in("viewer", next="/audit?user=ada").headers["Location"] == "/audit?user=ada"
    assert enter().log_in("viewer", next="/login?next=/").headers["Location"] == "/"


@pytest.mark.parametrize(
    "cookie", [MARKUP, quote(f'["{MARKUP}", false]'), "[" * 3000, "5", "null", "%5B%5D", "%ff", '{"a":1}']
)
def test_notices_are_text_whatever_they_say(enter: Enter, cookie: str) -> None:
    """A cookie that somebody else planted breaks no page and is no markup."""
    visitor = enter("viewer")
    visitor.http.cookies.set(visitor.cookie("notice"), cookie, path="/")
    reply = visitor.get("/me")
    assert reply.status_code == 200
    assert MARKUP not in reply.text


@pytest.mark.parametrize(
    "path",
    [
        f"/people/{quote(MARKUP)}",
        f"/audit?user={quote(MARKUP)}",
        f"/audit?since={quote(MARKUP)}",
        f"/audit?{quote(MARKUP)}=1",
        f"/servers/drain?name={quote(MARKUP)}",
        f"/login?next=/{quote(MARKUP)}",
        f"/{quote(MARKUP)}",
    ],
)
def test_markup_in_an_address_is_text(enter: Enter, path: str) -> None:
    """It is shown as it is, or not at all."""
    assert MARKUP not in enter("admin").get(path).text


def test_markup_that_services_and_people_wrote_is_text(site: Site, enter: Enter) -> None:
    """In an error on the overview, and in names that somebody tried."""
    site.ended("shop.markup", {"fail": True})
    admin = enter("admin")
    failures = admin.get("/").text
    assert "document.title = &#39;taken&#39;" in failures
    assert "<script>document" not in failures

    refused = enter(address="127.0.0.3").log_in(MARKUP, "wrong")
    assert refused.status_code == 403
    made = admin.submit("/people", name=MARKUP, role="viewer")
    assert made.status_code == 400
    for reply in (refused, made, admin.get("/audit")):
        assert MARKUP not in reply.text


def test_too_large_forms_are_refused(enter: Enter) -> None:
    """Of those who are not logged in not even the form is read, beyond what a log-in has."""
    visitor = enter()
    reply = visitor.log_in("viewer", "x" * TOO_LARGE)
    assert reply.status_code == 413
    assert "This form is larger than any" in reply.text
    elsewhere = visitor.send("/servers/pause", {"name": "x" * TOO_LARGE})
    assert elsewhere.headers["Location"] == "/login"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("&".join(f"f{n}=" for n in range(501)), id="many fields"),
        pytest.param("name=%ff%fe", id="no UTF-8"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
    ],
)
def test_malformed_forms_are_refused(enter: Enter, body: str | bytes) -> None:
    """With a message, not with a stack."""
    for visitor, path in ((enter("operator"), "/servers/pause"), (enter(), "/login")):
        reply = visitor.send(path, body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert reply.status_code in (400, 403)
        assert "This is no form that a page of the web admin sends." in text_of(reply)


def test_flood_of_log_ins_holds_up_nobody_else(enter: Enter) -> None:
    """They are refused, most of them at once, while others see their pages."""
    attackers = [enter(address=f"127.0.1.{number}") for number in range(1, 17)]
    for attacker in attackers:
        attacker.get("/login")
    guest = enter("viewer")
    with ThreadPoolExecutor(len(attackers)) as pool:
        attempts = [pool.submit(each.log_in, f"nobody{at}", "wrong") for at, each in enumerate(attackers)]
        while not all(attempt.done() for attempt in attempts):
            assert guest.get("/me").status_code == 200
        statuses = {attempt.result().status_code for attempt in attempts}
    assert statuses <= {403, 429, 503}


def test_failures_make_somebody_wait(enter: Enter) -> None:
    """The page says how long, and the form is filled in as before, without the password."""
    visitor = enter(address="127.0.0.4")
    replies = [visitor.log_in("nobody", "wrong") for _ in range(5)]
    assert [reply.status_code for reply in replies[:3]] == [403, 403, 403]
    assert "Name or password is wrong." in replies[0].text
    last = replies[-1]
    assert last.status_code == 429
    assert "Too many attempts to log in failed. Try again in" in last.text
    assert f'data-wait="{last.headers["Retry-After"]}"' in last.text
    assert 'value="nobody"' in last.text
    assert "wrong" not in text_of(last).replace("password is wrong", "")
