"""Faults in single statements of the embedded broker, each of which the state machine must notice.

A fault is put in where statements are read, in this process only. `test_seeded_faults.py` runs them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.machine import machine_of
from tests.contract.noticing import Test
from tests.contract.stores import Store
from zato.broker import reading, sqlite
from zato.broker.base import Operation
from zato.broker.statements import load_statements

__all__ = ["FAULTS", "Fault", "Misheard", "first_noticed"]

TOKEN = " AND token = :token"
LEASE_LOST = "token = NULL, lease_ends = NULL, "
MOVED = "service IN (SELECT"
OF_ITS_QUEUE = "queue = pending.queue"
STEPS = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One statement, made wrong by putting one text in the place of another.

    Attributes:
        name: what a broker with this fault does wrong.
        statement: its name in `sqlite.sql`.
        seen_by: the test that notices it, or None if the state machine does.
    """

    name: str
    statement: str
    right: str
    wrong: str = ""
    seen_by: Test | None = None

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """Have every backend that is opened meanwhile use the wrong statement."""
        readers = (mock.patch.object(module, "load_statements", self._load) for module in (sqlite, reading))
        with next(readers), next(readers):
            yield

    def _load(self, package: str, file: str) -> dict[str, str]:
        statements = load_statements(package, file)
        right = statements[self.statement]
        assert self.right in right, f"{self.right!r} does not stand in {self.statement!r} any more."
        return {**statements, self.statement: right.replace(self.right, self.wrong)}


@dataclass(frozen=True, slots=True)
class Misheard:
    """One operation, carried out as if something else had been asked.

    Attributes:
        name: what a broker with this fault does wrong.
        action: the method of the backend.
    """

    name: str
    action: str
    change: Callable[[Any], Any]

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """Have every backend that is opened meanwhile mishear the operation."""
        right = getattr(sqlite.SQLiteBackend, self.action)

        def wrong(backend: sqlite.SQLiteBackend, operation: Operation[Any]) -> object:
            return right(backend, self.change(operation))

        with mock.patch.object(sqlite.SQLiteBackend, self.action, wrong):
            yield


