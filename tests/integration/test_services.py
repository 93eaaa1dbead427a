"""Services as their authors write them: names, correlation IDs, calls of each other, callbacks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import ask, call, envelope, services
from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker

CID = re.compile(r"[a-f][0-9a-f]{23}")
ON_BOTH = pytest.mark.parametrize("kind", ["", "-on-loop"], ids=["service", "async-service"])
MAX_DEPTH = 6

# What a target returns, then the payload of its callback.
REPLIES = [
    pytest.param("calls.nothing", "", "", id="nothing"),
    pytest.param("calls.answer", "some text", "some text", id="text"),
    pytest.param("calls.answer", '{"a": 1}', '{"a": 1}', id="text-that-is-json"),
    pytest.param("calls.answer", {"a": [1, None]}, '{"a":[1,null]}', id="dict"),
    pytest.param("calls.answer", 0, "0", id="zero"),
    pytest.param("calls.answer", False, "false", id="false"),
    pytest.param("calls.answer", [], "[]", id="empty-list"),
    pytest.param("zato.ping", "", '{"zato_ping_response": {"pong": "zato"}}', id="zato-ping"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests, because none changes it."""
    folder = tmp_path_factory.mktemp("services")
    files = services("calls_api", "callbacks_api", "gates_api")
    with ServerProcess(make_environment(folder / "env", files, max_depth=MAX_DEPTH)) as running:
        yield running


