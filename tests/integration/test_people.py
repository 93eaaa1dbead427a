"""People at the front door of a server of two processes: sessions, roles, and what is written down."""

import json
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.support.doors import ADMIN, b64, envelope, post
from tests.support.environments import ServerProcess, make_environment
from zato.core.people import Role
from zato.server.people.roles import NEEDED, READING, is_for_trying

SERVICES = """
from zato.server.service import AsyncService, Service

class Headers(Service):
    name = "people.headers"
    def handle(self):
        return sorted(self.request.http.headers)

class Fails(AsyncService):
    name = "people.fails"
    async def handle(self):
        raise ValueError("no")

class Makes(AsyncService):
    name = "people.makes"
    async def handle(self):
        return await self.invoke("zato.user.create", self.request.payload)

class Long(AsyncService):
    name = "people.long"
    async def handle(self):
        return "ż" * 100_000
"""
ENDED = 'Zato-Session realm="Zato web admin", charset="UTF-8"'
# Nothing takes it, so that what is allowed does nothing either.
NONSENSE = {"nobody takes this": 1}
ADMINS_OWN = "zato.log.set-level"


@dataclass(frozen=True, slots=True)
class Door:
    """The front door, and who is logged in there, by role."""

    server: ServerProcess
    tokens: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def call(self, who: str | None, name: str, payload: object = "", **fields: Any) -> requests.Response:
        """Invoke a service for whoever has this role, or as a machine."""
        body = {"name": name, "payload": b64(payload), **fields}
        return post(self.server.address, body, headers=self.headers(who))

    def ask(self, who: str | None, name: str, payload: object = "", **fields: Any) -> Any:
        """Invoke a service and return what it answers."""
        response = self.call(who, name, payload, **fields)
        assert response.status_code == 200, response.text
        text = b64decode(response.json()["response"]).decode()
        return json.loads(text) if text.startswith(("{", "[")) else text

    def headers(self, who: str | None) -> dict[str, str]:
        """Return what the web admin sends for a person."""
        return {} if who is None else {"X-Zato-Session": self.tokens.get(who, who), "X-Zato-Client": "10.9.8.7"}

    def log_in(self, name: str, password: str) -> str:
        """Return the token of a new session."""
        given = {"name": name, "password": password, "client": "10.9.8.7"}
        return str(self.ask(None, "zato.session.open", given)["token"])

    def audit(self, **wanted: object) -> list[dict[str, Any]]:
        """Return entries of the audit, newest first."""
        found: list[dict[str, Any]] = self.ask(None, "zato.audit.get-list", wanted)["items"]
        return found


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server with a viewer, an operator and an admin, who are logged in."""
    environment = make_environment(tmp_path_factory.mktemp("people") / "env", {"people.py": SERVICES}, workers=2)
    with ServerProcess(environment) as server:
        door = Door(server)
        for role in reversed(Role):
            password = secrets.token_hex(12)
            door.ask(None, "zato.user.create", {"name": f"the-{role}", "password": password, "role": role})
            door.passwords[role], door.tokens[role] = password, door.log_in(f"the-{role}", password)
        yield door


def test_every_built_in_is_in_the_table(door: Door) -> None:
    """One that is not would be for admins alone, which somebody is to have decided; nothing else is in it."""
    built_in = {item["name"] for item in door.ask(None, "zato.service.get-list")["items"] if item["is_internal"]}
    assert sorted(NEEDED) == sorted(built_in)
    assert built_in >= READING


@pytest.mark.parametrize("role", list(Role))
def test_role_may_invoke_what_the_table_says(door: Door, role: Role) -> None:
    """Whatever else an input is refused for, the role is looked at first."""
    statuses = {name: door.call(role, name, NONSENSE).status_code for name in NEEDED}
    assert {name for name, status in statuses.items() if status != 403} == {
        name for name, needed in NEEDED.items() if role.covers(needed)
    }


@pytest.mark.parametrize("role", list(Role))
def test_built_ins_in_the_background(door: Door, role: Role) -> None:
    """They are for admins, but those that are there for trying; those with passwords are for nobody."""
    statuses = {name: door.call(role, name, NONSENSE, is_async=True).status_code for name in NEEDED}
    passwords = {name: 400 for name in NEEDED if name.startswith(("zato.user.", "zato.session."))}
    trying = {name: 200 for name in NEEDED if is_for_trying(name)}
    expected = {
        Role.VIEWER: dict.fromkeys(NEEDED, 403),
        Role.OPERATOR: dict.fromkeys(NEEDED, 403) | trying,
        Role.ADMIN: dict.fromkeys(NEEDED, 200) | passwords,
    }
    assert statuses == expected[role]


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 200), ("admin", 200)])
def test_services_of_users_are_for_operators(door: Door, role: str, status: int) -> None:
    """Now and in the background, and of a name that there is not, which a viewer does not learn."""
    found = [door.call(role, "people.headers", is_async=each).status_code for each in (False, True)]
    missing = door.call(role, "people.nothing").status_code
    assert (found, missing) == ([status] * 2, status if status == 403 else 404)


def test_session_is_one_of_all_processes(door: Door) -> None:
    """Each worker process knows whoever logged in at another one, and that they logged out."""
    token = door.log_in("the-viewer", door.passwords["viewer"])
    pids = {door.ask(token, "zato.server.info")["pid"] for _ in range(40)}
    door.ask(token, "zato.session.close")
    after = {door.call(token, "zato.server.info").status_code for _ in range(20)}
    assert (len(pids), after) == (2, {401})


def test_session_says_whose_it_is(door: Door) -> None:
    """And a machine, which has none, is told so."""
    found = door.ask("operator", "zato.session.get")
    assert (found["user"], found["role"], found["client"]) == ("the-operator", "operator", "10.9.8.7")
    refused = envelope(door.call(None, "zato.session.get"))
    assert (refused[0], "X-Zato-Session" in refused[2]) == (400, True)


@pytest.mark.parametrize("token", ["", "forged", "x" * 43, "\xff", "a" * 5000], ids=ascii)
def test_header_without_a_session_is_no_machine(door: Door, token: str) -> None:
    """Whoever sends it is a person, or nobody; a client tells this 401 from that of a wrong password."""
    headers = {"X-Zato-Session": token.encode("latin-1")}
    refused = post(door.server.address, {"name": "zato.ping"}, headers=headers)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, ENDED)
    wrong = post(door.server.address, {"name": "zato.ping"}, headers=headers, auth=(ADMIN[0], "wrong-password"))
    assert wrong.headers["WWW-Authenticate"].startswith("Basic ")


def test_session_does_not_replace_the_machine_password(door: Door) -> None:
    """A token that was stolen from a browser is worth nothing at the server's door."""
    refused = post(door.server.address, {"name": "zato.ping"}, headers=door.headers("admin"), auth=None)
    assert refused.status_code == 401


