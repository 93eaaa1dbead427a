"""Which invocations a page is about: what its address asks for, in the server's words, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from zato.core.errors import hint_for
from zato.core.invocation import Status

__all__ = ["SPANS", "STATUSES", "Filters", "iso", "read_filters"]

STATUSES = tuple(status.value for status in Status)
# What the server takes as it stands in the address.
PLAIN = ("status", "service", "cid", "channel", "server", "error", "parent")
TIMES = ("since", "until")
FIELDS = (*PLAIN, "within", *TIMES)
# What an address may say beside them: where in the list, and whether it goes on by itself.
BESIDE = ("cursor", "past", "live")
# For what is no time, which is a problem before anybody asks for it.
EPOCH = datetime.fromtimestamp(0, UTC)
# Pages that "newer" leads back through, one by one.
MOST_PAST = 50

SPANS: Mapping[str, tuple[timedelta, str]] = {
    "15m": (timedelta(minutes=15), "Last 15 minutes"),
    "1h": (timedelta(hours=1), "Last hour"),
    "24h": (timedelta(hours=24), "Last 24 hours"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for.

    Attributes:
        given: the filters, as the address has them.
        problems: what is wrong, by the filter's name; under an empty name what is about none of them.
        cursor: the page that is shown, or an empty text for the first one.
        past: the pages before, the first one last.
        live: whether the first page is to go on by itself.
    """

    given: Mapping[str, str]
    problems: Mapping[str, str]
    cursor: str = ""
    past: tuple[str, ...] = ()
    live: bool = False

    def __getitem__(self, name: str) -> str:
        """Return what is asked for under a name, or an empty text."""
        return self.given.get(name, "")

    def field(self, name: str) -> str:
        """Return a time as a field for dates and times has it, in UTC, or an empty text."""
        moment = _parsed(self[name])
        return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")

    def asked(self, now: datetime) -> dict[str, str]:
        """Return the filters in the server's words.

        Args:
            now: what "the last hour" is counted from.
        """
        asked = {name: self.given[name] for name in PLAIN if name in self.given}
        if "within" in self.given:
            return {**asked, "since": iso(now - SPANS[self.given["within"]][0])}
        return {**asked, **{name: iso(_moment(self.given[name])) for name in TIMES if name in self.given}}

    def link(self, path: str = "/invocations", **changed: str | None) -> str:
        """Return the address of a list with some filters changed, or left out; it is the first page of it."""
        live = {"live": "1"} if self.live else {}
        query = {name: value for name, value in {**self.given, **live, **changed}.items() if value}
        return f"{path}?{urlencode(query)}" if query else path

    def older(self, cursor: str) -> str:
        """Return the address of the page that comes after this one."""
        past = (self.cursor, *self.past)[:MOST_PAST]
        return self.link(live=None, cursor=cursor, past="~".join(past))

    def newer(self) -> str:
        """Return the address of the page that comes before this one."""
        cursor, *past = self.past or ("",)
        return self.link(live=None, cursor=cursor, past="~".join(past))


def read_filters(query: Mapping[str, str], *others: str) -> Filters:
    """Return what an address asks for; problems are in the result, each beside the filter it is about.

    Args:
        query: of the address.
        others: names that the page knows beside those of every list.
    """
    given = {name: query[name].strip() for name in FIELDS if query.get(name, "").strip()}
    cursor, past = query.get("cursor", ""), query.get("past", "").split("~") if query.get("past") else []
    problems = {**_unknown(query, others), **_status_problem(given), **_time_problems(given)}
    if any(each and not _is_cursor(each) for each in (cursor, *past)):
        problems["cursor"] = "The address names a page of the list that never was. Begin with the newest."
    return Filters(given, problems, cursor, tuple(past), query.get("live") == "1" and not cursor)


def iso(moment: datetime) -> str:
    """Return a time as the server writes it, in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unknown(query: Mapping[str, str], others: tuple[str, ...]) -> dict[str, str]:
    known = (*FIELDS, *BESIDE, *others)
    for name in query:
        if name not in known:
            return {"": f"There is no filter {name!r:.80}. {hint_for(name, FIELDS) or 'Filters: ' + ', '.join(FIELDS)}"}
    return {}


def _status_problem(given: Mapping[str, str]) -> dict[str, str]:
    status = given.get("status")
    if status is None or status in STATUSES:
        return {}
    hint = hint_for(status, STATUSES) or f"There are {', '.join(STATUSES)}."
    return {"status": f"There is no status {status!r:.80}. {hint}"}


def _time_problems(given: Mapping[str, str]) -> dict[str, str]:
    within, times = given.get("within"), [name for name in TIMES if name in given]
    problems = {name: _no_time(given[name]) for name in times if _parsed(given[name]) is None}
    if within is not None and within not in SPANS:
        problems["within"] = f"There is no time span {within!r:.80}. There are {', '.join(SPANS)}."
    elif within is not None and times:
        problems["within"] = "Choose a span of time, or say since and until when; not both."
    if not problems and len(times) == len(TIMES) and _moment(given["since"]) >= _moment(given["until"]):
        problems["until"] = "This is not after 'since', so that nothing can match."
    return problems


def _no_time(text: str) -> str:
    return f"{text!r:.80} is no time. Write it as 2026-01-31T12:00:00Z; without the Z it is UTC, too."


def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(text: str) -> datetime:
    return _parsed(text) or EPOCH


def _is_cursor(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19