@pytest.fixture
def door(server: ServerProcess) -> str:
    """The address of the server."""
    return server.address


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client of the server."""
    with server.client() as connected:
        yield connected


@pytest.fixture
def journal(tmp_path: Path) -> "Journal":
    """Where callbacks write what they got."""
    return Journal(tmp_path / "journal")


class Journal:
    """The lines that services wrote, parsed."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def lines(self, service: str = "") -> list[dict[str, Any]]:
        """Return the lines so far, all or those of one service."""
        text = self.file.read_text("utf-8") if self.file.exists() else ""
        whole = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        return [line for line in whole if service in ("", line["service"])]

    def wait(self, service: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the lines of a service once there are that many."""
        wait_until(lambda: len(self.lines(service)) >= count, what=f"{count} lines of {service}")
        return self.lines(service)


def test_name_of_a_service_without_one(door: str) -> None:
    """A service is named after its file and class, in lower case with hyphens."""
    assert json.loads(ask(door, "calls-api.unnamed")) == [
        "calls-api.unnamed",
        "calls_api.Unnamed",
        "calls-api.unnamed",
        "calls_api.Unnamed",
    ]
    assert ask(door, "calls-api.get-wsdl-list") == "calls-api.get-wsdl-list"


def test_every_request_has_a_cid_of_its_own(door: str) -> None:
    """The CID of the reply is the one that the service ran under, and no two are the same."""
    replies = [call(door, "calls.told") for _ in range(3)]
    cids = [reply.headers["X-Zato-CID"] for reply in replies]

    assert len(set(cids)) == 3
    assert all(CID.fullmatch(cid) for cid in cids)
    assert json.loads(ask(door, "calls.told"))["in_reply_to"] is None


@ON_BOTH
@pytest.mark.parametrize("target", ["calls.told", "calls.told-on-loop"])
def test_nested_call_keeps_the_cid(door: str, kind: str, target: str) -> None:
    """`self.invoke` runs its target under the caller's CID, whichever kinds the two are of."""
    seen = json.loads(ask(door, f"calls.invoke{kind}", {"target": target, "arguments": [{"a": 1}]}))

    assert seen["answer"]["cid"] == seen["cid"]
    assert seen["answer"]["payload"] == {"a": 1}


@ON_BOTH
def test_background_call_has_the_cid_that_was_returned(client: AnyServiceInvoker, kind: str) -> None:
    """The text that `self.invoke_async` returns is the target's `self.cid`, and not the caller's."""
    given = client.invoke(f"calls.background{kind}", {"target": "calls.told", "arguments": ["hello"]}).data
    record = client.result(given["given"], wait=30).record

    assert given["type"] == "str"
    assert CID.fullmatch(given["given"])
    assert record["response"]["cid"] == given["given"] != given["cid"]
    assert (record["response"]["payload"], record["parent"]) == ("hello", given["cid"])


@ON_BOTH
def test_cid_that_the_caller_gives(client: AnyServiceInvoker, kind: str) -> None:
    """A CID given by the caller is used as it is, and by as many calls as it is given to."""
    cid = f"order {kind} 12/34"
    asked = {"target": "calls.told", "options": {"cid": cid}}
    given = [client.invoke(f"calls.background{kind}", asked).data["given"] for _ in range(3)]
    record = client.result(cid, wait=30).record

    assert given == [cid] * 3
    assert (record["response"]["cid"], record["cid_count"]) == (cid, 3)


@ON_BOTH
def test_cid_that_is_not_legal(door: str, kind: str) -> None:
    """A CID that could not stand in a header or a log is refused at the call."""
    status, _, details = envelope(
        call(door, f"calls.background{kind}", {"target": "calls.told", "options": {"cid": "a\nb"}})
    )

    assert status == 400
    assert "1 to 128 printable characters" in details


def test_log_carries_the_cid(server: ServerProcess, door: str) -> None:
    """A line a service logs has its CID, name and channel beside the message."""
    cid = call(door, "calls.nothing", "somebody").headers["X-Zato-CID"]
    line = wait_until(lambda: next((line for line in server.log() if line.get("cid") == cid), None))

    assert line is not None
    assert line["event"] == "Doing nothing for 'somebody'"
    assert (line["level"], line["service"], line["channel"]) == ("info", "calls.nothing", "invoke")


def test_input_logger_writes_one_record(server: ServerProcess, client: AnyServiceInvoker) -> None:
    """`zato.helpers.input-logger` logs what it was given, at INFO, once."""
    cid = client.invoke_async("zato.helpers.input-logger", {"text": "Hello from async!\nsecond line"}).data
    client.result(cid, wait=30)
    lines = wait_until(lambda: [line for line in server.log() if line.get("cid") == cid])

    assert [(line["level"], line["channel"]) for line in lines] == [("info", "invoke-async")]
    assert lines[0]["event"] == r'{"text":"Hello from async!\nsecond line"}'


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        pytest.param({}, "channel", "invoke", id="channel-by-default"),
        pytest.param({"channel": "rest"}, "channel", "rest", id="channel"),
        pytest.param({"channel": "rest"}, "channel_type", "rest", id="channel-type"),
        pytest.param({}, "data_format", "dict", id="data-format-by-default"),
        pytest.param({"data_format": "xml"}, "data_format", "xml", id="data-format"),
        pytest.param({"transport": "soap"}, "transport", "soap", id="transport"),
        pytest.param({}, "payload", "", id="no-payload"),
        pytest.param({"a": 1, "b": [2]}, "payload", {"a": 1, "b": [2]}, id="keyword-arguments"),
        pytest.param({"payload": {"c": 3}, "a": 1}, "payload", {"c": 3}, id="payload-wins-over-keyword-arguments"),
    ],
)
@ON_BOTH
def test_what_a_nested_target_sees(door: str, kind: str, options: dict[str, Any], key: str, value: object) -> None:
    """The target sees the options of the call; keywords that are no options are the payload if there is none."""
    seen = json.loads(ask(door, f"calls.invoke{kind}", {"target": "calls.told", "options": options}))

    assert seen["answer"][key] == value


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        pytest.param({}, "channel", "invoke-async", id="channel-by-default"),
        pytest.param({"channel": "scheduler"}, "channel", "scheduler", id="channel"),
        pytest.param({"data_format": "xml"}, "data_format", "xml", id="data-format"),
        pytest.param({"transport": "soap"}, "transport", "soap", id="transport"),
        pytest.param({"environ": {"a": [1]}}, "environ", {"a": [1]}, id="environ"),
        pytest.param({}, "environ", {}, id="no-environ"),
        pytest.param({"payload": {"a": 1}, "to_json_string": True}, "payload", '{"a":1}', id="to-json-string"),
        pytest.param({"payload": '{"a": 1}'}, "type", "str", id="a-text-stays-a-text"),
        pytest.param({"payload": None}, "payload", "", id="none"),
        pytest.param({"zato_ctx": {"x": 1}}, "payload", "", id="an-argument-of-old-programs"),
    ],
)
@ON_BOTH
def test_what_a_background_target_sees(
    client: AnyServiceInvoker, kind: str, options: dict[str, Any], key: str, value: object
) -> None:
    """The target sees the options of the call that somebody made in the background."""
    given = client.invoke(f"calls.background{kind}", {"target": "calls.told", "options": options}).data

    assert client.result(given["given"], wait=30).record["response"][key] == value


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param({"a": [1]}, '{"a":[1]}', id="dict"),
        pytest.param("text", "text", id="text"),
        pytest.param(5, "5", id="number"),
    ],
)
@ON_BOTH
def test_serialize(door: str, kind: str, payload: object, text: str) -> None:
    """`serialize` gives the caller the response as text."""
    options = {"payload": payload, "serialize": True}
    seen = json.loads(ask(door, f"calls.invoke{kind}", {"target": "calls.answer", "options": options}))

    assert (seen["answer"], seen["type"]) == (text, "str")


