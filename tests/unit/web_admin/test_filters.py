"""Which invocations an address asks for, and what is said about nonsense in it."""

from datetime import UTC, datetime

import pytest

from zato.web_admin.filters import read_filters

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"service": " crm ", "status": "failed"}, {"service": "crm", "status": "failed"}, id="plain"),
        pytest.param({"error": "  "}, {}, id="blank"),
        pytest.param({"within": "1h"}, {"since": "2026-01-31T11:00:00.000Z"}, id="span"),
        pytest.param({"since": "2026-01-31T13:00:00+02:00"}, {"since": "2026-01-31T11:00:00.000Z"}, id="other-zone"),
        pytest.param({"until": "2026-01-31T11:00"}, {"until": "2026-01-31T11:00:00.000Z"}, id="no-zone-is-utc"),
        pytest.param({"live": "1", "cursor": "7", "past": "9"}, {}, id="where-in-the-list"),
    ],
)
def test_address_in_the_words_of_the_server(query: dict[str, str], asked: dict[str, str]) -> None:
    """Blanks are left out, times are in UTC, and a span of time is counted from now."""
    filters = read_filters(query)
    assert (filters.asked(NOW), filters.problems) == (asked, {})


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        pytest.param({"status": "faild"}, "status", "There is no status 'faild'. Did you mean 'failed'?", id="status"),
        pytest.param({"status": "?"}, "status", "There are waiting, delayed", id="status-unlike-any"),
        pytest.param({"within": "1y"}, "within", "There is no time span '1y'. There are 15m, 1h, 24h.", id="span"),
        pytest.param({"since": "today"}, "since", "'today' is no time. Write it as 2026-01-31T12:00:00Z", id="time"),
        pytest.param({"until": "0001-01-01T00:00+23:00"}, "until", "is no time", id="time-before-all-times"),
        pytest.param({"within": "1h", "since": "2026-01-01"}, "within", "not both", id="span-and-time"),
        pytest.param({"since": "2026-01-02", "until": "2026-01-02"}, "until", "not after 'since'", id="no-time-at-all"),
        pytest.param({"cursor": "-1"}, "cursor", "a page of the list that never was", id="page"),
        pytest.param({"cursor": "1", "past": "2~x"}, "cursor", "Begin with the newest", id="page-before"),
        pytest.param({"stauts": "failed"}, "", "There is no filter 'stauts'. Did you mean 'status'?", id="name"),
        pytest.param({"x" * 999: "1"}, "", "Filters: status, service", id="long-name"),
    ],
)
def test_nonsense_is_named_beside_its_filter(query: dict[str, str], name: str, said: str) -> None:
    """The message is under the filter's name, says what is there and what may be, and is short."""
    problems = read_filters(query).problems
    assert list(problems) == [name]
    assert said in problems[name]
    assert len(problems[name]) < 250


def test_every_problem_is_told_at_once() -> None:
    """Who made two mistakes corrects both."""
    assert set(read_filters({"status": "x", "within": "x", "since": "x"}).problems) == {"status", "within", "since"}


def test_pages_lead_there_and_back() -> None:
    """Older pages remember the ones before, so that 'newer' leads through the same pages to the first one."""
    first = read_filters({"service": "crm", "live": "1"})
    assert first.older("30") == "/invocations?service=crm&cursor=30"
    third = read_filters({"service": "crm", "cursor": "20", "past": "30~40"})
    assert third.older("10") == "/invocations?service=crm&cursor=10&past=20~30~40"
    assert third.newer() == "/invocations?service=crm&cursor=30&past=40"
    assert read_filters({"service": "crm", "cursor": "30"}).newer() == "/invocations?service=crm"


def test_only_the_first_page_is_live() -> None:
    """Older pages do not change."""
    assert read_filters({"live": "1"}).live
    assert not read_filters({"live": "1", "cursor": "7"}).live


def test_link_changes_one_filter_and_begins_anew() -> None:
    """The rest stays, and the list is shown from its beginning."""
    filters = read_filters({"service": "a b", "status": "failed", "cursor": "7"})
    assert filters.link(status="done") == "/invocations?status=done&service=a+b"
    assert filters.link(status=None, service=None) == "/invocations"


@pytest.mark.parametrize(
    ("text", "shown"), [("2026-01-31T13:00:00.500+02:00", "2026-01-31T11:00:00"), ("x", ""), ("", "")]
)
def test_time_as_a_field_has_it(text: str, shown: str) -> None:
    """A field for dates and times takes no zone, no fraction and no nonsense."""
    assert read_filters({"since": text}).field("since") == shown
