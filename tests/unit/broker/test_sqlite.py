"""What only the embedded broker's file can do, or suffer."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path

import apsw
import pytest

from tests.contract.calls import DEPLOYED, SUCCESSOR, TOKEN, accept, ask, call_id, finish, lease, look, make_call
from tests.support.clocks import TurnableClock
from tests.support.subprocesses import unmeasured_environment
from tests.unit.broker.old_files import execute
from zato.broker.audit import Note, Notes
from zato.broker.base import (
    Accept,
    AcceptAll,
    Accepted,
    Announce,
    Beat,
    Cancel,
    Count,
    Find,
    Look,
    Operation,
    Postpone,
    Purge,
    Purged,
    Reclaim,
    Release,
)
from zato.broker.cluster import Lock, Pause, Queues, Whereabouts
from zato.broker.documents import Browse, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.broker.format import FORMAT_VERSION
from zato.broker.reading import parts_of
from zato.broker.sqlite import SQLiteBackend
from zato.broker.statements import load_statements
from zato.core.audit import AuditEntry
from zato.core.errors import BrokerUnavailable, EnvironmentFault
from zato.core.invocation import ErrorInfo, Failure, Lane, Outcome, Status

TABLES = ("invocation", "pending", "outcome", "idempotency", "failure")
ENDED = Outcome(status=Status.CANCELLED, ended=1)
OPEN = """
import sys
from pathlib import Path
from zato.broker.clock import SystemClock
from zato.broker.sqlite import SQLiteBackend
print("ready", flush=True)
sys.stdin.readline()
SQLiteBackend(Path(sys.argv[1]), SystemClock()).close()
"""


class CountingDisk(apsw.VFS):
    """The file system, which notes the name of each file that is forced to the disk."""

    def __init__(self) -> None:
        super().__init__("counting", "unix", makedefault=True)
        self.forced: list[str] = []

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _CountedFile(self, name, flags)


class _CountedFile(apsw.VFSFile):
    def __init__(self, disk: CountingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._disk = disk

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.forced.append(Path(self._name).name)
        super().xSync(flags)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "broker.db"


@pytest.fixture
def disk() -> Iterator[CountingDisk]:
    """The file system under a broker that is opened meanwhile."""
    disk = CountingDisk()
    yield disk
    disk.unregister()


@pytest.fixture
def backend(disk: CountingDisk, path: Path, clock: TurnableClock) -> Iterator[SQLiteBackend]:
    """A backend with a call that is held and one that waits."""
    with closing(SQLiteBackend(path, clock)) as opened:
        ask(opened, Announce(DEPLOYED))
        accept(opened, make_call(1))
        lease(opened)
        accept(opened, make_call(2))
        ask(opened, Keep("user", "first", b"1", owner="first"))
        disk.forced.clear()
        yield opened


@pytest.fixture
def clock() -> TurnableClock:
    """The clock of every backend here."""
    return TurnableClock()


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(Accept(make_call(3)), id="accept"),
        pytest.param(AcceptAll((make_call(3), make_call(4))), id="accept-all"),
        pytest.param(Cancel(call_id(2), ENDED), id="cancel"),
        pytest.param(Pause("mail", paused=True), id="pause"),
        pytest.param(Keep("user", "anna", b"1"), id="keep"),
        pytest.param(Forget("user", "first"), id="forget"),
        pytest.param(ForgetAll("user", "first"), id="forget-all"),
        pytest.param(Note(AuditEntry(time=1, user="anna", action="a")), id="note"),
    ],
)
def test_what_is_promised_is_forced_to_the_disk(
    backend: SQLiteBackend, disk: CountingDisk, operation: Operation[object]
) -> None:
    """When `apply` returns, an acceptance, an outcome, a pause or a document survives the loss of power too."""
    backend.apply([operation])

    assert disk.forced == ["broker.db-wal"]


def test_an_outcome_is_forced_to_the_disk_with_its_batch(backend: SQLiteBackend, disk: CountingDisk) -> None:
    """A batch is forced once, and as a whole if anything in it must be."""
    finish(backend, 1)
    backend.apply([Release(call_id(2), TOKEN), Accept(make_call(3)), Accept(make_call(4)), Beat((), 15)])

    assert disk.forced == ["broker.db-wal"] * 2


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(Beat(((call_id(1), TOKEN),), 15), id="beat"),
        pytest.param(Postpone(call_id(1), TOKEN, 1, 1), id="postpone"),
        pytest.param(Reclaim(SUCCESSOR), id="reclaim"),
        pytest.param(Look(id=call_id(1)), id="look"),
        pytest.param(Find(), id="find"),
        pytest.param(Purge(60), id="purge"),
        pytest.param(Lock("invoices", TOKEN, 20), id="lock"),
        pytest.param(Queues(), id="queues"),
        pytest.param(Count(Find()), id="count"),
        pytest.param(Fetch("user", "first"), id="fetch"),
        pytest.param(Browse("user"), id="browse"),
        pytest.param(Notes(), id="notes"),
        pytest.param(Whereabouts(("crm.sync",)), id="whereabouts"),
        pytest.param(PurgeKept(60), id="purge-kept"),
    ],
)
def test_what_a_crash_may_undo_does_not_wait_for_the_disk(
    backend: SQLiteBackend, disk: CountingDisk, operation: Operation[object]
) -> None:
    """Leases and what belongs to them are only as safe as the process is, and quick."""
    backend.apply([operation])

    assert disk.forced == []


def test_a_lease_does_not_wait_for_the_disk(backend: SQLiteBackend, disk: CountingDisk) -> None:
    """A lost lease is leased again."""
    assert len(lease(backend)) == 1
    assert disk.forced == []


def test_a_file_of_a_newer_version_is_refused(path: Path, clock: TurnableClock) -> None:
    """The message names the file and both versions, and the file stays as it is."""
    SQLiteBackend(path, clock).close()
    execute(path, f"PRAGMA user_version = {FORMAT_VERSION + 1}")

    with pytest.raises(EnvironmentFault) as caught:
        SQLiteBackend(path, clock)

    assert str(caught.value) == (
        f"{path} is of format {FORMAT_VERSION + 1}; this version of zato reads up to {FORMAT_VERSION}. Upgrade zato."
    )
    assert execute(path, "PRAGMA user_version") == [(FORMAT_VERSION + 1,)]


def _garbage(path: Path) -> None:
    path.write_bytes(b"This is a text, and no database at all.\n" * 100)


def _folder(path: Path) -> None:
    path.mkdir()


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def _no_folder_to_be_in(path: Path) -> None:
    path.parent.rmdir()


def _unwritable_log(path: Path) -> None:
    path.touch()
    path.with_name("broker.db-wal").mkdir()


def _tables_of_somebody_else(path: Path) -> None:
    execute(path, "CREATE TABLE invocation (name TEXT)")


@pytest.mark.parametrize(
    "make",
    [_garbage, _folder, _link_to_itself, _no_folder_to_be_in, _unwritable_log, _tables_of_somebody_else],
)
def test_what_is_no_broker_file_is_refused_by_name(path: Path, clock: TurnableClock, make: object) -> None:
    """A start that cannot succeed says which file is to blame, in one line, and leaves nothing open."""
    assert callable(make)
    make(path)

    with pytest.raises(EnvironmentFault) as caught:
        SQLiteBackend(path, clock)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_empty_file_becomes_a_broker_file(path: Path, clock: TurnableClock) -> None:
    """What a crash left behind right after the file was made is as good as no file."""
    path.touch()

    with closing(SQLiteBackend(path, clock)) as backend:
        accept(backend, make_call(1))
        assert look(backend).invocation == make_call(1)


def test_another_process_that_holds_the_file_makes_it_unavailable(path: Path, clock: TurnableClock) -> None:
    """After some patience a batch is refused as a whole; lookups go on, and all is well when the other is done."""
    batch = [Accept(make_call(number)) for number in range(3)]
    with closing(SQLiteBackend(path, clock, patience=0.05)) as backend, closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BrokerUnavailable, match="locked"):
            backend.apply(batch)
        during = ask(backend, Look(id=call_id(1)))
        other.execute("ROLLBACK")

        assert during is None
        assert [type(result).__name__ for result in backend.apply(batch).results] == ["Accepted"] * 3


@pytest.mark.parametrize("count", [1, 2])
def test_memory_that_ran_out_is_named(path: Path, clock: TurnableClock, count: int) -> None:
    """The message says what is missing and what to do, and with memory again the call is stored."""
    batch = [Accept(make_call(number, payload=bytes(5_000_000))) for number in range(count)]
    with closing(SQLiteBackend(path, clock)) as backend:
        with _little_memory():
            refusals = _refusals(backend, batch)
        assert [type(result) for result in backend.apply(batch).results] == [Accepted] * count

    assert (
        refusals
        == [
            "The broker's file cannot be written now: there is no memory left for it. Send less at once, or give the "
            "machine more memory."
        ]
        * count
    )


@contextmanager
def _little_memory() -> Iterator[None]:
    before = apsw.hard_heap_limit(apsw.memory_used() + 1_000_000)
    try:
        yield
    finally:
        apsw.hard_heap_limit(before)


def _refusals(backend: SQLiteBackend, batch: list[Accept]) -> list[str]:
    try:
        return [str(result) for result in backend.apply(batch).results]
    except BrokerUnavailable as refusal:
        return [str(refusal)]


def test_many_services_move_in_one_go(path: Path, clock: TurnableClock) -> None:
    """What waits is looked through once, however many services changed."""
    services = {f"many.{number}": Lane.THREAD for number in range(50)}
    with _noted() as statements, closing(SQLiteBackend(path, clock)) as backend:
        accept(backend, *(make_call(number, service=f"many.{number}") for number in range(60)))
        ask(backend, Announce(services))

    assert execute(path, "SELECT line, count(*) FROM pending GROUP BY 1") == [(None, 10), ("thread", 50)]
    assert sum(statement.startswith("UPDATE pending SET line") for statement in statements) == 1


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Note the statements of connections that are opened meanwhile."""
    statements: list[str] = []

    def note(_cursor: apsw.Cursor, statement: str, _bindings: object) -> bool:
        statements.append(statement)
        return True

    def watch(connection: apsw.Connection) -> None:
        connection.exec_trace = note

    apsw.connection_hooks.append(watch)
    try:
        yield statements
    finally:
        apsw.connection_hooks.remove(watch)


