"""Who may log in, and who did what: the pages People, Audit and that of one's own, over plain HTTP."""

import re

import pytest

from tests.support.admins import PASSWORDS, Site
from tests.support.visitors import Enter, Visitor, text_of

PASSWORD = "correct horse battery"
SECRET = re.compile(r'<code id="secret">([^<]+)</code>')


def people(site: Site) -> dict[str, str]:
    """Return the role of everybody."""
    return {person["name"]: person["role"] for person in site.ask("zato.user.get-list")["items"]}


def added(admin: Visitor, name: str, role: str = "viewer") -> Visitor:
    """Add a person, who logs in."""
    admin.landed(admin.submit("/people", name=name, role=role, password=PASSWORD))
    person = Visitor(admin.url)
    assert person.log_in(name, PASSWORD).status_code == 303
    return person


def test_random_password_is_shown_once_and_opens(site: Site, enter: Enter) -> None:
    """It stands on the page that answers, and nowhere afterwards."""
    admin = enter("admin")
    shown = admin.submit("/people", name="Ada", role="operator", password="")
    found = SECRET.search(shown.text)
    assert found is not None
    assert people(site)["ada"] == "operator"
    assert "Set-Cookie" not in shown.headers
    assert found[1] not in admin.get("/people").text + admin.get("/audit").text

    assert enter().log_in("ada", found[1]).status_code == 303


def test_password_that_was_typed_is_not_shown(site: Site, enter: Enter) -> None:
    """Who typed it knows it."""
    admin = enter("admin")
    text = admin.landed(admin.submit("/people", name="ben", role="viewer", password=PASSWORD))
    assert "ben may log in, as viewer." in text
    assert PASSWORD not in text
    assert enter().log_in("ben", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        pytest.param({"name": "viewer"}, 409, "viewer", id="taken"),
        pytest.param({"name": "no name"}, 400, "is no name of a person", id="name"),
        pytest.param({"role": "king"}, 400, "There is no role 'king'", id="role"),
        pytest.param({"password": "short"}, 400, "8 to 1024 characters", id="password"),
    ],
)
def test_person_who_cannot_be_added(site: Site, enter: Enter, fields: dict[str, str], status: int, words: str) -> None:
    """The page says why above the form, which keeps the name."""
    given = {"name": "eve", "role": "viewer", "password": PASSWORD, **fields}
    reply = enter("admin").submit("/people", **given)
    assert (reply.status_code, words in text_of(reply)) == (status, True)
    assert f'value="{given["name"]}"' in reply.text
    assert "eve" not in people(site)


def test_another_role_ends_the_log_in(site: Site, enter: Enter) -> None:
    """Who had more rights has them no longer, at once."""
    admin = enter("admin")
    with added(admin, "cleo", "operator") as person:
        text = admin.landed(admin.submit("/people/role", name="cleo", role="viewer"))
        assert "cleo is viewer now, and has to log in again." in text
        assert people(site)["cleo"] == "viewer"
        assert person.get("/").status_code == 303


def test_another_password_ends_the_log_in(enter: Enter) -> None:
    """A random one is shown once, and the old one opens nothing."""
    admin = enter("admin")
    with added(admin, "dora") as person:
        shown = admin.submit("/people/password", name="dora", password="")
        assert person.get("/").status_code == 303
        found = SECRET.search(shown.text)
        assert found is not None
        assert person.log_in("dora", found[1]).status_code == 303
    typed = admin.submit("/people/password", name="dora", password=PASSWORD)
    assert "dora has another password" in admin.landed(typed)


def test_deleted_person_is_out(site: Site, enter: Enter) -> None:
    """At once; what they did stays in the audit."""
    admin = enter("admin")
    with added(admin, "emil", "operator") as person:
        person.submit("/servers/pause", name="mail")
        assert "emil is deleted, and logged out." in admin.landed(admin.submit("/people/delete", name="emil"))
        assert person.get("/").status_code == 303
    assert "emil" not in people(site)
    assert "zato.queue.pause" in text_of(admin.get("/audit?user=emil"))


@pytest.mark.parametrize(("path", "role"), [("/people/delete", ""), ("/people/role", "viewer")])
def test_last_admin_stays(site: Site, enter: Enter, path: str, role: str) -> None:
    """Somebody has to be able to let others in."""
    reply = enter("admin").submit(path, name="admin", role=role)
    assert reply.status_code == 409
    assert "admin" in text_of(reply)
    assert people(site)["admin"] == "admin"


