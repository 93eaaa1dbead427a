"""The wire format of `/zato/admin/invoke`, in both dialects: compat sections 1 and 2."""

import json
from base64 import b64encode, encodebytes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.envelope import (
    CID_HEADER,
    ServiceReply,
    details_of,
    encode_error,
    encode_ping,
    encode_success,
    parse_item,
    parse_reply,
    parse_request,
)
from zato.core.errors import BadRequest, NotFound, ZatoError
from zato.core.payload import from_door

CID = "a1b2c3d4e5f6a1b2c3d4e5f6"
PING = '{"zato_ping_response": {"pong": "zato"}}'

FLAT_REQUEST = (
    b'{"name":"zato.ping","payload":"IiI=","channel":"invoke","data_format":"json","transport":null,'
    b'"is_async":false,"expiration":15,"pid":null,"all_pids":false,"timeout":null,"skip_response_elem":true}'
)
NESTED_REQUEST = (
    b'{"name":"zato.ping","payload":"IiI=\\n","channel":"invoke","data_format":"json","transport":null,'
    b'"async":false,"expiration":15,"pid":null,"all_pids":false,"timeout":null,"skip_response_elem":true}'
)
FLAT_REPLY = (
    b'{"response":"eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOiB7InBvbmciOiAiemF0byJ9fQ==",'
    b'"zato_env":{"result":"ZATO_OK","cid":"a1b2c3d4e5f6a1b2c3d4e5f6","details":""}}'
)
NESTED_REPLY = (
    b'{"zato_env":{"result":"ZATO_OK","cid":"a1b2c3d4e5f6a1b2c3d4e5f6","details":""},'
    b'"zato_service_invoke_response":{"response":"eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOiB7InBvbmciOiAiemF0byJ9fQ=="}}'
)
FAILURE = b'{"zato_env":{"result":"ZATO_ERROR","cid":"a1b2c3d4e5f6a1b2c3d4e5f6","details":"No such row."}}'


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("This error cannot even say what it is.")


def request(**fields: object) -> bytes:
    """Return the body of a request to `crm.sync`, with the given fields changed or added."""
    return json.dumps({"name": "crm.sync", **fields}).encode()


def test_item_of_many() -> None:
    """It is read as a request is, but its payload is JSON as it is."""
    item, payload = parse_item({"name": "crm.sync", "payload": {"a": "IiI="}, "delay": "5", "callback": "a", "cid": ""})
    assert (item.name, item.is_async, item.delay, item.callback, item.cid) == ("crm.sync", True, 5, ("a",), None)
    assert (payload, parse_item(["crm.sync", [1]])[1], parse_item({"name": "crm.sync"})[1]) == ({"a": "IiI="}, [1], "")


@pytest.mark.parametrize("item", [{"name": "a", "is_async": True}, {"name": 1.5}, {"name": "a", "callback": 5}, "a"])
def test_item_of_many_that_is_none(item: object) -> None:
    """What would have no effect is refused, as is what makes no sense."""
    with pytest.raises(BadRequest):
        parse_item(item)


@pytest.mark.parametrize("value", ["high", 5])
def test_priority_and_queue(value: object) -> None:
    """They are handed on as they come, to whoever knows what is legal; empty ones are absent."""
    asked = parse_request(request(priority=value, queue=value))
    empty = parse_request(request(priority="", queue=None))
    assert (asked.priority, asked.queue, empty.priority, empty.queue) == (value, value, None, None)


def test_vector_1_request() -> None:
    """A 3.2 client's ping is read whole: a flat call in the foreground that never expires."""
    ping = parse_request(FLAT_REQUEST)
    assert (ping.name, from_door(ping.payload), ping.is_async, ping.nested) == ("zato.ping", ("", ""), False, False)
    assert (ping.channel, ping.data_format, ping.transport) == ("invoke", "json", None)
    assert (ping.expiration, ping.timeout, ping.skip_response_elem) == (None, None, True)


def test_vector_1_reply() -> None:
    """A 3.2 client gets its pong byte for byte."""
    assert encode_success(PING, CID, nested=False) == FLAT_REPLY