@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_opening_a_locked_file_is_given_up_after_some_patience(path: Path, clock: TurnableClock, lock: str) -> None:
    """A lock that is held for a moment does not matter; about one that stays, the message says what to do."""
    with closing(apsw.Connection(str(path))) as other:
        other.execute(f"BEGIN {lock}")
        before = time.monotonic()
        with pytest.raises(EnvironmentFault, match=r"broker\.db is locked by another process\. Stop that one"):
            SQLiteBackend(path, clock, patience=0.05)

    assert time.monotonic() - before >= 0.05


def test_processes_may_make_the_file_at_the_same_time(path: Path) -> None:
    """Of several processes that find no file, one makes it, and none stumbles over the others."""
    command = [sys.executable, "-c", OPEN, str(path)]
    processes = [_start(command) for _ in range(4)]
    ready = [process.stdout.readline() for process in processes if process.stdout]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    errors = [process.communicate(timeout=30)[1] for process in processes]

    assert (ready, errors) == (["ready\n"] * 4, [""] * 4)


def test_space_of_purged_calls_is_used_again(path: Path, clock: TurnableClock) -> None:
    """A file does not grow with the number of calls it has ever seen."""
    with closing(SQLiteBackend(path, clock)) as backend:
        ask(backend, Announce(DEPLOYED))
        sizes = []
        for number in range(12):
            _run_and_purge(backend, number, clock)
            sizes.append(execute(path, "PRAGMA page_count")[0][0])

    assert sizes[-1] <= sizes[3]