FAULTS: tuple[Fault | Misheard, ...] = (
    Misheard("follow-ups are lost", "_finish", lambda asked: replace(asked, follow_ups=())),
    Misheard("holders take over from themselves", "_lease", lambda asked: replace(asked, holdings=())),
    Misheard("many calls are none", "_accept_all", lambda asked: replace(asked, invocations=())),
    Misheard("failures are forgotten", "_postpone", lambda asked: replace(asked, failure=None)),
    Fault("who holds no token ends calls", "acknowledge", TOKEN),
    Fault("who holds no token keeps a lease alive", "beat", TOKEN),
    Fault("who holds no token postpones", "postpone", TOKEN),
    Fault("who holds no token puts off", "put_off", TOKEN),
    Fault("who holds no token releases", "release", TOKEN),
    Fault("what is accepted is not offered", "accept_pending", "service = :service", "false"),
    Fault("what is accepted knows one lane", "accept_pending", "ELSE line", "ELSE 'thread'"),
    Fault("a delay is forgotten at once", "accept_pending", ":not_before", "NULL AND :not_before"),
    Fault("an expiry is forgotten at once", "accept_pending", ":expires", "NULL AND :expires"),
    Fault("a key is forgotten", "first_with_key", "k.key = :key", "k.key = :key AND false"),
    Fault("a key does not ask for the payload", "first_with_key", "i.payload = :payload AND "),
    Fault("a key does not ask for the service", "first_with_key", " AND i.service = :service"),
    Fault("what runs expires", "expired", " AND p.token IS NULL"),
    Fault("expiry comes late", "expired", "expires <= :now", "expires < :now"),
    Fault("what is delayed starts early", "due", "not_before <= :now", "not_before <= :now + 1"),
    Fault("what is delayed starts late", "due", "not_before <= :now", "not_before < :now"),
    Fault("a lease that ended is no take-over", "ended_leases", ", takeovers = takeovers + 1"),
    Fault("a lease ends late", "ended_leases", "lease_ends <= :boot", "lease_ends < :boot"),
    Fault("a lease ends early", "ended_leases", "lease_ends <= :boot", "lease_ends <= :boot + 1"),
    Fault("what was taken over expires", "ended_leases", ", expires = NULL"),
    Fault("a restart of the machine ends no lease", "reclaim_all", "token IS NOT NULL", "false"),
    Fault("a restart of the machine is no take-over", "reclaim_all", ", takeovers = takeovers + 1"),
    Fault("a new holder ends the leases of all", "reclaim", " AND holder = :holder"),
    Fault("a new holder ends no lease", "reclaim", "holder = :holder", "holder = :holder || 'x'"),
    Fault("a reclaimed lease is no take-over", "reclaim", ", takeovers = takeovers + 1"),
    Fault("what was reclaimed expires", "reclaim", ", expires = NULL"),
    Fault("what is ready starts before its time", "ready", " AND p.not_before IS NULL"),
    Fault("what is held is leased again", "ready", " AND p.token IS NULL"),
    Fault("what is ready comes in no order of priority", "ready", "p.priority, p.seq", "p.seq"),
    Fault("what is ready comes last in, first out", "ready", "p.priority, p.seq", "p.priority, p.seq DESC"),
    Fault("more is leased than is delivered", "lease", "LIMIT :limit", "LIMIT :limit + 1"),
    Fault("a lease forgets who holds it", "lease", "holder = :holder, "),
    Fault("delays are no reason to wake up", "next_times", "min(not_before)", "NULL"),
    Fault("expiries are no reason to wake up", "next_times", "min(expires)", "NULL"),
    Fault("leases are no reason to wake up", "next_times", "min(lease_ends)", "NULL"),
    Fault("the attempts are not recorded", "record", ":attempts", "0"),
    Fault("the take-overs are not recorded", "record", ":takeovers", "0"),
    Fault("the start is not recorded", "record", ":started", "NULL AND :started"),
    Fault("an attempt is forgotten", "postpone", "attempts = :attempts", "attempts = attempts"),
    Fault("what was tried expires", "postpone", "expires = NULL, "),
    Fault("what was postponed stays held", "postpone", LEASE_LOST),
    Fault("what was put off does not expire", "put_off", LEASE_LOST, LEASE_LOST + "expires = NULL, "),
    Fault(
        "the expiry of what was put off is no reason to wake up",
        "put_off",
        "RETURNING seq, expires",
        "RETURNING seq, NULL",
    ),
    Fault("what was put off has started", "put_off", "attempts + takeovers > 0", "true"),
    Fault("what was released expires", "release", ", expires = NULL"),
    Fault("what was released is a take-over", "release", "expires = NULL", "expires = NULL, takeovers = takeovers + 1"),
    Fault("failures are kept without end", "trim_failures", "seq = :seq", "false"),
    Fault("a failure takes the place of all", "add_failure", ":attempt", "1 + 0 * :attempt"),
    Fault("failures come newest first", "failures", "ORDER BY attempt", "ORDER BY attempt DESC"),
    Fault("what runs cannot be cancelled", "cancel", "id = :id)", "id = :id) AND token IS NULL"),
    Fault("what waits cannot be cancelled", "cancel", "id = :id)", "id = :id) AND token IS NOT NULL"),
    Fault("what was cancelled stays", "cancel", "DELETE FROM pending", "UPDATE pending SET line = line"),
    Fault("the attempt that is cancelled does not count", "cancel", " + (token IS NOT NULL)"),
    Fault("a service that changed lanes leaves its calls behind", "move_services", MOVED, f"line IS NULL AND {MOVED}"),
    Fault("a service that returned leaves its calls behind", "move_services", MOVED, f"line IS NOT NULL AND {MOVED}"),
    Fault("all services move together", "move_services", "d.service = pending.service", "d.service <> ''"),
    Fault("a service that moves ends a pause", "move_services", OF_ITS_QUEUE, f"{OF_ITS_QUEUE} AND false"),
    Fault("a service that moves is paused for any queue", "move_services", f"WHERE {OF_ITS_QUEUE}"),
    Fault("a limited service waits with all others", "deploy", ":limited", ":limited AND false"),
    Fault("what a class says is forgotten", "deploy", ":terms)", "iif(:terms IS NULL, '', '{}'))"),
    Fault("limits are not kept", "running", "token IS NOT NULL", "token IS NOT NULL AND false"),
    Fault("of limited services one is leased", "limited_lines", "found.line IS NOT NULL)", "false)"),
    Fault("what is leased of several lines is not held", "lease_these", "json_each(:seqs)", "json_each(:seqs) LIMIT 1"),
    Fault("the end of a limited call is told nobody", "acknowledge", "takeovers, line", "takeovers, NULL"),
    Fault("the cancellation of a limited call is told nobody", "cancel", "holder, line", "holder, NULL"),
    Fault("what is known is known of all services", "known", "service IN", ":services <> '' OR service IN"),
    Fault("a pause is forgotten", "pause", "VALUES (:queue)", "SELECT :queue WHERE false"),
    Fault("what goes on is every queue", "resume", "queue = :queue", "queue <> :queue || '!'"),
    Fault("what waits is not paused", "move_queue", "pending.queue = :queue", "false"),
    Fault("what waits in any queue is paused", "move_queue", "pending.queue = :queue", "pending.queue <> ''"),
    Fault("what goes on forgets its lane", "move_queue", "ELSE d.line", "ELSE 'thread'"),
    Fault("what is accepted ignores a pause", "accept_pending", "queue = :queue", "false"),
    Fault("what is accepted is paused with any queue", "accept_pending", "queue = :queue", "true"),
    Fault("a queue counts what is stranded as waiting", "queues", " AND line IS NOT NULL"),
    Fault("a queue counts what is delayed as waiting", "queues", "not_before IS NULL", "true"),
    Fault("a queue does not count what runs", "queues", "WHERE token IS NOT NULL", "WHERE false"),
    Fault("the newest in a queue is the oldest", "queues", "min(seq)", "max(seq)"),
    Fault("a paused queue without calls is not told", "queues", "FULL JOIN", "LEFT JOIN"),
    Fault("a lock that ended stays", "forget_locks", "ends <= :boot", "false"),
    Fault("a lock ends early", "forget_locks", "ends <= :boot", "ends <= :boot + 1000"),
    Fault("a lock is held twice", "take_lock", "INSERT OR IGNORE", "INSERT OR REPLACE"),
    Fault("anybody gives a lock back", "give_lock_back", " AND token = :token"),
    Fault("a lock that ended is given back", "give_lock_back", " AND ends > :boot"),
    Fault("who gives one lock back gives back all", "give_lock_back", "name = :name AND "),
    Fault("locks outlive the machine", "forget_boot", "DELETE FROM lock;"),
    Fault(
        "services that left are remembered",
        "undeploy_all",
        "DELETE FROM deployed",
        "DELETE FROM deployed WHERE lane = ''",
    ),
    Fault("a CID stands for its oldest call", "look_by_cid", "seq DESC", "seq"),
    Fault("all calls count as one CID", "cid_count", "cid = :cid", "cid <> :cid"),
    Fault("lists do not ask for the service", "find_rest", "i.service = :service", "true"),
    Fault("lists do not ask for the parent", "find_rest", "i.parent = :parent", "true"),
    Fault(
        "lists do not ask since when", "find_rest", ":since IS NULL OR i.created >= :since", ":since IS NULL OR true"
    ),
    Fault("lists do not ask until when", "find_rest", "i.created < :until", "i.created <= :until"),
    Fault("every page is the first", "find_rest", "seq < :before", "seq <= max(:before, 1000000)"),
    Fault("a page leaves one out", "find_rest", "seq < :before", "seq < :before - 1"),
    Fault("lists begin with the oldest", "find_page", "seq DESC", "seq"),
    Fault("lists of what is stranded are of what waits", "find_pending", "'stranded'", "'waiting'"),
    Fault(
        "lists of what failed are of all that ended badly",
        "find_not_done",
        " AND d.status = :status",
        " AND :status <> ''",
    ),
    Fault("what ended lately counts as old", "old_sizes", "ended < :before", "ended < :before + 60000"),
    Fault("a purge knows nothing old", "old_sizes", "ended < :before", "ended < :before AND false"),
    Fault("a purge takes the newest first", "purge_outcomes", "ORDER BY ended", "ORDER BY ended DESC"),
    Fault("a purge knows no limit", "purge_invocations", "LIMIT :limit", "LIMIT :limit + 1"),
    Fault("a purge leaves keys", "purge_keys", "ended < :before", "ended < :before AND false"),
    Fault("a purge leaves outcomes", "purge_outcomes", "ended < :before", "ended < :before AND false"),
)


def first_noticed(store: Store, *, stories: int, beginning: int | None = None) -> str | None:
    """Return what the state machine noticed first, or None if it noticed nothing.

    Args:
        store: an empty one, which has the fault.
        stories: how many are told at most.
        beginning: a number for each row of stories; None for the one that hypothesis makes of the machine.
    """
    machine = machine_of(store)
    try:
        run_state_machine_as_test(
            machine if beginning is None else seed(beginning)(machine),
            settings=settings(
                max_examples=stories,
                stateful_step_count=STEPS,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception as noticed:
        return str(noticed).partition(", and the model says")[0].partition(": ")[0]
    return None