def test_vector_2_request() -> None:
    """A 2.0 client's request differs in its async key and in the line breaks of its base64."""
    ping = parse_request(NESTED_REQUEST)
    assert (ping.name, from_door(ping.payload), ping.is_async, ping.nested) == ("zato.ping", ("", ""), False, True)


def test_vector_2_reply() -> None:
    """A 2.0 client gets its pong byte for byte."""
    assert encode_success(PING, CID, nested=True) == NESTED_REPLY


def test_vector_3() -> None:
    """The response of a background call is its CID in base64."""
    call = parse_request(FLAT_REQUEST.replace(b'"is_async":false', b'"is_async":true'))
    reply = json.loads(encode_success(CID, CID, nested=call.nested))
    assert (call.is_async, reply["response"]) == (True, b64encode(CID.encode()).decode())


def test_vector_4_failure() -> None:
    """A failure is the same in both dialects."""
    assert encode_error("No such row.", CID) == FAILURE


def test_vector_4_success_without_output() -> None:
    """A 2.0 client finds the second key although there is nothing in it."""
    assert json.loads(encode_success("", CID, nested=True)) == {
        "zato_env": {"result": "ZATO_OK", "cid": CID, "details": ""},
        "zato_service_invoke_response": {"response": ""},
    }


def test_ping_page() -> None:
    """`/zato/ping` says pong, and carries the envelope."""
    assert json.loads(encode_ping(CID)) == {
        "pong": "zato",
        "zato_env": {"result": "ZATO_OK", "cid": CID, "details": ""},
    }


def test_header_of_every_reply() -> None:
    """The name of the header is what clients look for."""
    assert CID_HEADER == "X-Zato-CID"


@given(st.text(), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1), st.booleans())
def test_success_round_trip(text: str, cid: str, nested: bool) -> None:
    """Whatever a service returned, and whatever CID the caller chose, both dialects carry it."""
    body = encode_success(text, cid, nested=nested)
    assert parse_reply(body) == ServiceReply("ZATO_OK", cid, "", text, json.loads(body))


@given(st.text(), st.booleans())
def test_both_dialects_are_what_they_should_be(text: str, nested: bool) -> None:
    """The bytes are those of the JSON that the contract shows, without white space."""
    env = {"zato_env": {"result": "ZATO_OK", "cid": CID, "details": ""}}
    response = {"response": b64encode(text.encode()).decode()}
    whole = {**env, "zato_service_invoke_response": response} if nested else {**response, **env}
    assert encode_success(text, CID, nested=nested) == json.dumps(whole, separators=(",", ":")).encode()


@given(st.text(), st.text())
def test_error_round_trip(details: str, cid: str) -> None:
    """What went wrong arrives as it was said."""
    reply = parse_reply(encode_error(details, cid))
    assert (reply.result, reply.cid, reply.details, reply.text) == ("ZATO_ERROR", cid, details, "")