def many(**item: object) -> dict[str, object]:
    """Return the input of `zato.service.invoke-async-many` for one call."""
    return {"items": [{"name": "people.headers", **item}]}


LAUNDERING = [
    pytest.param("zato.server.builtin.log.SetLevel", "", {}, id="by-implementation"),
    pytest.param("zato.service.invoke", {"name": ADMINS_OWN}, {}, id="invoke"),
    pytest.param("zato.service.invoke", {"name": "zato.server.builtin.log.SetLevel"}, {}, id="invoke-implementation"),
    pytest.param("zato.service.invoke", {"name": "zato.service.invoke"}, {}, id="invoke-invoke"),
    pytest.param("zato.service.invoke", {"name": "zato.queue.pause", "is_async": True}, {}, id="invoke-background"),
    pytest.param("zato.service.invoke", {"name": "people.headers", "is_async": 1, "callback": ADMINS_OWN}, {}, id="cb"),
    pytest.param("zato.service.invoke-async-many", many(name=ADMINS_OWN), {}, id="many"),
    pytest.param("zato.service.invoke-async-many", many(callback=["zato.ping", ADMINS_OWN]), {}, id="many-callback"),
    pytest.param("zato.service.invoke-async-many", many(on_failure=[ADMINS_OWN]), {}, id="many-on-failure"),
    pytest.param("people.headers", "", {"is_async": True, "callback": [ADMINS_OWN]}, id="callback"),
    pytest.param("people.headers", "", {"is_async": True, "on_failure": "zato.queue.pause"}, id="on-failure"),
    pytest.param("people.headers", "", {"callback": [ADMINS_OWN]}, id="callback-of-no-background-call"),
]