def test_call_by_class_with_attributes(door: str) -> None:
    """A service is named by its class too, and `as_bunch` lets its response be read by attributes."""
    assert ask(door, "calls.invoke-class") == "5"


def test_error_of_a_target(door: str) -> None:
    """What a target raises reaches its caller as the same exception, to be caught or passed on."""
    assert ask(door, "calls.invoke-catching") == "BadRequest: Not with me."
    assert envelope(call(door, "calls.invoke", {"target": "calls.fail"})) == (400, "ZATO_ERROR", "Not with me.")
    assert envelope(call(door, "calls.invoke-on-loop", {"target": "calls.fail"}))[0] == 400


@ON_BOTH
@pytest.mark.parametrize("way", ["invoke", "background"])
def test_target_that_is_not_deployed(door: str, kind: str, way: str) -> None:
    """A misspelt target is refused at the call, now or in the background, with the nearest name."""
    status, _, details = envelope(call(door, f"calls.{way}{kind}", {"target": "calls.anser"}))

    assert status == 404
    assert "Did you mean 'calls.answer'?" in details


@ON_BOTH
@pytest.mark.parametrize("target", ["gates.wait", "gates.wait-on-loop"])
def test_timeout_of_a_nested_call(door: str, tmp_path: Path, kind: str, target: str) -> None:
    """A target that is late costs its caller an error, or nothing but the response if that was wished."""
    late = {"payload": {"folder": str(tmp_path)}, "timeout": 0.1}
    raised = envelope(call(door, f"calls.invoke{kind}", {"target": target, "options": late}))
    quiet = ask(door, f"calls.invoke{kind}", {"target": target, "options": {**late, "raise_timeout": False}})
    (tmp_path / "open").touch()

    assert raised == (504, "ZATO_ERROR", f"'{target}' did not answer within 0.1 s.")
    assert json.loads(quiet)["answer"] is None


@ON_BOTH
@pytest.mark.parametrize("target", ["calls.told", "calls.told-on-loop"])
def test_nested_call_that_is_in_time(door: str, kind: str, target: str) -> None:
    """A limit that is not reached changes nothing."""
    asked = {"target": target, "options": {"payload": "x", "timeout": 30}}

    assert json.loads(ask(door, f"calls.invoke{kind}", asked))["answer"]["payload"] == "x"


@ON_BOTH
def test_error_of_a_target_that_has_a_timeout(door: str, kind: str) -> None:
    """A target's error is the same with a limit as without."""
    asked = {"target": "calls.fail", "options": {"timeout": 30}}

    assert envelope(call(door, f"calls.invoke{kind}", asked)) == (400, "ZATO_ERROR", "Not with me.")


