"""The same done to many invocations, in the background of the web admin: counted, stoppable, begun again at will.

Jobs are all that the web admin remembers. Nothing is lost with them: what is left can be begun again, because a
replay is asked for once, and what was cancelled is cancelled.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from zato.web_admin.door import Door, Person
from zato.web_admin.errors import Refused, ServerAway, SessionOver

__all__ = ["Busy", "Deed", "Job", "Jobs", "Wanted"]

# Requests at once: the server stores together what comes together, and still answers others.
AT_ONCE = 4
# Records a page; larger ones keep the server from answering others for longer.
PAGE = 200
MOST_RUNNING = 4
MOST_KEPT = 100
# Seconds that a job which has ended can still be looked at.
KEPT = 3600.0

Deed = Literal["replay", "cancel"]


class Busy(Refused):
    """As many jobs run as may run at once."""

    code = "busy"

    @classmethod
    def with_others(cls) -> "Busy":
        """Say how many there are, and what helps."""
        return cls(f"{MOST_RUNNING} such jobs run by now. Wait until one has ended, or stop it.", status=503)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job is to do.

    Attributes:
        deed: what is done to each.
        asked: the filters, in the server's words, without a status.
        statuses: the statuses that are meant.
        again: replay also what was replayed before.
        person: for whom.
        user: the person's name.
        link: the address of the page where it can be begun again.
    """

    deed: Deed
    asked: Mapping[str, str]
    statuses: Sequence[str]
    again: bool
    person: Person
    user: str
    link: str


@dataclass(slots=True)
class Job:
    """A job, and how far it is. What another thread reads is replaced, never changed in pieces.

    Attributes:
        key: names it in addresses.
        wanted: what it does.
        found: how many calls match, as far as they were looked for.
        total: how many calls matched; None while they are looked for.
        counts: how often each answer came.
        ended: when it ended, on the monotonic clock, or None.
        why: why it ended before its time, or an empty text.
    """

    key: str
    wanted: Wanted
    found: int = 0
    total: int | None = None
    counts: "Counter[str]" = field(default_factory=Counter)
    ended: float | None = None
    why: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def done(self) -> int:
        """How many calls were asked about, whatever the answer was."""
        return self.counts.total()

    @property
    def left(self) -> int:
        """How many calls nothing is known of yet."""
        return (self.total or 0) - self.done

    @property
    def is_stopping(self) -> bool:
        """Whether somebody wants it to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Have it end between two calls."""
        self._stop.set()

    def run(self, door: Door) -> None:
        """Do it, to its end or until something is in the way."""
        try:
            ids = list(itertools.chain.from_iterable(self._pages(door)))
            self.total = len(ids)
            # The oldest first, as they came in.
            ids.reverse()
            self._do(door, ids)
            self.why = "It was stopped." if self.is_stopping and self.left else ""
        except SessionOver:
            self.why = "The log-in that it was begun with has ended. Log in, and begin it again for the rest."
        except (ServerAway, Refused) as error:
            self.why = f"{error} Begin it again for the rest."
        except Exception as error:
            self.why = f"It failed: {type(error).__name__}: {error}"
            raise
        finally:
            self.ended = time.monotonic()

    def _pages(self, door: Door) -> Iterator[list[str]]:
        for status in self.wanted.statuses:
            asked: dict[str, Any] = {**self.wanted.asked, "status": status, "limit": PAGE}
            while not self.is_stopping:
                found = door.ask(self.wanted.person, "zato.invocation.get-list", asked)
                self.found += len(found["items"])
                yield [item["id"] for item in found["items"]]
                if found["cursor"] is None:
                    break
                asked["cursor"] = found["cursor"]

    def _do(self, door: Door, ids: Sequence[str]) -> None:
        act: Callable[[Door, str], str] = self._replay if self.wanted.deed == "replay" else self._cancel
        left, lock = iter(ids), threading.Lock()

        def work() -> None:
            while (call_id := _next(left, lock)) is not None and not self.is_stopping:
                try:
                    answer = act(door, call_id)
                except BaseException:
                    # The others need not run into the same.
                    self._stop.set()
                    raise
                with lock:
                    self.counts = self.counts + Counter({answer: 1})

        with ThreadPoolExecutor(AT_ONCE, "job") as pool:
            workers = [pool.submit(work) for _ in range(AT_ONCE)]
        for worker in workers:
            worker.result()

    def _cancel(self, door: Door, call_id: str) -> str:
        return _answer(lambda: door.ask(self.wanted.person, "zato.invocation.cancel", {"id": call_id}), "cancelled")

    def _replay(self, door: Door, call_id: str) -> str:
        once = not self.wanted.again
        asked = {"id": call_id, "once": once}
        try:
            made = door.ask(self.wanted.person, "zato.invocation.replay", asked)
        except Refused as error:
            # What has an outcome has it for ever: a conflict says that an earlier replay was given another payload.
            if once and error.http_status == 409:
                return "replayed before"
            return _excused(error)
        return "replayed" if made.get("new", True) else "replayed before"


class Jobs:
    """Those that run, and those that ended a short time ago. Usable from several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Have none yet.

        Args:
            clock: tells seconds that only ever grow.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def begin(self, key: str, wanted: Wanted, door: Door) -> Job:
        """Begin a job, or return the one that was begun under the same key: a form may be sent twice.

        Raises:
            Busy: too many run.
        """
        with self._lock:
            self._forget()
            if key in self._jobs:
                return self._jobs[key]
            if sum(job.ended is None for job in self._jobs.values()) >= MOST_RUNNING:
                raise Busy.with_others()
            job = self._jobs[key] = Job(key, wanted)
        # It ends with the process: whatever it has not come to can be begun again.
        threading.Thread(target=job.run, args=(door,), name=f"job {key[:8]}", daemon=True).start()
        return job

    def get(self, key: str) -> Job | None:
        """Return a job, or None if there is none, or it is too long over."""
        with self._lock:
            self._forget()
            return self._jobs.get(key)

    def _forget(self) -> None:
        over = [(job.ended, key) for key, job in self._jobs.items() if job.ended is not None]
        now = self._clock()
        excess = len(self._jobs) - MOST_KEPT + 1
        for place, (ended, key) in enumerate(sorted(over)):
            if place < excess or now - ended > KEPT:
                del self._jobs[key]


def _next(ids: Iterator[str], lock: threading.Lock) -> str | None:
    with lock:
        return next(ids, None)


def _answer(act: Callable[[], Any], done: str) -> str:
    try:
        act()
    except Refused as error:
        return _excused(error)
    return done


def _excused(error: Refused) -> str:
    """Return what became of one call of many. What is wrong with this one alone does not end the others."""
    if error.http_status not in (404, 409):
        raise error
    return "no longer in this status" if error.http_status == 409 else "gone"