@pytest.mark.parametrize(
    ("flags", "is_async", "nested"),
    [
        pytest.param({}, False, False, id="neither"),
        pytest.param({"is_async": True}, True, False, id="new"),
        pytest.param({"is_async": False}, False, False, id="new-false"),
        pytest.param({"async": True}, True, True, id="old"),
        pytest.param({"async": False}, False, True, id="old-false"),
        pytest.param({"async": None}, False, True, id="old-null"),
        pytest.param({"async": True, "is_async": True}, True, False, id="both"),
        pytest.param({"async": True, "is_async": False}, True, False, id="only-old-true"),
        pytest.param({"async": False, "is_async": True}, True, False, id="only-new-true"),
        pytest.param({"async": False, "is_async": None}, False, False, id="new-null"),
        pytest.param({"is_async": "true"}, True, False, id="text-true"),
        pytest.param({"is_async": " True "}, True, False, id="text-true-with-spaces"),
        pytest.param({"is_async": "1"}, True, False, id="text-one"),
        pytest.param({"is_async": "false"}, False, False, id="text-false"),
        pytest.param({"is_async": ""}, False, False, id="empty-text"),
        pytest.param({"is_async": 1}, True, False, id="one"),
        pytest.param({"is_async": 0}, False, False, id="zero"),
    ],
)
def test_either_flag_means_background(flags: dict[str, Any], is_async: bool, nested: bool) -> None:
    """One true flag is enough; the old key without the new one asks for the nested dialect."""
    call = parse_request(request(**flags))
    assert (call.is_async, call.nested) == (is_async, nested)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        pytest.param({}, None, id="absent"),
        pytest.param({"expiration": None}, None, id="null"),
        pytest.param({"expiration": 0}, None, id="zero"),
        pytest.param({"expiration": ""}, None, id="empty"),
        pytest.param({"expiration": 15}, None, id="default-of-old-clients"),
        pytest.param({"expiration": 15.0}, None, id="default-as-a-float"),
        pytest.param({"expiration": "15"}, None, id="default-as-text"),
        pytest.param({"expiration": 15, "expiration_given": False}, None, id="default-not-given"),
        pytest.param({"expiration": 15, "expiration_given": True}, 15.0, id="given"),
        pytest.param({"expiration": 0, "expiration_given": True}, None, id="zero-given"),
        pytest.param({"expiration": 14}, 14.0, id="one-less"),
        pytest.param({"expiration": 15.5}, 15.5, id="half-a-second-more"),
        pytest.param({"expiration": "60"}, 60.0, id="text"),
    ],
)
def test_expiration(fields: dict[str, Any], seconds: float | None) -> None:
    """The 15 that old clients always send counts only if it is said to be meant; any other value counts."""
    assert parse_request(request(**fields)).expiration == seconds


@pytest.mark.parametrize(
    ("expiration", "seconds"),
    [pytest.param(15, 15.0, id="default"), pytest.param(0, None, id="zero"), pytest.param(7, 7.0, id="other")],
)
def test_default_expiration_can_be_honoured(expiration: int, seconds: float | None) -> None:
    """With the setting on, a 15 means 15."""
    body = request(expiration=expiration)
    assert parse_request(body, honour_default_expiration=True).expiration == seconds


@pytest.mark.parametrize("fields", [{"name": "crm.sync"}, {"id": "crm.sync"}, {"name": None, "id": "crm.sync"}])
def test_service_is_named_by_name_or_id(fields: dict[str, Any]) -> None:
    """Either key says which service is meant."""
    assert parse_request(json.dumps(fields).encode()).name == "crm.sync"


def test_service_may_be_a_number() -> None:
    """Old clients send the id of a service as a number."""
    assert parse_request(b'{"id": 7}').name == "7"


def test_name_and_id_together_are_refused() -> None:
    """Nobody guesses which of the two was meant."""
    with pytest.raises(BadRequest, match="Both 'name' and 'id' are given; send one of them"):
        parse_request(request(id="audit.store"))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b"{}", "None", id="absent"),
        pytest.param(b'{"name": ""}', "''", id="empty"),
        pytest.param(b'{"name": true}', "True", id="flag"),
        pytest.param(b'{"name": 1.5}', "1.5", id="fraction"),
        pytest.param(b'{"name": ["crm.sync"]}', r"\['crm.sync'\]", id="list"),
        pytest.param(b'{"id": {}}', "{}", id="object"),
    ],
)
def test_request_without_a_name_is_refused(body: bytes, shown: str) -> None:
    """The message shows what was there instead of a name."""
    with pytest.raises(BadRequest, match=f"'name' says which service to invoke; {shown} does not"):
        parse_request(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "cannot be read. This is not JSON", id="empty"),
        pytest.param(b"name=crm.sync", "cannot be read. This is not JSON", id="form"),
        pytest.param(b'{"name": "crm.sync"', "cannot be read. This is not JSON", id="cut-off"),
        pytest.param(b'{"name":"\xff"}', "cannot be read. The JSON is not UTF-8", id="not-utf-8"),
        pytest.param(rb'{"name":"\ud800"}', "cannot be read. .* not Unicode", id="not-unicode"),
        pytest.param(b"[" * 300 + b"]" * 300, "cannot be read. .* nested deeper", id="too-deep"),
        pytest.param(b'{"id":' + b"9" * 5000 + b"}", "cannot be read. .* digits", id="huge-number"),
        pytest.param(b"[]", "is a JSON list; send an object", id="list"),
        pytest.param(b'"crm.sync"', "is a JSON str; send an object", id="string"),
        pytest.param(b"null", "is a JSON NoneType; send an object", id="null"),
    ],
)
def test_body_that_is_no_object_is_refused(body: bytes, message: str) -> None:
    """Whatever the bytes are, the caller gets a 400 that says what is wrong with them."""
    with pytest.raises(BadRequest, match=f"The request's body {message}") as caught:
        parse_request(body)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty"),
        pytest.param("\n", id="line-feed"),
        pytest.param("IiI=", id="empty-string"),
        pytest.param("bnVsbA==", id="json-null"),
    ],
)
def test_empty_payload_reaches_the_target_as_the_empty_text(payload: object) -> None:
    """All the ways to send nothing mean the same."""
    assert from_door(parse_request(request(payload=payload)).payload)[0] == ""