@pytest.mark.parametrize(("name", "payload", "fields"), LAUNDERING)
def test_no_detour_to_what_a_role_may_not(door: Door, name: str, payload: object, fields: dict[str, Any]) -> None:
    """Whichever way an operator asks for what is an admin's, the answer is no, and the audit has it."""
    response = door.call("operator", name, payload, **fields)
    (entry,) = door.audit(cid=response.headers["X-Zato-CID"])
    assert (response.status_code, entry["user"], entry["status"]) == (403, "the-operator", "forbidden"), response.text


@pytest.mark.parametrize(
    ("name", "options"),
    [("zato.queue.get-list", {}), ("people.headers", {"callback": [ADMINS_OWN]})],
    ids=["service", "callback"],
)
def test_replay_is_a_call_of_its_service(door: Door, name: str, options: dict[str, Any]) -> None:
    """What a machine had run, an operator does not run again, unless they might have asked for it."""
    cid = door.ask(None, name, "", is_async=True, **options)
    door.ask(None, "zato.invocation.get", {"cid": cid, "wait": 30})
    refused = door.call("operator", "zato.invocation.replay", {"cid": cid})
    (entry,) = door.audit(cid=refused.headers["X-Zato-CID"])
    assert (refused.status_code, entry["object"], entry["status"]) == (403, cid, "forbidden")
    assert door.call("admin", "zato.invocation.replay", {"cid": cid}).status_code == 200


def test_nested_invocation_says_what_it_is_about(door: Door) -> None:
    """One that is too large to be looked at is refused."""
    response = door.call("operator", "zato.service.invoke", {"name": "people.headers"})
    (entry,) = door.audit(cid=response.headers["X-Zato-CID"])
    assert (entry["action"], entry["object"], entry["status"]) == ("zato.service.invoke", "people.headers", "ok")
    large = door.call("operator", "zato.service.invoke", {"name": "people.headers", "payload": b64("x" * 70_000)})
    assert (large.status_code, "Invoke the service directly" in large.text) == (400, True)


@pytest.mark.parametrize("path", ["/zato/admin/invoke", "/zato/api/invoke/people.headers"])
def test_services_do_not_see_tokens(door: Door, path: str) -> None:
    """Of the headers that a request came with, those about people are missing."""
    headers = {**door.headers("operator"), "X-Mine": "1"}
    auth = ADMIN if path.endswith("admin/invoke") else ("pubapi", ADMIN[1])
    answer = post(door.server.address, {"name": "people.headers"}, path=path, headers=headers, auth=auth).json()
    seen = json.loads(b64decode(answer["response"])) if isinstance(answer, dict) else answer
    assert "x-mine" in seen
    assert [name for name in seen if name.startswith("x-zato") or name == "authorization"] == []
    assert "authorization" in door.ask(None, "people.headers")


def test_audit_has_what_was_done_and_not_what_was_read(door: Door) -> None:
    """Who, where, what, to what, and how it ended."""
    asked: list[Callable[[], requests.Response]] = [
        lambda: door.call("operator", "zato.queue.pause", {"name": "people"}),
        lambda: door.call("operator", "zato.queue.resume", {"name": ""}),
        lambda: door.call("operator", "zato.server.builtin.queue.Resume", {"name": "people"}),
        lambda: door.call("operator", "people.fails", ""),
        lambda: door.call("operator", "zato.queue.get-list", ""),
        lambda: door.call("viewer", "zato.user.get-list", ""),
    ]
    found = [door.audit(cid=each().headers["X-Zato-CID"]) for each in asked]
    assert [[(entry["action"], entry["object"], entry["status"]) for entry in entries] for entries in found] == [
        [("zato.queue.pause", "people", "ok")],
        [("zato.queue.resume", "", "bad_request")],
        [("zato.queue.resume", "people", "ok")],
        [("invoke", "people.fails", "exception")],
        [],
        [("zato.user.get-list", "", "forbidden")],
    ]
    assert {(entry["user"], entry["client"]) for entries in found[:4] for entry in entries} == {
        ("the-operator", "10.9.8.7")
    }


def test_audit_finds_a_background_call_by_its_own_cid(door: Door) -> None:
    """It is that of the record, not that of the request which made it."""
    cid = door.ask("operator", "people.headers", is_async=True)
    assert [(entry["action"], entry["object"], entry["status"]) for entry in door.audit(cid=cid)] == [
        ("invoke-async", "people.headers", "ok")
    ]


