"""`/zato/admin/invoke` as the programs of others speak it: bytes in, bytes out."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.doors import ask, b64, call, envelope, post, services
from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until

FLAT = {
    "name": "zato.ping",
    "payload": "IiI=",
    "channel": "invoke",
    "data_format": "json",
    "transport": None,
    "is_async": False,
    "expiration": 15,
    "pid": None,
    "all_pids": False,
    "timeout": None,
    "skip_response_elem": True,
}
NESTED = {"async": False, **{key: value for key, value in FLAT.items() if key != "is_async"}, "payload": "IiI=\n"}
PING_BASE64 = "eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOiB7InBvbmciOiAiemF0byJ9fQ=="
CID = re.compile(r"[a-f][0-9a-f]{23}")

# What the client put into base64, then what the service gets as payload.
PAYLOADS = [
    pytest.param("", "", id="nothing"),
    pytest.param('""', "", id="empty-string"),
    pytest.param("null", "", id="null"),
    pytest.param('"text"', "text", id="string"),
    pytest.param("17", 17, id="number"),
    pytest.param("1.5", 1.5, id="float"),
    pytest.param("true", True, id="true"),
    pytest.param("[1,2]", [1, 2], id="flat-list"),
    pytest.param("[]", [], id="empty-list"),
    pytest.param("{}", {}, id="empty-dict"),
    pytest.param('{"a": [{"b": null}]}', {"a": [{"b": None}]}, id="dict"),
    pytest.param(r'"{\"a\": 1}"', {"a": 1}, id="string-that-holds-a-dict"),
    pytest.param('"[1, 2]"', [1, 2], id="string-that-holds-a-list"),
    pytest.param('"17"', "17", id="string-that-holds-a-number"),
    pytest.param('"{not json"', "{not json", id="string-that-begins-like-a-dict"),
    pytest.param("no json", "no json", id="text"),
    pytest.param("<xml/>", "<xml/>", id="xml"),
    pytest.param("zażółć", "zażółć", id="text-beyond-ascii"),
]

RESPONSES = [
    pytest.param("text", "plain text", id="text"),
    pytest.param("text-that-is-json", '{"a": 1}', id="text-that-is-json"),
    pytest.param("empty-text", "", id="empty-text"),
    pytest.param("none", "", id="none"),
    pytest.param("dict", '{"a":{"b":[1,null,true]}}', id="dict"),
    pytest.param("empty-dict", "{}", id="empty-dict"),
    pytest.param("list", '[1,"two"]', id="list"),
    pytest.param("empty-list", "[]", id="empty-list"),
    pytest.param("zero", "0", id="zero"),
    pytest.param("no", "false", id="false"),
    pytest.param("decimal", '{"price":12.300000000000000000001}', id="decimal-digit-for-digit"),
    pytest.param("bytes", "zażółć", id="bytes"),
    pytest.param("binary", '{"zato_base64":"/wA="}', id="binary"),
    pytest.param("dataclass", '{"name":"Ada","since":"2026-01-02"}', id="dataclass"),
    pytest.param("struct", '{"number":7,"lines":["x"]}', id="struct"),
    pytest.param("datetime", "2026-01-02T03:04:05Z", id="datetime"),
    pytest.param("uuid", "00000000-0000-0000-0000-000000000001", id="uuid"),
    pytest.param("enum", "red", id="enum"),
    pytest.param("set", "[1,2,3]", id="set"),
]

ELEMENTS = [
    pytest.param("response-element", '{"a":1}', '{"response":{"a":1}}', id="response"),
    pytest.param("zato-element", "[1]", '{"zato_anything":[1]}', id="starts-with-zato"),
    pytest.param("two-elements", '{"response":1,"other":2}', '{"response":1,"other":2}', id="two-keys"),
    pytest.param("other-element", '{"data":1}', '{"data":1}', id="another-key"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests, because none changes it."""
    folder = tmp_path_factory.mktemp("wire")
    with ServerProcess(make_environment(folder / "env", services("wire_api", "gates_api"))) as running:
        yield running


@pytest.fixture
def door(server: ServerProcess) -> str:
    """The address of the server."""
    return server.address


def test_request_of_a_client_of_3_2(door: str) -> None:
    """Test vector 1: the reply is flat, in this order of keys, and holds the base64 to the letter."""
    response = post(door, FLAT)
    cid = response.headers["X-Zato-CID"]

    assert response.status_code == 200
    assert CID.fullmatch(cid)
    assert response.text == (
        f'{{"response":"{PING_BASE64}","zato_env":{{"result":"ZATO_OK","cid":"{cid}","details":""}}}}'
    )
    assert b64decode(PING_BASE64) == b'{"zato_ping_response": {"pong": "zato"}}'