@pytest.mark.parametrize("name", ["calls.loop", "calls.loop-on-loop"])
def test_service_that_invokes_itself(door: str, name: str) -> None:
    """A service that calls itself now is told to do it in the background."""
    status, _, details = envelope(call(door, name))

    assert status == 500
    assert details == f"{name!r} cannot invoke itself synchronously. Use invoke_async, or a function."


def test_service_that_invokes_itself_in_the_background(client: AnyServiceInvoker) -> None:
    """`self` is a target like any other for `invoke_async`."""
    cid = client.invoke("calls.again").data

    assert client.result(cid, wait=30).data == "second"


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH], ids=["deep", "too-deep"])
def test_chain_of_alternating_kinds(door: str, depth: int) -> None:
    """Services of both kinds nest down to `max_depth`; the error beyond it shows the chain."""
    response = call(door, "calls.ping", depth)

    assert response.status_code == (200 if depth < MAX_DEPTH else 500)
    if depth == MAX_DEPTH:
        chain = "calls.ping -> calls.pong -> calls.ping"
        assert chain in envelope(response)[2]


def test_recursion_through_others(door: str) -> None:
    """Services that call each other for ever are stopped, and the error shows who called whom."""
    status, _, details = envelope(call(door, "calls.descend"))
    chain = " -> ".join(["calls.descend", "calls.descend-more"] * (MAX_DEPTH // 2) + ["calls.descend"])

    assert status == 500
    assert details == f"Services invoke each other more than {MAX_DEPTH} deep (setting max_depth): {chain}."


@pytest.mark.parametrize(("target", "payload", "text"), REPLIES)
def test_payload_of_a_callback(
    client: AnyServiceInvoker, journal: Journal, target: str, payload: object, text: str
) -> None:
    """A callback gets the response as a text, on a channel and under a CID of its own."""
    asked = {"target": target, "payload": payload, "journal": str(journal.file)}
    cid = client.invoke("callbacks.caller", {**asked, "options": {"callback": "callbacks.first"}}).data
    (line,) = journal.wait("callbacks.first")

    assert line["payload"] == text
    assert line["channel"] == "invoke-async-callback"
    assert line["in_reply_to"] == cid
    assert CID.fullmatch(line["cid"])
    assert line["cid"] != cid


def test_callback_is_an_invocation_of_its_own(client: AnyServiceInvoker, journal: Journal) -> None:
    """A callback has a record like any call, which names the call it answers."""
    asked = {"target": "zato.ping", "journal": str(journal.file), "options": {"callback": "callbacks.on-loop"}}
    cid = client.invoke("callbacks.caller", asked).data
    (line,) = journal.wait("callbacks.on-loop")
    record = client.result(line["cid"], wait=30).record

    assert (record["status"], record["service"]) == ("done", "callbacks.on-loop")
    assert (record["in_reply_to"], record["parent"]) == (cid, cid)
    assert client.result(cid).record["callback"] == ["callbacks.on-loop"]


def test_callbacks_by_class_and_name(client: AnyServiceInvoker, journal: Journal) -> None:
    """A list of callbacks, by class or name, calls each of them under a CID of its own."""
    client.invoke("callbacks.by-class", {"journal": str(journal.file)})
    lines = journal.wait("callbacks.first") + journal.wait("callbacks.second")

    assert len({line["cid"] for line in lines}) == 2
    assert len({line["in_reply_to"] for line in lines}) == 1


def test_callback_that_is_the_caller(client: AnyServiceInvoker, journal: Journal) -> None:
    """`callback=self` calls the caller back."""
    cid = client.invoke("callbacks.by-self", {"journal": str(journal.file)}).data

    assert [line["in_reply_to"] for line in journal.wait("callbacks.by-self")] == [cid]


def test_callback_by_convention(client: AnyServiceInvoker, journal: Journal) -> None:
    """A service named as the caller plus `-async-callback` gets the replies to all of its calls."""
    asked = {"target": "zato.ping", "journal": str(journal.file)}
    cids = [client.invoke("callbacks-api.conventional", asked).data for _ in range(2)]
    lines = journal.wait("callbacks-api.conventional-async-callback", 2)

    assert sorted(line["in_reply_to"] for line in lines) == sorted(cids)


def test_explicit_callback_beats_the_convention(client: AnyServiceInvoker, journal: Journal) -> None:
    """A caller that names a callback gets that one and no other."""
    asked = {"target": "zato.ping", "journal": str(journal.file), "callback": "callbacks.first"}
    cid = client.invoke("callbacks-api.conventional", asked).data
    journal.wait("callbacks.first")

    assert client.result(cid).record["callback"] == ["callbacks.first"]
    assert not journal.lines("callbacks-api.conventional-async-callback")


def test_client_has_no_callback_by_convention(client: AnyServiceInvoker) -> None:
    """The convention is about callers that are services; a client's call has the callbacks it names."""
    plain = client.invoke_async("callbacks-api.conventional", {"target": "zato.ping", "journal": "/dev/null"}).data
    named = client.invoke_async("zato.ping", callback=["calls.told", "calls.nothing"]).data

    assert client.result(plain).record["callback"] == []
    assert client.result(named).record["callback"] == ["calls.told", "calls.nothing"]


@pytest.mark.parametrize("option", ["callback", "on_failure"])
def test_callback_that_is_not_deployed(door: str, option: str) -> None:
    """A misspelt callback is refused at the call, with the nearest name, and nothing is accepted."""
    asked = {"target": "zato.ping", "journal": "/dev/null", "options": {option: "callbacks.frist"}}
    status, _, details = envelope(call(door, "callbacks.caller", asked))

    assert status == 404
    assert "Did you mean 'callbacks.first'?" in details


def test_target_that_fails(client: AnyServiceInvoker, journal: Journal) -> None:
    """A failed call calls `on_failure` with a report, and never its callback."""
    options = {"callback": "callbacks.first", "on_failure": "callbacks.second"}
    asked = {"target": "calls.fail", "journal": str(journal.file), "options": options}
    cid = client.invoke("callbacks.caller", asked).data
    (line,) = journal.wait("callbacks.second")

    error = {"code": "bad_request", "type": "BadRequest", "message": "Not with me."}
    assert line["payload"] == {"cid": cid, "service": "calls.fail", "error": error, "attempts": 1}
    assert line["in_reply_to"] == cid
    assert client.result(cid).status == "failed"
    assert not journal.lines("callbacks.first")


def test_retry_that_succeeds(client: AnyServiceInvoker, journal: Journal) -> None:
    """A call is tried again as often as its caller wished, and its callback comes once, at the end."""
    retry = {"attempts": 3, "backoff": 0.01}
    options = {"retry": retry, "callback": "callbacks.first", "on_failure": "callbacks.second"}
    asked = {"target": "callbacks.flaky", "payload": {"failures": 2}, "journal": str(journal.file)}
    cid = client.invoke("callbacks.caller", {**asked, "options": options}).data
    (line,) = journal.wait("callbacks.first")

    assert line["payload"] == "done at last"
    assert client.result(cid).record["attempts"] == 3
    assert not journal.lines("callbacks.second")


def test_retry_that_fails(client: AnyServiceInvoker, journal: Journal) -> None:
    """A call that fails at each attempt is reported once, after the last."""
    options = {"retry": {"attempts": 2, "backoff": 0.01}, "on_failure": "callbacks.second"}
    asked = {"target": "callbacks.flaky", "payload": {"failures": 9}, "journal": str(journal.file)}
    client.invoke("callbacks.caller", {**asked, "options": options})
    (line,) = journal.wait("callbacks.second")

    assert line["payload"]["attempts"] == 2
    assert line["payload"]["error"]["message"] == "attempt 2 failed"
    assert len(journal.lines("callbacks.flaky")) == 2


@pytest.mark.parametrize("retry", [0, "often", {"attempts": 0}, {"attempt": 2}, True])
def test_retry_that_makes_no_sense(door: str, retry: object) -> None:
    """A retry that cannot be understood is refused at the call."""
    asked = {"target": "zato.ping", "options": {"retry": retry}}

    assert envelope(call(door, "calls.background", asked))[0] == 400


def test_delay(client: AnyServiceInvoker) -> None:
    """A delayed call starts after its time, and not before."""
    given = client.invoke("calls.background", {"target": "calls.told", "options": {"delay": 0.5}}).data["given"]
    before = client.result(given).record
    after = client.result(given, wait=30).record

    assert (before["status"], after["status"]) == ("delayed", "done")
    assert after["started"] >= after["not_before"] == before["not_before"] > before["created"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"delay": -1}, "delay=-1", id="negative-delay"),
        pytest.param({"delay": "soon"}, "delay='soon'", id="delay-in-words"),
        pytest.param({"expiration": True}, "expiration=True", id="expiration-is-a-flag"),
        pytest.param({"idempotency_key": ""}, "idempotency_key=''", id="empty-key"),
        pytest.param({"idempotency_key": 5}, "idempotency_key=5", id="key-is-a-number"),
    ],
)
def test_option_that_is_not_legal(door: str, options: dict[str, Any], words: str) -> None:
    """An option that makes no sense is refused at the call, by name and value."""
    status, _, details = envelope(call(door, "calls.background", {"target": "zato.ping", "options": options}))

    assert status == 400
    assert words in details