@given(st.binary(max_size=300))
def test_mime_base64_is_read(data: bytes) -> None:
    """Line breaks after each 76 characters, as old clients send them, change nothing."""
    assert parse_request(request(payload=encodebytes(data).decode())).payload == data


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("e30", id="no-padding"),
        pytest.param("e30=e30=", id="padding-inside"),
        pytest.param("e30==", id="too-much-padding"),
        pytest.param("{}", id="other-characters"),
        pytest.param("_-8=", id="url-alphabet"),
        pytest.param("é30=", id="not-ascii"),
        pytest.param("====", id="padding-alone"),
    ],
)
def test_payload_that_is_not_base64_is_refused(payload: str) -> None:
    """Nothing is dropped in silence: what is not base64 is a 400."""
    with pytest.raises(BadRequest, match="'payload' is not base64: ") as caught:
        parse_request(request(payload=payload))

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        pytest.param("payload", 0, "'payload' is base64 text, not a JSON int", id="payload-number"),
        pytest.param("payload", {}, "'payload' is base64 text, not a JSON dict", id="payload-object"),
        pytest.param("payload", False, "'payload' is base64 text, not a JSON bool", id="payload-flag"),
        pytest.param("channel", 1, "'channel' is text, not a JSON int", id="channel"),
        pytest.param("data_format", [], "'data_format' is text, not a JSON list", id="data-format"),
        pytest.param("transport", {}, "'transport' is text, not a JSON dict", id="transport"),
        pytest.param("cid", 1.5, "'cid' is text, not a JSON float", id="cid"),
        pytest.param("idempotency_key", True, "'idempotency_key' is text, not a JSON bool", id="idempotency-key"),
        pytest.param("callback", 1, "'callback' is the name of a service or a list of names", id="callback"),
        pytest.param("callback", ["a", 1], "'callback' is the name of a service or a list", id="callback-list"),
        pytest.param("on_failure", {}, "'on_failure' is the name of a service or a list", id="on-failure"),
        pytest.param("expiration", "soon", "'expiration' is a number of seconds from 0, not 'soon'", id="word"),
        pytest.param("expiration", -1, "'expiration' is a number of seconds from 0, not -1", id="negative"),
        pytest.param("expiration", True, "'expiration' is a number of seconds from 0, not True", id="flag"),
        pytest.param("timeout", [1], r"'timeout' is a number of seconds from 0, not \[1\]", id="list"),
        pytest.param("timeout", float("nan"), "'timeout' is a number of seconds from 0, not nan", id="nan"),
        pytest.param("delay", "inf", "'delay' is a number of seconds from 0, not 'inf'", id="infinity"),
        pytest.param("delay", 1e10, "'delay' is a number of seconds from 0, not 10000000000", id="centuries"),
        pytest.param("delay", 10**400, "'delay' is a number of seconds from 0, not 1000", id="huge-number"),
        pytest.param("time_limit", "no", "'time_limit' is a number of seconds from 0, not 'no'", id="time-limit"),
    ],
)
def test_field_of_the_wrong_kind_is_refused(field: str, value: object, message: str) -> None:
    """The message names the field and says what belongs there."""
    with pytest.raises(BadRequest, match=message):
        parse_request(request(**{field: value}))