def test_audit_of_machines_is_of_people_alone(door: Door) -> None:
    """Who made whom is written, whoever did it; what else a machine does is not."""
    made = door.call(None, "zato.user.create", {"name": "made", "password": "short"})
    other = door.call(None, "zato.queue.resume", {"name": "people"})
    entries = [*door.audit(cid=made.headers["X-Zato-CID"]), *door.audit(cid=other.headers["X-Zato-CID"])]
    assert [(entry["user"], entry["object"], entry["status"]) for entry in entries] == [
        ("admin.invoke", "made", "bad_request")
    ]


def test_audit_of_what_a_service_does_to_people(door: Door) -> None:
    """Somebody invokes it, and it does what a machine may: both are written."""
    made = door.call("operator", "people.makes", {"name": "by-service", "password": "short"})
    entries = door.audit(cid=made.headers["X-Zato-CID"])
    assert sorted((entry["user"], entry["action"], entry["object"]) for entry in entries) == [
        ("admin.invoke", "zato.user.create", "by-service"),
        ("the-operator", "invoke", "people.makes"),
    ]


@pytest.mark.parametrize("field", ["callback", "on_failure"])
def test_passwords_come_from_no_other_service(door: Door, field: str) -> None:
    """What a service answers is kept, so that it is nobody's password."""
    refused = door.call(None, "people.fails", "", is_async=True, **{field: ["zato.user.create"]})
    assert (refused.status_code, "is not run in the background" in refused.text) == (400, True)


@pytest.mark.parametrize("name", ["zato.user.create", "zato.server.builtin.user.Create"])
def test_passwords_go_through_no_other_service(door: Door, name: str) -> None:
    """One that invokes others runs in the background too, where its input is kept."""
    payload = b64({"name": "by-detour", "password": "long enough"})
    refused = door.call(None, "zato.service.invoke", {"name": name, "payload": payload})
    assert (refused.status_code, "Invoke the service directly" in refused.text) == (400, True)


def test_address_of_an_attempt_is_not_chosen(door: Door) -> None:
    """Whoever is logged in tries passwords from where they are, and from nowhere else."""
    given = {"name": "the-nobody", "password": "wrong", "client": "10.3.3.3"}
    refused = door.call("viewer", "zato.session.open", given)
    (entry,) = door.audit(cid=refused.headers["X-Zato-CID"])
    assert (refused.status_code, entry["client"]) == (403, "10.9.8.7")


def test_log_in_and_log_out_are_in_the_audit(door: Door) -> None:
    """So is one that is refused; a name that cannot be one, perhaps a password, is not."""
    token = door.log_in("The-Viewer", door.passwords["viewer"])
    door.ask(token, "zato.session.close")
    for name in ("the-nobody", "not a name"):
        refused = door.call(None, "zato.session.open", {"name": name, "password": "wrong", "client": "10.1.1.1"})
        assert envelope(refused)[::2] == (403, "Name or password is wrong.")
    entries = [(entry["user"], entry["action"], entry["status"]) for entry in door.audit(limit=4)]
    assert entries == [
        ("", "zato.session.open", "forbidden"),
        ("the-nobody", "zato.session.open", "forbidden"),
        ("the-viewer", "zato.session.close", "ok"),
        ("the-viewer", "zato.session.open", "ok"),
    ]


def test_last_calls_of_a_person(door: Door) -> None:
    """The newest first, with what is needed to make one again; those of others are others', and found by CID."""
    token = door.log_in("the-admin", door.passwords["admin"])
    headers = {**door.headers(token), "X-Mine": "1", "X-Api-Key": "hidden"}
    for name, options in (("people.long", {"timeout": 5}), ("people.fails", {}), ("zato.ping", {"is_async": True})):
        post(door.server.address, {"name": name, "payload": b64({"a": "b"}), **options}, headers=headers)
    door.ask(token, "zato.queue.get-list")
    accepted, failed, long = door.ask(token, "zato.session.get-calls")["items"][:3]
    assert (accepted["status"], accepted["accepted"], accepted["is_async"]) == ("accepted", accepted["response"], True)
    assert (failed["status"], failed["http_status"], failed["response"]) == ("error", 500, "ValueError: no")
    assert (long["payload"], long["options"]) == ('{"a": "b"}', {"timeout": 5.0, "headers": {"x-mine": "1"}})
    assert (len(long["response"].encode()), long["response_is_cut"], long["is_cut"]) == (65_536, True, False)
    assert door.ask("viewer", "zato.session.get-call", {"cid": long["cid"]}) == long
    assert door.call("viewer", "zato.session.get-call", {"cid": "none"}).status_code == 404