def test_idempotency_key(client: AnyServiceInvoker) -> None:
    """A repeat with the same key returns the first call's CID; the key for another payload is a conflict."""
    first, again = (client.invoke_async("calls.answer", "a", idempotency_key="order-1").data for _ in range(2))
    other = client.invoke_async("calls.answer", "b", idempotency_key="order-1")

    assert first == again
    assert client.result(first, wait=30).record["cid_count"] == 1
    assert other.inner.status_code == 409


def test_invocation_by_request(client: AnyServiceInvoker) -> None:
    """`zato.service.invoke` does for a service what the door does for a client."""
    now = client.invoke("zato.service.invoke", {"name": "calls.answer", "payload": "ImhpIg=="})
    later = client.invoke("zato.service.invoke", {"name": "calls.answer", "payload": "ImhpIg==", "is_async": True})

    assert now.data == "hi"
    assert client.result(later.data, wait=30).data == "hi"


def test_list_of_services(client: AnyServiceInvoker, server: ServerProcess) -> None:
    """`zato.service.get-list` tells of each service what it is and where it is written."""
    items = {item["name"]: item for item in client.invoke("zato.service.get-list").data["items"]}

    assert list(items) == sorted(items)
    assert {**items["calls.told-on-loop"], "calls": 0} == {
        "name": "calls.told-on-loop",
        "impl_name": "calls_api.ToldOnLoop",
        "is_internal": False,
        "is_async": True,
        "file": str(server.environment.services / "calls_api.py"),
        "calls": 0,
        "errors": 0,
        "servers": ["server1"],
    }
    assert (items["zato.ping"]["is_internal"], items["zato.ping"]["file"]) == (True, None)