def test_every_field_is_read() -> None:
    """What a client asks for reaches the server, keys unknown to us are ignored."""
    asked: dict[str, Any] = {
        "channel": "rest",
        "data_format": "xml",
        "transport": "plain_http",
        "timeout": 2.5,
        "delay": "3",
        "retry": {"attempts": 5},
        "time_limit": 2.5,
        "cid": "my-cid",
        "idempotency_key": "once",
    }
    call = parse_request(request(**asked, pid=7, all_pids=True, new_in_4_0={"a": 1}))
    assert {name: getattr(call, name) for name in asked} == {**asked, "delay": 3.0}


def test_defaults() -> None:
    """A request that has nothing but a name runs now, with an empty payload, and tells nobody."""
    call = parse_request(request(channel="", data_format=None, cid="", idempotency_key=""))
    assert (call.payload, call.channel, call.data_format) == (b"", "invoke", "json")
    assert [call.callback, call.on_failure, call.delay, call.retry, call.cid, call.idempotency_key] == [None] * 6


@pytest.mark.parametrize("field", ["timeout", "delay", "expiration"])
@pytest.mark.parametrize("value", [0, 0.0, "0", "", None])
def test_no_seconds_mean_no_limit(field: str, value: object) -> None:
    """Zero and empty say the same as leaving a time out."""
    assert getattr(parse_request(request(**{field: value})), field) is None


@pytest.mark.parametrize(("value", "limit"), [(0, 0.0), ("0", 0.0), ("1.5", 1.5), (None, None), ("", None)])
def test_no_limit_is_not_the_same_as_none_given(value: object, limit: float | None) -> None:
    """Zero takes away the time limit that the service's class has; leaving it out does not."""
    assert parse_request(request(time_limit=value)).time_limit == limit


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param("audit.store", ("audit.store",), id="one"),
        pytest.param(["audit.store", "crm.sync"], ("audit.store", "crm.sync"), id="several"),
        pytest.param([], (), id="none-on-purpose"),
        pytest.param(None, None, id="not-asked"),
        pytest.param("", None, id="empty-text"),
    ],
)
def test_followers(value: object, names: tuple[str, ...] | None) -> None:
    """A name, a list of names, an empty list and nothing are four different requests."""
    call = parse_request(request(callback=value, on_failure=value))
    assert (call.callback, call.on_failure) == (names, names)


@pytest.mark.parametrize(
    ("fields", "skip"),
    [
        pytest.param({}, True, id="absent"),
        pytest.param({"skip_response_elem": None}, True, id="null"),
        pytest.param({"skip_response_elem": True}, True, id="true"),
        pytest.param({"skip_response_elem": 1}, True, id="one"),
        pytest.param({"skip_response_elem": False}, False, id="false"),
        pytest.param({"skip_response_elem": 0}, False, id="zero"),
        pytest.param({"skip_response_elem": "false"}, False, id="text-false"),
    ],
)
def test_wrapper_is_taken_off_unless_it_is_wanted(fields: dict[str, Any], skip: bool) -> None:
    """Any form of false keeps the wrapper."""
    assert parse_request(request(**fields)).skip_response_elem is skip


def test_last_of_two_equal_keys_counts() -> None:
    """A key given twice means its last value, as everywhere in JSON."""
    assert parse_request(b'{"name": "audit.store", "name": "crm.sync"}').name == "crm.sync"


