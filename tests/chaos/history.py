"""What callers were told, what was started, what was recorded: and whether the three fit together."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from zato.broker.connection import Connection

__all__ = [
    "ACCEPTED",
    "OF_BEFORE",
    "REFUSED",
    "UNKNOWN",
    "History",
    "Recorded",
    "Started",
    "Told",
    "Verdict",
    "journal",
    "pending",
    "run_of",
]

# What a caller was told: it was stored; it was not; the reply never came.
ACCEPTED = "accepted"
REFUSED = "refused"
UNKNOWN = "unknown"

# CIDs of calls that ended long before anything of a history begins.
OF_BEFORE = "old-"

PATIENCE = 20.0

EVERYTHING = """
SELECT i.cid, i.service, CAST(i.options AS TEXT) ->> '$.in_reply_to', o.status, o.response, p.seq IS NOT NULL,
       coalesce(o.attempts, p.attempts, 0)
FROM invocation i LEFT JOIN pending p USING (seq) LEFT JOIN outcome o USING (seq) ORDER BY i.seq
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told of one call.

    Attributes:
        cid: the caller's own, so that a call is known even if no reply came.
        verdict: one of `ACCEPTED`, `REFUSED`, `UNKNOWN`.
        at: when, on the monotonic clock of the machine.
        not_before: when it might start at the earliest, on that clock.
        calls_back: whether a callback, or a service to call at a failure, was asked for.
        seen: the run whose response the caller was shown as the outcome.
        looked: when it was shown that, on the monotonic clock.
        ends: how the call is to end, as it was asked for.
        keyed: whether it has an idempotency key.
    """

    cid: str
    verdict: str
    at: float
    not_before: float = 0.0
    calls_back: bool = False
    seen: str | None = None
    looked: float = 0.0
    ends: str = "done"
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class Started:
    """One start of a service, as it wrote it down.

    Attributes:
        run: tells this start from all others; it is the service's response.
        in_reply_to: of a callback, the CID of the call that it answers.
        reply: of a callback, the run it was told of.
    """

    cid: str
    service: str
    run: str
    pid: int
    at: float
    in_reply_to: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the store has of one call in the end.

    Attributes:
        in_reply_to: of a callback, the CID of the call that it answers.
        status: of its outcome, or None if it has none.
        run: the start whose response was recorded.
        waits: whether it is still to be run.
        attempts: how often it ran to an end.
        takeovers: how often it lost its holder, as far as that is known.
    """

    cid: str
    service: str
    in_reply_to: str | None
    status: str | None
    run: str | None
    waits: bool
    attempts: int = 1
    takeovers: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out. Each name stands for calls, by CID.

    Attributes:
        accepted: callers were told that they are stored.
        unknown: callers were told nothing.
        lost: accepted, and not ended as it should; or ended, and nobody was called back who should have been.
        run_twice: started more often than they ran to an end, which is allowed.
        recorded_twice: two records of one call or one callback, or two different outcomes were seen.
        refused_ran: stored, though refused, where that is allowed.
        ghosts: stored, though refused or never asked for; or started, and not stored.
        halves: stored, and neither to be run nor ended; or both.
        early: started before their time.
        late: seconds that the longest wait for a start took, from acceptance or the time that was asked for.
    """

    accepted: frozenset[str]
    unknown: frozenset[str]
    lost: frozenset[str]
    run_twice: frozenset[str]
    recorded_twice: frozenset[str]
    refused_ran: frozenset[str]
    ghosts: frozenset[str]
    halves: frozenset[str]
    early: frozenset[str]
    late: float

    @property
    def faults(self) -> dict[str, list[str]]:
        """What must not be, by name, as far as it is."""
        names = ("lost", "recorded_twice", "ghosts", "halves", "early")
        return {name: sorted(getattr(self, name)) for name in names if getattr(self, name)}


class History:
    """Everything that happened to the calls of one environment.

    Attributes:
        told: by callers; several entries of one CID are repeats with one idempotency key.
        started: by services.
        recorded: by the store.
        refused_may_run: whether a refusal may come of a store that did not answer, and so is not sure.
    """

    def __init__(
        self,
        told: Iterable[Told],
        started: Iterable[Started],
        recorded: Iterable[Recorded],
        *,
        refused_may_run: bool = False,
    ) -> None:
        self.told = list(told)
        self.started = list(started)
        self.recorded = list(recorded)
        self.refused_may_run = refused_may_run

    @classmethod
    def of(cls, environment: Path, told: Iterable[Told]) -> Self:
        """Return the history of an environment."""
        return cls(told, journal(environment), _store(environment / "data" / "broker.db"))

    def only(self, told: Iterable[Told]) -> "History":
        """Return the part of the history that these calls, and the callbacks to them, had."""
        part = list(told)
        cids = {each.cid for each in part}
        started = [each for each in self.started if (each.in_reply_to or each.cid) in cids]
        recorded = [each for each in self.recorded if (each.in_reply_to or each.cid) in cids]
        return History(part, started, recorded, refused_may_run=self.refused_may_run)

    def verdict(self) -> Verdict:
        """Compare what was told, started and recorded."""
        accepted = {each.cid for each in self.told if each.verdict == ACCEPTED}
        unknown = {each.cid for each in self.told if each.verdict == UNKNOWN} - accepted
        stored = Counter(each.cid for each in self._calls())
        starts = Counter(each.cid for each in self.started)
        attempts = defaultdict(lambda: 1, {each.cid: each.attempts for each in self.recorded})
        refused = {each.cid for each in self.told} if self.refused_may_run else set()
        known = accepted | unknown | refused
        strangers = {cid for cid in stored if cid not in known and not cid.startswith(OF_BEFORE)}
        return Verdict(
            accepted=frozenset(accepted),
            unknown=frozenset(unknown),
            lost=frozenset(accepted - self._ended() | self._not_called_back()),
            run_twice=frozenset(cid for cid, count in starts.items() if count > attempts[cid]),
            recorded_twice=frozenset(
                {cid for cid, count in stored.items() if count > 1} | self._called_back_twice() | self._changed()
            ),
            refused_ran=frozenset((stored.keys() & refused) - accepted - unknown),
            ghosts=frozenset(strangers | (starts.keys() - {each.cid for each in self.recorded})),
            halves=frozenset(each.cid for each in self.recorded if each.waits is (each.status is not None)),
            early=frozenset(self._early()),
            late=max([0.0, *self._waits()]),
        )

    def _calls(self) -> list[Recorded]:
        """Return what is recorded of the calls themselves, without callbacks."""
        return [each for each in self.recorded if each.in_reply_to is None]

    def _ended(self) -> set[str]:
        """Return the calls that ended as they should."""
        wished = {each.cid: each.ends for each in self.told}
        return {each.cid for each in self._calls() if each.status == wished.get(each.cid)}

    def _callbacks(self) -> dict[str, list[Recorded]]:
        """Return what is recorded of callbacks, by the call that they answer."""
        found: dict[str, list[Recorded]] = defaultdict(list)
        for each in self.recorded:
            if each.in_reply_to is not None:
                found[each.in_reply_to].append(each)
        return found

    def _not_called_back(self) -> set[str]:
        """Return the calls that ended, and whose callback did not, or got another response than was recorded."""
        callbacks, runs = self._callbacks(), {each.cid: each.run for each in self._calls()}
        wished = {each.cid for each in self.told if each.calls_back} & self._ended()
        silent = {cid for cid in wished if [each.status for each in callbacks[cid]][:1] != ["done"]}
        answers = [(each.in_reply_to, each.reply) for each in self.started if each.in_reply_to is not None]
        return silent | {cid for cid, reply in answers if reply != runs.get(cid)}

    def _called_back_twice(self) -> set[str]:
        """Return the calls with two callbacks, by the record or by what started."""
        answers: dict[str, set[str]] = defaultdict(set)
        for cid, callbacks in self._callbacks().items():
            if len(callbacks) > 1:
                answers[cid].update(str(number) for number in range(len(callbacks)))
        for each in self.started:
            if each.in_reply_to is not None:
                answers[each.in_reply_to].add(each.cid)
        return {cid for cid, those in answers.items() if len(those) > 1}

    def _changed(self) -> set[str]:
        """Return the calls whose outcome is not the one that a caller was shown."""
        runs = {each.cid: each.run for each in self._calls()}
        return {each.cid for each in self.told if each.seen is not None and runs.get(each.cid) != each.seen}

    def _early(self) -> set[str]:
        earliest: dict[str, float] = {}
        for told in self.told:
            # Of several tries with one key, the first one that was stored counts, and nobody knows which that was.
            earliest[told.cid] = min(told.not_before, earliest.get(told.cid, told.not_before))
        return {each.cid for each in self.started if each.at < earliest.get(each.cid, 0.0)}

    def _waits(self) -> list[float]:
        """Return for each call how long it waited for its first start."""
        ready: dict[str, float] = {}
        for told in self.told:
            if told.verdict == ACCEPTED:
                ready[told.cid] = max(told.at, told.not_before)
        first: dict[str, float] = {}
        for start in self.started:
            first.setdefault(start.cid, start.at)
        return [at - ready[cid] for cid, at in first.items() if cid in ready]


def pending(environment: Path) -> int:
    """Return how many calls have no outcome yet."""
    return int(_select(environment / "data" / "broker.db", "SELECT count(*) FROM pending")[0][0])


def journal(environment: Path) -> list[Started]:
    """Return the starts that services wrote down, oldest first."""
    file = environment / "chaos" / "journal"
    if not file.exists():
        return []
    return [_started(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def _started(line: dict[str, Any]) -> Started:
    reply = run_of(line.pop("reply", None))
    return Started(**line, reply=reply)


def run_of(response: str | bytes | dict[str, Any] | None) -> str | None:
    """Return the run that a response names, if it names one."""
    value = json.loads(response) if isinstance(response, str | bytes) and response else response
    return value.get("run") if isinstance(value, dict) else None


def _store(file: Path) -> list[Recorded]:
    return [_recorded(row) for row in _select(file, EVERYTHING)]


def _recorded(row: Sequence[Any]) -> Recorded:
    cid, service, in_reply_to, status, response, waits, attempts = row
    return Recorded(cid, service, in_reply_to, status, run_of(response), bool(waits), attempts)


def _select(file: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = Connection(file, patience=PATIENCE, to="use")
    try:
        connection.insist("PRAGMA query_only = ON")
        connection.insist("BEGIN")
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