def test_server_info(client: AnyServiceInvoker, server: ServerProcess) -> None:
    """`zato.server.info` tells what answers and what it does now."""
    info = client.invoke("zato.server.info").data

    assert info["pid"] == server.environment.running().workers[0].pid
    assert (info["name"], info["broker"], info["worker"], info["workers"]) == ("server1", "sqlite", 1, 1)
    assert info["threads"]["http"]["limit"] == info["threads"]["background"]["limit"] == 32
    assert info["services"] == len(client.invoke("zato.service.get-list").data["items"])


@pytest.mark.parametrize(
    ("service", "payload", "status", "words"),
    [
        pytest.param("zato.invocation.get", {}, 400, "Give either 'cid' or 'id'.", id="neither"),
        pytest.param("zato.invocation.get", {"cid": "a", "id": "b"}, 400, "Give either", id="both"),
        pytest.param("zato.invocation.get", {"cid": "nobody"}, 404, "the CID 'nobody'", id="unknown-cid"),
        pytest.param("zato.invocation.get", {"id": "nobody"}, 404, "the id 'nobody'", id="unknown-id"),
        pytest.param("zato.invocation.get", {"cid": 5}, 400, "'cid' is text, not 5", id="cid-is-a-number"),
        pytest.param("zato.invocation.get", {"cid": "a", "wait": 61}, 400, "0 to 60", id="wait-too-long"),
        pytest.param("zato.invocation.get", {"cid": "a", "wait": True}, 400, "0 to 60", id="wait-is-a-flag"),
        pytest.param("zato.invocation.get", {"cids": "a"}, 400, "Did you mean 'cid'?", id="misspelt-key"),
        pytest.param("zato.invocation.get", [1], 400, "one JSON object, not list", id="a-list"),
        pytest.param("zato.server.info", {"x": 1}, 400, "It takes none.", id="key-where-there-is-none"),
        pytest.param("zato.service.get-list", "text", 400, "one JSON object, not str", id="a-text"),
        pytest.param("zato.service.invoke", {}, 400, "'name' says which service", id="nothing-to-invoke"),
    ],
)
def test_input_of_builtins_that_is_not_right(door: str, service: str, payload: object, status: int, words: str) -> None:
    """A built-in service refuses input it does not know, and says what it takes."""
    found = envelope(call(door, service, payload))

    assert found[:2] == (status, "ZATO_ERROR")
    assert words in found[2]


