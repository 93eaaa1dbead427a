"""Choosing the services that receive an outcome, and what they receive."""

from collections.abc import Iterable

import pytest

from zato.core.callbacks import choose_callbacks, replies_to, require_deployed
from zato.core.errors import UnknownService
from zato.core.invocation import ErrorInfo, Invocation, Outcome, Status
from zato.core.payload import decode, encode

DEPLOYED = frozenset({"crm.sync", "crm.sync-async-callback", "audit.store", "audit.alarm"})
FAILURE = ErrorInfo("not_found", "NotFound", "No such row.", "Traceback: secret")


def invocation(*, callback: tuple[str, ...] = (), on_failure: tuple[str, ...] = ()) -> Invocation:
    """Return an invocation of `crm.sync` with the given followers."""
    return Invocation(
        id="0" * 26,
        cid="abc",
        service="crm.sync",
        payload=b'""',
        created=0,
        callback=callback,
        on_failure=on_failure,
    )


@pytest.mark.parametrize(
    ("caller", "requested", "expected"),
    [
        pytest.param("audit.store", None, (), id="nobody-asked"),
        pytest.param(None, None, (), id="client-did-not-ask"),
        pytest.param("crm.sync", None, ("crm.sync-async-callback",), id="by-convention"),
        pytest.param("crm.sync", ["audit.store"], ("audit.store",), id="request-beats-convention"),
        pytest.param("crm.sync", [], (), id="empty-request-beats-convention"),
        pytest.param(None, ["audit.store"], ("audit.store",), id="client-asked"),
        pytest.param("crm.sync", iter(["crm.sync", "audit.store"]), ("crm.sync", "audit.store"), id="several-in-order"),
        pytest.param("audit.store", ["audit.store"], ("audit.store",), id="caller-itself"),
    ],
)
def test_choice(caller: str | None, requested: Iterable[str] | None, expected: tuple[str, ...]) -> None:
    """A request wins, then the naming convention, then silence."""
    assert choose_callbacks(caller, requested, DEPLOYED) == expected


def test_misspelt_request_is_refused_with_the_nearest_name() -> None:
    """The caller learns of the mistake at once, and the message holds the correction."""
    with pytest.raises(UnknownService, match=r"'audit\.stor' .* Did you mean 'audit\.store'\?") as caught:
        choose_callbacks("crm.sync", ["crm.sync", "audit.stor"], DEPLOYED)

    assert caught.value.code == "unknown_service"


def test_deployed_names_come_back_in_order() -> None:
    """Names that are all deployed are returned as they came, repeats included."""
    names = ["crm.sync", "audit.store", "crm.sync"]
    assert require_deployed(iter(names), DEPLOYED) == tuple(names)


@pytest.mark.parametrize(
    ("response", "text"),
    [
        pytest.param(None, "", id="nothing"),
        pytest.param(b"null", "", id="null"),
        pytest.param(b'""', "", id="empty-text"),
        pytest.param(b'"as it is: \\u00e9"', "as it is: é", id="text"),
        pytest.param(b'"[1]"', "[1]", id="text-that-holds-json"),
        pytest.param(b'{"a":1.10}', '{"a":1.10}', id="object"),
        pytest.param(b"[]", "[]", id="empty-list"),
        pytest.param(b"false", "false", id="flag"),
    ],
)
def test_callback_gets_the_response_as_text(response: bytes | None, text: str) -> None:
    """Every callback gets text: text as it is, anything else as JSON text, nothing as an empty one."""
    done = Outcome(status=Status.DONE, ended=1, response=response)
    replies = replies_to(invocation(callback=("audit.store", "crm.sync")), done)
    assert [(name, decode(payload)) for name, payload in replies] == [("audit.store", text), ("crm.sync", text)]


def test_target_that_is_done_alarms_nobody() -> None:
    """A success is no business of `on_failure`."""
    done = Outcome(status=Status.DONE, ended=1)
    assert replies_to(invocation(on_failure=("audit.alarm",)), done) == []


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        pytest.param(FAILURE, {"code": "not_found", "type": "NotFound", "message": "No such row."}, id="known"),
        pytest.param(None, None, id="unknown"),
    ],
)
def test_failure_is_reported_without_its_traceback(error: ErrorInfo | None, shown: object) -> None:
    """`on_failure` gets one object with four keys, and `callback` gets nothing."""
    target = invocation(callback=("audit.store",), on_failure=("audit.alarm", "crm.sync"))
    failed = Outcome(status=Status.FAILED, ended=1, error=error, attempts=3)
    report = {"cid": "abc", "service": "crm.sync", "error": shown, "attempts": 3}

    assert [(name, decode(payload)) for name, payload in replies_to(target, failed)] == [
        ("audit.alarm", report),
        ("crm.sync", report),
    ]


def test_failure_with_half_a_surrogate_pair_is_reported() -> None:
    """An error that names an undecodable file reaches `on_failure` like any other."""
    error = ErrorInfo("error", "FileNotFoundError", "caf\udce9")
    failed = Outcome(status=Status.FAILED, ended=1, error=error)
    [(_, payload)] = replies_to(invocation(on_failure=("audit.alarm",)), failed)
    assert decode(payload)["error"]["message"] == r"caf\udce9"


@pytest.mark.parametrize(
    "status", [pytest.param(status, id=status) for status in Status if status not in (Status.DONE, Status.FAILED)]
)
def test_other_outcomes_call_nobody(status: Status) -> None:
    """What expired or was cancelled ran to no end that anybody could be told of."""
    target = invocation(callback=("audit.store",), on_failure=("audit.alarm",))
    assert replies_to(target, Outcome(status=status, ended=1, response=encode(1), error=FAILURE)) == []


def test_failure_without_listeners_calls_nobody() -> None:
    """A failure that nobody asked about sends nothing."""
    assert replies_to(invocation(callback=("audit.store",)), Outcome(status=Status.FAILED, ended=1)) == []