def test_request_of_a_client_of_2_0(door: str) -> None:
    """Test vector 2: `async` without `is_async`, and line breaks in base64; the reply is nested."""
    response = post(door, NESTED)
    cid = response.headers["X-Zato-CID"]

    assert response.json() == {
        "zato_env": {"result": "ZATO_OK", "cid": cid, "details": ""},
        "zato_service_invoke_response": {"response": PING_BASE64},
    }


@pytest.mark.parametrize("flags", [{"is_async": True}, {"is_async": True, "async": True}, {"is_async": 1}])
def test_background_call(door: str, flags: dict[str, object]) -> None:
    """Test vector 3: the response is the base64 of the CID, which is not the CID of the request."""
    answer = post(door, {**FLAT, **flags}).json()
    cid = b64decode(answer["response"]).decode()

    assert CID.fullmatch(cid)
    assert cid != answer["zato_env"]["cid"]


def test_background_call_of_a_client_of_2_0(door: str) -> None:
    """The CID of a background call is in the nested place for those who look there."""
    answer = post(door, {**NESTED, "async": True}).json()

    assert CID.fullmatch(b64decode(answer["zato_service_invoke_response"]["response"]).decode())


@pytest.mark.parametrize("request_body", [FLAT, NESTED], ids=["flat", "nested"])
def test_failure(door: str, request_body: dict[str, object]) -> None:
    """Test vector 4: a failure has `zato_env` and nothing else, in both dialects."""
    answer = post(door, {**request_body, "name": "no.such"}).json()

    assert list(answer) == ["zato_env"]
    assert list(answer["zato_env"]) == ["result", "cid", "details"]
    assert answer["zato_env"]["result"] == "ZATO_ERROR"


def test_success_without_output_for_a_client_of_2_0(door: str) -> None:
    """The second key is there even if the service returned nothing, because the 2.0 client needs it."""
    answer = post(door, {**NESTED, "name": "wire.respond", "payload": b64("none")}).json()

    assert answer["zato_service_invoke_response"] == {"response": ""}


@pytest.mark.parametrize(("sent", "received"), PAYLOADS)
def test_payload(door: str, sent: str, received: object) -> None:
    """Any JSON value and any text is a payload; what is empty in any way is the empty text."""
    seen = json.loads(ask(door, "wire.reveal", sent))

    assert (seen["payload"], seen["type"]) == (received, type(received).__name__)
    assert seen["raw"] == ("" if received == "" else sent)


@pytest.mark.parametrize(("sent", "received"), PAYLOADS)
def test_payload_of_a_background_call(server: ServerProcess, door: str, sent: str, received: object) -> None:
    """A payload is the same to a service that runs now and to one that runs later."""
    cid = ask(door, "wire.reveal", sent, is_async=True)
    with server.client() as client:
        seen = client.result(cid, wait=30).data

    assert (seen["payload"], seen["type"]) == (received, type(received).__name__)


def test_payload_that_is_absent(door: str) -> None:
    """A request without `payload` is one with an empty payload."""
    text = b64decode(post(door, {"name": "wire.reveal"}).json()["response"])

    assert json.loads(text)["payload"] == ""


def test_payload_in_lines(door: str) -> None:
    """Base64 broken into lines of 76 characters, as MIME has it, is read."""
    whole = b64({"text": "x" * 500})
    lines = "\r\n".join(whole[start : start + 76] for start in range(0, len(whole), 76))
    response = post(door, {"name": "wire.reveal", "payload": lines})

    assert json.loads(b64decode(response.json()["response"]))["payload"] == {"text": "x" * 500}


def test_numbers_that_are_none(door: str) -> None:
    """NaN is accepted in a request, and in a response it is an error that says where, never null."""
    status, _, details = envelope(call(door, "zato.helpers.echo", '{"rate": [NaN]}'))

    assert status == 500
    assert "nan is no JSON number at $.rate[0]" in details


def test_what_comes_with_a_request(door: str) -> None:
    """The service sees channel, data format, transport and the HTTP request as they were sent."""
    fields = {"channel": "rest", "data_format": "xml", "transport": "soap", "payload": b64({"a": 1})}
    path = "/zato/admin/invoke?x=1&y=&x=2"
    response = post(door, {"name": "wire.reveal", **fields}, path=path, headers={"X-Agent": "test"})
    seen = json.loads(b64decode(response.json()["response"]))

    assert (seen["channel"], seen["data_format"], seen["transport"]) == ("rest", "xml", "soap")
    assert (seen["method"], seen["path"], seen["params"]) == ("POST", "/zato/admin/invoke", {"x": "2", "y": ""})
    assert (seen["agent"], seen["POST"]) == ("test", {"a": 1})