def test_record_by_id_and_cid(client: AnyServiceInvoker) -> None:
    """A record is found by CID and by id, and has everything that is known of the call."""
    cid = client.invoke_async("calls.answer", {"a": 1}).data
    by_cid = client.result(cid, wait=30).record
    by_id = client.invoke("zato.invocation.get", {"id": by_cid["id"]}).data

    assert by_id == by_cid
    assert (by_cid["payload"], by_cid["response"], by_cid["error"]) == ({"a": 1}, {"a": 1}, None)
    assert (by_cid["server"], by_cid["attempts"], by_cid["takeovers"]) == ("server1", 1, 0)
    assert by_cid["created"] <= by_cid["started"] <= by_cid["ended"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", by_cid["ended"])


def test_wait_for_an_outcome(client: AnyServiceInvoker, tmp_path: Path) -> None:
    """`wait` is a limit: without an outcome the record comes as it is, with one at once."""
    cid = client.invoke_async("gates.wait", {"folder": str(tmp_path)}).data
    before = client.result(cid, wait=0.05)
    (tmp_path / "open").touch()
    after = client.result(cid, wait=60)

    assert (before.status, before.ok) == ("running", False)
    assert (after.status, after.ok, after.data) == ("done", True, "through")


def test_payload_that_only_lenient_parsers_read(client: AnyServiceInvoker) -> None:
    """A payload with NaN is stored, reaches its service, and is shown as text in the record."""
    cid = client.invoke_async("calls.nothing", '{"rate": NaN}', to_json=False).data
    record = client.result(cid, wait=30).record

    assert (record["status"], record["payload"]) == ("done", '{"rate":NaN}')


def test_payload_that_is_too_large_to_store(tmp_path: Path) -> None:
    """A payload over `max_stored` is refused at the call; a response over it ends the call as failed."""
    environment = make_environment(tmp_path / "env", services("calls_api", "wire_api"), max_stored=1_000)
    with ServerProcess(environment) as server, server.client() as client:
        refused = client.invoke_async("calls.answer", "x" * 1_000)
        result = client.result(client.invoke_async("calls.told", "x" * 990).data, wait=30)

    assert refused.inner.status_code == 413
    assert "(setting max_stored)" in refused.details
    assert (result.status, result.record["error"]["code"]) == ("failed", "too_large")