@pytest.mark.parametrize("path", ["/people/delete", "/people/role", "/people/password", "/servers/pause"])
def test_form_that_names_nobody(enter: Enter, path: str) -> None:
    """It is refused with a message, before anything is asked."""
    reply = enter("admin").submit(path)
    assert (reply.status_code, "Go back to" in reply.text) == (400, True)


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("path", ["/people", "/people/admin", "/audit"])
def test_only_admins_see_people_and_audit(enter: Enter, role: str, path: str) -> None:
    """Others see no link to them, and the server says no to those who know the address."""
    visitor = enter(role)
    assert f'href="{path}"' not in visitor.get("/").text
    assert visitor.get(path).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_only_admins_change_people(site: Site, enter: Enter, role: str) -> None:
    """The server refuses what the pages do not offer."""
    visitor = enter(role)
    before = people(site)
    for path in ("/people", "/people/role", "/people/password", "/people/delete"):
        reply = visitor.submit(path, name="fred" if path == "/people" else "admin", role="admin", password=PASSWORD)
        assert reply.status_code == 403
    assert people(site) == before


def test_own_password(enter: Enter) -> None:
    """Who changes it stays logged in here under a new session, and nowhere else."""
    with added(enter("admin"), "gina") as here, Visitor(here.url, here.session) as elsewhere:
        fields = {"old_password": PASSWORD, "password": "another one", "again": "another one"}
        assert "Your password is changed." in here.landed(here.submit("/me/password", **fields))
        assert here.get("/").status_code == 200
        assert elsewhere.get("/").status_code == 303
        assert elsewhere.log_in("gina", "another one").status_code == 303


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        pytest.param({"old_password": "wrong"}, 403, "is wrong", id="old"),
        pytest.param({"again": "another two"}, 400, "The two new passwords differ.", id="differ"),
        pytest.param({"password": "short", "again": "short"}, 400, "8 to 1024 characters", id="short"),
    ],
)
def test_own_password_that_is_refused(enter: Enter, fields: dict[str, str], status: int, words: str) -> None:
    """The page says why, nobody is logged out, and the old one still opens."""
    visitor = enter("viewer")
    given = {"old_password": PASSWORDS["viewer"], "password": "another one", "again": "another one", **fields}
    reply = visitor.submit("/me/password", **given)
    assert (reply.status_code, words in text_of(reply)) == (status, True)
    assert visitor.get("/").status_code == 200
    assert enter().log_in("viewer").status_code == 303


def test_own_page_tells_of_the_log_in(enter: Enter) -> None:
    """Role, since when, until when, and from where."""
    text = text_of(enter("operator").get("/me"))
    for words in ("operator", "calls services", "Logged in", "Ends", "127.0.0.1"):
        assert words in text


def test_audit_is_filtered(site: Site, enter: Enter) -> None:
    """By person, action, object, CID and time; what matches nothing says so."""
    operator, admin = enter("operator"), enter("admin")
    operator.submit("/servers/pause", name="audited")
    entry = site.ask("zato.audit.get-list", {"object": "audited"})["items"][0]
    for query in ("user=operator", "action=zato.queue.pause", "object=audited", f"cid={entry['cid']}"):
        text = admin.get(f"/audit?{query}").text
        assert "object=audited" in text
        assert entry["cid"] in text
    assert "Nobody did anything that matches." in admin.get("/audit?user=operator&object=other").text
    assert "audited" not in admin.get("/audit?until=2020-01-01T00:00Z").text
    assert "audited" in admin.get("/audit?since=2020-01-01T00:00Z").text


def test_audit_is_paged(site: Site, enter: Enter) -> None:
    """The link to what is older keeps the filters; the oldest page has none."""
    operator, admin = enter("operator"), enter("admin")
    token = operator.token()
    for number in range(51):
        operator.send("/servers/pause", {"form_token": token, "name": f"paged{number}"})
    first = admin.get("/audit?action=zato.queue.pause&user=operator")
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older is not None
    assert "paged50" in first.text
    assert "paged0<" not in first.text
    second = admin.get(older[1].replace("&amp;", "&"))
    assert "paged0<" in second.text
    assert "Newest" in second.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=yesterday", "'since' is a time such as"),
        ("cursor=x", "'cursor' is the 'cursor' of the page before"),
        ("usr=ada", "There is no filter 'usr'. Did you mean 'user'?"),
    ],
)
def test_audit_of_nonsense(enter: Enter, query: str, words: str) -> None:
    """A clear message."""
    reply = enter("admin").get(f"/audit?{query}")
    assert (reply.status_code, words in text_of(reply)) == (400, True)


def test_newcomer_is_told_to_call_a_service(enter: Enter) -> None:
    """Services are deployed, and nothing has called them; who may not, is shown what there is."""
    assert "Open the invoker" in enter("operator").get("/").text
    viewer = enter("viewer").get("/").text
    assert "Call a service" in viewer
    assert "See the services" in viewer
    assert "Open the invoker" not in viewer