@pytest.mark.parametrize(("name", "text"), RESPONSES)
@pytest.mark.parametrize("service", ["wire.respond", "wire.respond-on-loop"])
def test_response(door: str, service: str, name: str, text: str) -> None:
    """What a service returns leaves as text as it is, and as the JSON of anything else."""
    assert ask(door, service, name) == text


@pytest.mark.parametrize(("name", "skipped", "kept"), ELEMENTS)
def test_response_element(door: str, name: str, skipped: str, kept: str) -> None:
    """A dict whose one key is `response` or starts with `zato` is replaced by its value, if so wished."""
    assert ask(door, "wire.respond", name) == skipped
    assert ask(door, "wire.respond", name, skip_response_elem=False) == kept


def test_what_a_service_sets_for_other_doors(door: str) -> None:
    """Status, headers and content type of a service have no effect here: the envelope is the answer."""
    response = call(door, "wire.respond", "status")

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert "X-Mine" not in response.headers


def test_id_instead_of_a_name(door: str) -> None:
    """A service is found by the name of its implementation too."""
    response = post(door, {"id": "wire_api.Respond", "payload": b64("text")})
    background = post(door, {"id": "wire_api.Respond", "payload": b64("text"), "is_async": True})

    assert b64decode(response.json()["response"]) == b"plain text"
    assert background.status_code == 200


def test_keys_that_nobody_knows(door: str) -> None:
    """Unknown keys are ignored, so that newer clients can talk to this server."""
    assert post(door, {**FLAT, "of_the_future": {"x": 1}, "pid": 77, "all_pids": True}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_without_credentials(door: str, method: str) -> None:
    """`/zato/ping` needs no credentials, and its answer has an envelope of its own."""
    response = requests.request(method, f"{door}/zato/ping", timeout=30)

    assert list(response.json()) == ["pong", "zato_env"]
    assert response.json()["pong"] == "zato"
    assert envelope(response) == (200, "ZATO_OK", "")


def test_liveness_and_readiness(door: str) -> None:
    """Both are open to whatever watches the server, and carry a CID like any other reply."""
    live, ready = (requests.get(f"{door}/zato/{what}", timeout=30) for what in ("live", "ready"))

    assert (live.json(), ready.json()) == ({"live": True}, {"ready": True})
    assert CID.fullmatch(live.headers["X-Zato-CID"])
    assert CID.fullmatch(ready.headers["X-Zato-CID"])


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        pytest.param({}, None, id="not-given"),
        pytest.param({"expiration": None}, None, id="null"),
        pytest.param({"expiration": 0}, None, id="zero"),
        pytest.param({"expiration": 15}, None, id="15-which-old-clients-always-send"),
        pytest.param({"expiration": "15"}, None, id="15-as-text"),
        pytest.param({"expiration": 15, "expiration_given": True}, 15, id="15-on-purpose"),
        pytest.param({"expiration": 15, "expiration_given": False}, None, id="15-by-default"),
        pytest.param({"expiration": 16}, 16, id="another-number"),
    ],
)
def test_expiration(server: ServerProcess, door: str, fields: dict[str, object], seconds: float | None) -> None:
    """A call expires only if its caller wished so; the 15 of the old clients is no wish."""
    assert _lifetime(server, ask(door, "zato.ping", is_async=True, **fields)) == seconds


def test_expiration_of_old_clients_that_is_honoured(tmp_path: Path) -> None:
    """`honour_default_expiration` gives the 15 its old meaning back."""
    environment = make_environment(tmp_path / "env", honour_default_expiration=True)
    with ServerProcess(environment) as server:
        assert _lifetime(server, ask(server.address, "zato.ping", is_async=True, expiration=15)) == 15


def test_call_that_expires(tmp_path: Path) -> None:
    """A call that did not start in time never starts, and its outcome says `expired`."""
    environment = make_environment(tmp_path / "env", services("gates_api"), background_threads=1)
    with ServerProcess(environment) as server, server.client() as client:
        client.invoke_async("gates.wait", {"folder": str(tmp_path), "label": "first"})
        late = client.invoke_async("gates.wait", {"folder": str(tmp_path), "label": "late"}, expiration=0.2)
        status = client.result(late.data, wait=30).status
        (tmp_path / "open").touch()
        wait_until(lambda: "ended first" in (tmp_path / "journal").read_text())

    assert status == "expired"
    assert "late" not in (tmp_path / "journal").read_text()


def _lifetime(server: ServerProcess, cid: str) -> float | None:
    """Return the seconds between the acceptance of a call and its expiry."""
    with server.client() as client:
        record: dict[str, Any] = client.result(cid).record
    if record["expires"] is None:
        return None
    seconds = [float(record[key][17:-1]) + 60 * float(record[key][14:16]) for key in ("created", "expires")]
    return round((seconds[1] - seconds[0]) % 3600, 3)