OK_ENV: dict[str, Any] = {"result": "ZATO_OK", "cid": CID, "details": ""}


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        pytest.param({"response": "YQ=="}, "a", id="flat"),
        pytest.param({"zato_service_invoke_response": {"response": "YQ=="}}, "a", id="nested"),
        pytest.param({"zato_service_invoke_response": {"response": "YQ=="}, "response": "Yg=="}, "a", id="both"),
        pytest.param({"zato_service_invoke_response": None, "response": "YQ=="}, "a", id="nested-null"),
        pytest.param({"zato_service_invoke_response": {}}, "", id="nested-empty"),
        pytest.param({"response": "Y\nQ==\n"}, "a", id="mime"),
        pytest.param({"response": ""}, "", id="empty"),
        pytest.param({"response": None}, "", id="null"),
        pytest.param({"response": {"a": 1}}, "", id="not-text"),
        pytest.param({}, "", id="absent"),
        pytest.param({"response": "not base64!"}, "not base64!", id="not-base64"),
        pytest.param({"response": "é"}, "é", id="not-ascii"),
        pytest.param({"response": "/2E="}, "\ufffda", id="not-utf-8"),
    ],
)
def test_text_of_a_reply(parts: dict[str, Any], text: str) -> None:
    """The response is found in either dialect, and what cannot be decoded is shown as it is."""
    assert parse_reply(json.dumps({"zato_env": OK_ENV, **parts}).encode()).text == text


@pytest.mark.parametrize(
    ("env", "result", "cid", "details"),
    [
        pytest.param({}, None, None, None, id="empty"),
        pytest.param({"result": 1, "cid": 2, "details": {"a": 3}}, None, None, {"a": 3}, id="other-kinds"),
        pytest.param({"result": "MAYBE", "cid": CID}, "MAYBE", CID, None, id="other-word"),
    ],
)
def test_unusual_envelope_is_read(env: dict[str, Any], result: str | None, cid: str | None, details: object) -> None:
    """What an envelope lacks, or holds in another kind, is None."""
    reply = parse_reply(json.dumps({"zato_env": env}).encode())
    assert (reply.result, reply.cid, reply.details) == (result, cid, details)


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"<h1>Bad Gateway</h1>", None, id="html"),
        pytest.param(b'{"zato_env":"\xff"}', None, id="not-utf-8"),
        pytest.param(b"[" * 300 + b"]" * 300, None, id="too-deep"),
        pytest.param(b'["zato_env"]', ["zato_env"], id="list"),
        pytest.param(b'{"details": "No."}', {"details": "No."}, id="object-without-envelope"),
        pytest.param(b'{"zato_env": null}', {"zato_env": None}, id="null-for-an-envelope"),
    ],
)
def test_what_is_no_envelope_has_no_result(body: bytes, parsed: object) -> None:
    """A body of somebody else is read as far as it can be."""
    assert parse_reply(body) == ServiceReply(None, None, None, "", parsed)


@given(st.binary() | st.binary().map(lambda data: b'{"zato_env":{"result":' + data + b'},"response":' + data + b"}"))
def test_reading_a_reply_never_raises(body: bytes) -> None:
    """Whatever comes back over the network, the client gets a reply to look at."""
    assert isinstance(parse_reply(body), ServiceReply)


@pytest.mark.parametrize(
    ("error", "details"),
    [
        pytest.param(NotFound(CID, "No such row."), "No such row.", id="ours"),
        pytest.param(ZatoError(), "", id="ours-without-text"),
        pytest.param(ValueError("No such row."), "ValueError: No such row.", id="other"),
        pytest.param(ValueError(), "ValueError", id="other-without-text"),
        pytest.param(KeyError("row"), "KeyError: 'row'", id="key"),
        pytest.param(SystemExit(3), "SystemExit: 3", id="exit"),
        pytest.param(OSError("caf\udce9"), r"OSError: caf\udce9", id="undecodable-file"),
        pytest.param(NotFound("caf\udce9"), r"caf\udce9", id="ours-with-an-undecodable-file"),
        pytest.param(Mute(), "Mute", id="cannot-be-shown"),
    ],
)
def test_details_of_an_error(error: BaseException, details: str) -> None:
    """Our own errors say their message, others their type as well, and all of it can be sent."""
    body = encode_error(details_of(error), CID)
    assert parse_reply(body).details == details
