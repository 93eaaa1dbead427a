"""Calls as the invoker's form says them."""

import pytest

from zato.web_admin.calls import fields_of_call, read_call

BACKGROUND = {
    "service": "crm.sync",
    "payload": '{"a": 1.10}',
    "how": "background",
    "headers": "X-Team: blue\n\nX-Other:  a; b ",
    "delay": "2",
    "expiration": "15",
    "retry_attempts": "3",
    "retry_backoff": "0.5",
    "retry_on": "ValueError, requests.Timeout",
    "time_limit": "0",
    "idempotency_key": "k 1",
    "cid": "abc",
    "priority": "high",
    "queue": "slow",
    "callback": "crm.told crm.log",
}
OPTIONS = {
    "delay": 2,
    "expiration": 15,
    "retry": {"attempts": 3, "backoff": 0.5, "on": ["ValueError", "requests.Timeout"]},
    "time_limit": 0,
    "idempotency_key": "k 1",
    "cid": "abc",
    "priority": "high",
    "queue": "slow",
    "callback": ["crm.told", "crm.log"],
}


def test_every_option_of_a_background_call() -> None:
    """Numbers are numbers, names are lists, and what is not said is not there."""
    call, problems = read_call(BACKGROUND)
    assert problems == {}
    assert (call.service, call.body, call.in_background) == ("crm.sync", '{"a": 1.10}', True)
    assert call.headers == {"X-Team": "blue", "X-Other": "a; b"}
    assert call.options == OPTIONS


def test_call_that_is_waited_for_has_a_timeout_alone() -> None:
    """What the form says of the background plays no part."""
    call, problems = read_call({**BACKGROUND, "how": "now", "timeout": "2.5", "delay": "nonsense"})
    assert (call.options, problems) == ({"timeout": 2.5}, {})


def test_attempts_alone_are_a_number() -> None:
    """As the command line says it, too."""
    call, _ = read_call({"service": "a", "how": "background", "retry_attempts": "3"})
    assert call.options == {"retry": 3}


@pytest.mark.parametrize(
    ("payload", "kind", "body"),
    [
        ("", "json", ""),
        ("  ", "json", ""),
        (" [1.0]\n", "json", "[1.0]"),
        ("NaN", "json", "NaN"),
        ("", "text", ""),
        ("12", "text", '"12"'),
        (' a"\n', "text", '" a\\"\\n"'),
    ],
)
def test_payload(payload: str, kind: str, body: str) -> None:
    """JSON goes digit for digit, and text as a JSON text, so that `12` stays one."""
    call, problems = read_call({"service": "a", "payload": payload, "kind": kind})
    assert (call.body, problems) == (body, {})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("service", " ", "Say which service"),
        ("payload", "{a", "not JSON"),
        ("headers", "no colon", "'no colon' is no header"),
        ("headers", "X: smile \u263a", "is no header"),
        ("headers", "Authorization: Basic x", "cannot be chosen"),
        ("headers", "x-zato-session: x", "cannot be chosen"),
        ("headers", "Transfer-Encoding: chunked", "cannot be chosen"),
        ("delay", "soon", "'soon' is no number"),
        ("delay", "-1", "seconds, from 0"),
        ("expiration", "inf", "no number"),
        ("time_limit", "-2", "time_limit=-2"),
        ("retry_attempts", "0", "out of range"),
        ("retry_attempts", "", "how often to try"),
        ("retry_on", "not a name!", "names no exception"),
        ("priority", "urgent", "'high', 'normal', 'low'"),
        ("queue", "a b", "no legal name"),
        ("idempotency_key", "x" * 256, "up to 255"),
        ("cid", "a\u0007b", "printable"),
    ],
)
def test_what_is_wrong_is_said_of_the_field(field: str, value: str, said: str) -> None:
    """The message says what is legal, and nothing else is complained of."""
    _, problems = read_call({**BACKGROUND, field: value})
    about = "retry_attempts" if field == "retry_on" else field
    assert said in problems[about]
    assert problems.keys() == {about}


def test_form_of_a_call_that_was_made_says_the_same_call() -> None:
    """Whoever repeats it without edits makes the same one."""
    call, _ = read_call(BACKGROUND)
    kept = {
        "service": call.service,
        "is_async": True,
        "payload": call.body,
        "options": {**call.options, "headers": dict(call.headers)},
    }
    assert read_call(fields_of_call(kept)) == (call, {})


@pytest.mark.parametrize("seconds", ["1234.5678", "0.1234567", "1e-07", "5", "86400"])
def test_number_of_a_call_comes_back_as_it_was(seconds: str) -> None:
    """No digit is lost when a call is repeated."""
    call, _ = read_call({"service": "a", "timeout": seconds})
    again = fields_of_call({"service": "a", "is_async": False, "payload": "", "options": call.options})
    assert again["timeout"] == seconds


@pytest.mark.parametrize("text", ["12", "a\nb", '{"a": 1}', ""])
def test_text_that_was_sent_is_text_in_the_form(text: str) -> None:
    """It is not shown in the quotes that it was sent in."""
    call, _ = read_call({"service": "a", "payload": text, "kind": "text"})
    fields = fields_of_call({"service": "a", "is_async": False, "payload": call.body, "options": {}})
    assert fields["payload"] == text
    assert read_call(fields)[0] == call
