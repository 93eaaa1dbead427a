"""Lists of calls by how they came in, where they ran and why they failed, and how many a list has."""

import itertools
from typing import Any

import pytest

from tests.contract.calls import DEPLOYED, START, accept, ask, call_id, lease_all, look, make_call
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Backend, Cancel, Count, Find, Finish, Purge, Release, Unstorable
from zato.core.invocation import ErrorInfo, Holder, Lane, Outcome, Record, Status

CALLS = 16
SERVERS = ("north", "north/1", "south", "")
CHANNELS = ("invoke-async", "rest", "invoke-async", "größe")
ERRORS = (
    ErrorInfo("exception", "ValueError", 'Order 7 has no "customer"\nat all', "Traceback: hidden"),
    ErrorInfo("exception", "KeyError", "50%_ÄRGER"),
    None,
)
FILTERS: dict[str, list[Any]] = {
    "status": [None, Status.FAILED, Status.DONE, Status.RUNNING, Status.WAITING],
    "service": [None, "crm.sync"],
    "channel": [None, "invoke-async", "rest", "nothing"],
    "server": [None, "north", "north/1", "nowhere"],
    "error": [None, "valueerror: order", "nothing"],
}


def _populate(backend: Backend) -> None:
    """Have calls wait, run on servers, and end there."""
    for number in range(CALLS):
        service = ("crm.sync", "crm.answer")[number // 2 % 2]
        accept(backend, make_call(number, service=service, channel=CHANNELS[number % 4], parent="p"))
    for at, server in enumerate(SERVERS[:3]):
        ask(backend, Announce(DEPLOYED, server=server))
        lease_all(backend, limits={Lane.THREAD: 4}, token=_token(at * 4), holder=Holder(server, f"run-{at}", at + 1))
    for number in (0, 1, 2, 4, 5, 8, 9, 10):
        status = Status.FAILED if number % 4 < 2 else Status.DONE
        error = ERRORS[number % 3] if status is Status.FAILED else None
        _end(backend, number, Outcome(status=status, ended=1, error=error, server=SERVERS[number // 4], attempts=1))
    ask(backend, Release(call_id(3), _token(3)))
    ask(backend, Cancel(call_id(6), Outcome(status=Status.CANCELLED, ended=1)))


def _end(backend: Backend, number: int, outcome: Outcome) -> None:
    assert ask(backend, Finish(call_id(number), _token(number), outcome))


def _token(number: int) -> bytes:
    """Return what whoever leased this call holds; they come four at a time."""
    return b"token--%d" % (number // 4)


def _failed(backend: Backend, *errors: ErrorInfo | None) -> None:
    """Have a call fail with each error."""
    accept(backend, *(make_call(number) for number in range(len(errors))))
    lease_all(backend, token=_token(0))
    for number, error in enumerate(errors):
        _end(backend, number, Outcome(status=Status.FAILED, ended=1, error=error))


def _numbers(backend: Backend, **asked: Any) -> list[int]:
    return [int(record.invocation.id) for record in ask(backend, Find(**asked)).records]


def _text_of(record: Record) -> str | None:
    failed = record.outcome if record.status is Status.FAILED else None
    return f"{failed.error.type}: {failed.error.message}".lower() if failed and failed.error else None


def _fits(record: Record, *, status: Status | None, server: str | None, error: str | None, **rest: str | None) -> bool:
    return (
        status in (None, record.status)
        and server in (None, record.server)
        and (error is None or error in (_text_of(record) or ""))
        and all(value is None or getattr(record.invocation, name) == value for name, value in rest.items())
    )


def test_every_combination_of_filters(backend: Backend, reader: Backend) -> None:
    """A list has exactly the calls whose own records fit, newest first, and as many as are counted."""
    _populate(backend)
    records = [look(backend, number) for number in reversed(range(CALLS))]
    wrong = []
    for values in itertools.product(*FILTERS.values()):
        wanted = dict(zip(FILTERS, values, strict=True))
        expected = [int(record.invocation.id) for record in records if _fits(record, **wanted)]
        if (_numbers(reader, **wanted), ask(reader, Count(Find(**wanted)))) != (expected, len(expected)):
            wrong.append(wanted)

    assert wrong == []


@pytest.mark.parametrize(
    ("narrow", "expected"),
    [
        pytest.param({"parent": "p"}, [4, 1], id="parent"),
        pytest.param({"parent": "nobody"}, [], id="another-parent"),
        pytest.param({"parent": "p", "status": Status.FAILED}, [4, 1], id="parent-and-status"),
        pytest.param({"parent": "p", "status": Status.DONE}, [], id="another-status"),
        pytest.param({"cid": "c1"}, [1], id="cid"),
        pytest.param({"cid": "c0"}, [], id="cid-of-another-error"),
    ],
)
def test_an_error_is_asked_for_beside_something_narrow(
    backend: Backend, narrow: dict[str, Any], expected: list[int]
) -> None:
    """What is looked for first makes no difference."""
    _populate(backend)
    find = Find(error="50%_", **narrow)

    assert (_numbers(backend, error="50%_", **narrow), ask(backend, Count(find))) == (expected, len(expected))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("VALUEERROR", [0], id="type-in-any-case"),
        pytest.param('no "CUSTOMER"\nat', [0], id="what-json-escapes"),
        pytest.param("ValueError: Order 7", [0], id="both-as-they-are-shown"),
        pytest.param("%", [1], id="no-pattern"),
        pytest.param(".", [], id="no-pattern-either"),
        pytest.param("hidden", [], id="not-the-traceback"),
        pytest.param("exception", [], id="not-the-code"),
        pytest.param("ÄRGER", [1], id="other-letters-as-they-are"),
        pytest.param("ärger", [], id="other-letters-in-no-other-case"),
        pytest.param("", [1, 0], id="anything"),
    ],
)
def test_an_error_has_a_text(backend: Backend, text: str, found: list[int]) -> None:
    """In its type or its message; letters from A to Z may be of any case, and nothing stands for anything else."""
    _failed(backend, *ERRORS)

    assert _numbers(backend, error=text) == found


def test_long_errors_are_searched_to_their_end(backend: Backend) -> None:
    """Whatever stands before and after."""
    _failed(backend, ErrorInfo("exception", "ValueError", "x" * 100_000 + "needle", "t" * 100_000))

    assert (_numbers(backend, error="needle"), _numbers(backend, error="xt")) == ([0], [])


def test_pages_and_counts_of_rare_calls_are_whole(backend: Backend) -> None:
    """However many others lie between them, and with any number in a page; a cursor does not change a count."""
    rare = (3, 400, 600, 1100)
    channels = ["rest" if number in rare else "invoke-async" for number in range(1200)]
    accept(backend, *(make_call(number, channel=channel) for number, channel in enumerate(channels)))
    first = ask(backend, Find(channel="rest", limit=3))
    find = Find(channel="rest", limit=3, cursor=first.cursor)

    assert ([int(each.invocation.id) for each in first.records], _numbers(backend, channel="rest", limit=9)) == (
        [1100, 600, 400],
        [1100, 600, 400, 3],
    )
    assert [int(each.invocation.id) for each in ask(backend, find).records] == [3]
    assert (ask(backend, Count(find)), ask(backend, Count(Find()))) == (4, 1200)


@pytest.mark.parametrize("name", ["since", "until", "status", "service", "parent", "cid", "channel"])
def test_one_filter_alone_is_counted(backend: Backend, name: str) -> None:
    """As many as are listed, some and not all, for each of the filters."""
    _populate(backend)
    accept(backend, make_call(90, cid="c1", created=START + 5, channel="rest", parent="q"))
    values = {"since": START + 5, "until": START + 5, "status": Status.FAILED, "service": "crm.answer", "cid": "c1"}
    find = Find(**{name: {**values, "parent": "q", "channel": "rest"}[name]})  # type: ignore[arg-type]
    counted = ask(backend, Count(find))

    assert 0 < counted < ask(backend, Count(Find()))
    assert counted == len(ask(backend, find).records)


def test_what_is_purged_is_counted_no_more(backend: Backend, clock: TurnableClock) -> None:
    """Nor is it found by its error."""
    _failed(backend, *ERRORS)
    clock.turn(60)
    ask(backend, Purge(1))

    assert (ask(backend, Count(Find())), _numbers(backend, error="")) == (0, [])


@pytest.mark.parametrize("name", ["channel", "server", "error"])
def test_a_text_that_nothing_can_be_called_is_refused(backend: Backend, reader: Backend, name: str) -> None:
    """A question that has no stored form is refused alone, also when it is to count."""
    find = Find(**{name: "caf\udce9"})  # type: ignore[arg-type]

    for each in (backend, reader):
        assert [type(result) for result in each.apply([find, Count(find), Count(Find())]).results] == [
            Unstorable,
            Unstorable,
            int,
        ]
