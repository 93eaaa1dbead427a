"""Calls written as programs and commands; that each runs as copied is tested in tests/web_admin/test_invoker.py."""

import ast
from typing import Any

import pytest

from zato.web_admin.calls import Call
from zato.web_admin.door import Address
from zato.web_admin.snippets import snippets_of, why_not

ADDRESS = Address("http://127.0.0.1:11223", "admin.invoke", "the-password", "/srv/it's")
HTTPS = Address("https://127.0.0.1:11223", "admin.invoke", "the-password", "/srv/env", "ab" * 32)


def written(call: Call, address: Address = ADDRESS) -> dict[str, str]:
    """Return the snippets by name."""
    return {each.name: each.text for each in snippets_of(call, address)}


def arguments(call: Call) -> list[Any]:
    """Return what the Python snippet invokes with, as a Python reads it."""
    [invoked] = [
        node
        for node in ast.walk(ast.parse(written(call)["python"]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "invoke" in node.func.attr
    ]
    return [ast.literal_eval(each) for each in invoked.args] + [
        (each.arg, ast.literal_eval(each.value)) for each in invoked.keywords
    ]


def test_no_snippet_has_the_password() -> None:
    """It is read from the environment's folder."""
    for text in written(Call(service="a")).values():
        assert ADDRESS.password not in text
        assert "/srv/it" in text


@pytest.mark.parametrize("body", ["[1.5, true, null]", '{"a": "\\n$(x) \'é\'"}', '"' + "long words " * 40 + '"', "-5"])
def test_payload_is_a_literal_where_that_is_the_same(body: str) -> None:
    """A program has Python's own data, which is what the JSON says."""
    name, payload = arguments(Call(service="a", body=body))
    assert (name, payload) == ("a", ast.literal_eval(body.replace("true", "True").replace("null", "None")))


@pytest.mark.parametrize("body", ["1.10", "[1e400]", '{"a": 1, "a": 2}', "NaN", '"\\u00e9"'])
def test_payload_is_json_where_a_literal_would_change_it(body: str) -> None:
    """Digits, names that come twice, and escapes arrive as they are."""
    assert arguments(Call(service="a", body=body)) == ["a", body, ("to_json", False)]


def test_semicolon_in_a_header_is_not_for_the_command_line() -> None:
    """It says so, and the others have it."""
    call = Call(service="a", headers={"X-Team": "a; b"})
    python, command, curl = snippets_of(call, ADDRESS)
    assert "'X-Team'" in command.why_not
    assert "a; b" in python.text
    assert "'X-Team: a; b'" in curl.text


def test_policy_of_retries_goes_by_many_on_the_command_line() -> None:
    """The option takes a number of attempts only."""
    retry = {"attempts": 3, "backoff": 0.5}
    call = Call(service="a", body="[1.10]", in_background=True, options={"retry": retry})
    assert '{"name":"a","retry":{"attempts":3,"backoff":0.5},"payload":[1.10]}' in written(call)["command"]
    assert "--retry=3" in written(Call(service="a", in_background=True, options={"retry": 3}))["command"]


def test_policy_of_retries_and_headers_are_too_much_for_the_command_line() -> None:
    """Nothing is left out in silence."""
    call = Call(service="a", headers={"X": "y"}, in_background=True, options={"retry": {"attempts": 3, "backoff": 1}})
    assert "headers" in snippets_of(call, ADDRESS)[1].why_not


def test_text_of_a_pipe_cannot_end_it() -> None:
    """A payload that has the marker of its end in a line of its own gets another one."""
    body = '{"a":\n"x",\nEND\n:1}' + " " * 100_000
    assert "<<'END_'" in written(Call(service="a", body=body))["command"]


def test_https_is_trusted_by_the_certificate_that_the_server_has() -> None:
    """As the command line does it."""
    texts = written(Call(service="a"), HTTPS)
    assert f"pinned_session('{HTTPS.tls_fingerprint}')" in texts["python"]
    assert "--cacert /srv/env/run/tls.pem" in texts["curl"]


def test_payload_beyond_reason_is_not_shown() -> None:
    """A page would not be laid out in good time."""
    assert {each.why_not for each in snippets_of(Call(service="a", body="1" * 1_000_001), ADDRESS)} == {
        "The payload is too long to be shown as a program."
    }
    assert [each.why_not for each in why_not("No.")] == ["No."] * 3