def test_call_that_is_too_large_to_be_kept(door: Door) -> None:
    """It is made, and not among the last ones."""
    missing = door.call("operator", "x" * 1_000_000)
    cids = [item["cid"] for item in door.ask("operator", "zato.session.get-calls")["items"]]
    assert (missing.status_code, missing.headers["X-Zato-CID"] in cids) == (404, False)


def test_twenty_calls_are_kept(door: Door) -> None:
    """The oldest one goes."""
    for number in range(22):
        door.ask("operator", "zato.helpers.echo", number)
    payloads = [item["payload"] for item in door.ask("operator", "zato.session.get-calls")["items"]]
    assert payloads == [str(number) for number in range(21, 1, -1)]


def test_own_password(door: Door) -> None:
    """Whoever knows the old one changes it, and logs in again; that of others is an admin's to change."""
    door.ask("admin", "zato.user.create", {"name": "own", "password": "the first one"})
    token = door.log_in("own", "the first one")
    new = {"name": "own", "password": "the second one"}
    wrong = door.call(token, "zato.user.set-password", {**new, "old_password": "not this one"})
    without = door.call(token, "zato.user.set-password", new)
    others = door.call(token, "zato.user.set-password", {**new, "name": "the-admin"})
    assert [each.status_code for each in (wrong, without, others)] == [403, 400, 403]
    door.ask(token, "zato.user.set-password", {**new, "old_password": "the first one"})
    assert door.call(token, "zato.session.get").status_code == 401
    door.ask(door.log_in("OWN", "the second one"), "zato.session.get")
    door.ask("admin", "zato.user.delete", {"name": "own"})


BAD = [
    ("zato.user.create", {"name": "x"}, "Give 'password', as text."),
    ("zato.user.create", {"name": "x", "password": ["hidden-one"]}, "not of type list"),
    ("zato.user.create", {"name": "x", "password": "hidden"}, "8 to 1024 characters"),
    ("zato.user.create", {"name": "<b>x", "password": "hidden-one"}, "no name of a person"),
    ("zato.user.create", {"name": "x", "password": "hidden-one", "role": "root"}, "roles: viewer, operator, admin"),
    ("zato.user.create", {"password": "hidden-one"}, "Give 'name', of a person."),
    ("zato.user.set-role", {"name": "the-viewer"}, "There is no role ''"),
    ("zato.session.open", {"name": "x", "password": 5}, "not of type int"),
    ("zato.session.open", {"name": "x", "passwrod": "hidden-one"}, "Did you mean 'password'?"),
    ("zato.session.get-call", {}, "Give 'cid', of a request."),
    ("zato.audit.get-list", {"cursor": "x"}, "'cursor' is the 'cursor' of the page before"),
    ("zato.audit.get-list", {"cursor": "9" * 5000}, "'cursor' is the 'cursor' of the page before"),
    ("zato.audit.get-list", {"limit": 0}, "'limit' is a whole number from 1 to 1000"),
]


@pytest.mark.parametrize(("name", "payload", "message"), BAD)
def test_bad_input(door: Door, name: str, payload: dict[str, Any], message: str) -> None:
    """The message says what is wrong, and shows no password."""
    status, _, details = envelope(door.call(None, name, payload))
    assert (status, message in details, "hidden" in details) == (400, True, False), details


def test_back_off_holds_in_all_processes(door: Door) -> None:
    """Whoever fails too often is told for how long to wait, in words and in a header."""
    given = {"name": "guessed", "password": "a wrong one", "client": "10.2.2.2"}
    answers = [door.call(None, "zato.session.open", given) for _ in range(8)]
    refused = [each for each in answers if each.status_code == 429]
    assert {each.status_code for each in answers} == {403, 429}
    assert "Try again in" in envelope(refused[0])[2]
    assert int(refused[0].headers["Retry-After"]) >= 1


def test_nothing_secret_is_written_anywhere(door: Door) -> None:
    """No file of the environment has a password or a token of anybody."""
    wanted = [each.encode() for each in (*door.passwords.values(), *door.tokens.values())]
    for name in ("the-admin", "the-viewer"):
        door.call(None, "zato.session.open", {"name": name, "password": door.passwords["operator"]})
    files = [file for file in door.server.environment.path.rglob("*") if file.is_file()]
    holding = [(file.name, secret) for file in files for secret in wanted if secret in file.read_bytes()]
    assert (holding, len(files) > 5) == ([], True)