def test_a_purge_takes_keys_and_failures_along(path: Path, clock: TurnableClock) -> None:
    """Of a call whose retention is over, no row is left in any table; of the others, every one."""
    error = ErrorInfo("exception", "ValueError", "No.")
    with closing(SQLiteBackend(path, clock)) as backend:
        ask(backend, Announce(DEPLOYED))
        accept(backend, *(make_call(number, idempotency_key=f"k{number}") for number in range(6)))
        lease(backend)
        for number in range(6):
            failure = Failure(attempt=1, started=1, ended=2, server="s", error=error)
            ask(backend, Postpone(call_id(number), TOKEN, 1, 1, failure=failure))
        lease(backend)
        for number in range(4):
            finish(backend, number)
        clock.turn(100)
        purged = ask(backend, Purge(retention=60, limit=3))

    counts = [execute(path, f"SELECT count(*), min(seq) FROM {table}") for table in TABLES]
    assert (purged, counts) == (Purged(3, more=True), [[(3, 4)], [(2, 5)], [(1, 4)], [(3, 4)], [(3, 4)]])


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(Find(), id="newest"),
        pytest.param(Find(service="crm.sync"), id="service"),
        pytest.param(Find(parent="p", status=Status.DONE), id="parent-and-status"),
        pytest.param(Find(since=1, until=2), id="times"),
        pytest.param(Find(channel="rest"), id="channel"),
        pytest.param(Find(channel="rest", status=Status.DONE, server="north"), id="channel-status-and-server"),
        pytest.param(Find(error="no"), id="error"),
        *(pytest.param(Find(status=status, since=1), id=status.value) for status in Status),
    ],
)
def test_lists_never_sort_and_never_read_large_rows(path: Path, clock: TurnableClock, operation: Find) -> None:
    """What is looked through is narrow, and in the order of the list, so that a page ends the search."""
    SQLiteBackend(path, clock).close()
    parts = (*parts_of(operation), "find_page")
    statement = "\n".join(load_statements("zato.broker", "sqlite.sql")[part] for part in parts)
    with closing(apsw.Connection(str(path))) as connection:
        names = [field.name for field in fields(Find)]
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys([*names, "before"])).fetchall()

    steps = [str(row[3]) for row in plan]
    invocations = [step for step in steps if " i " in step]
    assert all("COVERING INDEX" in step for step in invocations)
    assert any("TEMP B-TREE" in step for step in steps) is (operation.status is Status.RUNNING)


def _run_and_purge(backend: SQLiteBackend, number: int, clock: TurnableClock) -> None:
    accept(backend, make_call(number, payload=b"1" * 100_000))
    lease(backend)
    finish(backend, number, response=b"2" * 100_000)
    clock.turn(100)
    ask(backend, Purge(retention=60))


def _start(command: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=unmeasured_environment(), text=True, bufsize=1
    )
