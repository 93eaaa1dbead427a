"""Files of older versions, and of newer ones."""

import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from tests.contract.calls import SUCCESSOR, accept, ask, finish, lease, look, make_call
from tests.support.clocks import TurnableClock
from tests.support.subprocesses import unmeasured_environment
from tests.support.waiting import wait_until
from tests.unit.broker.old_files import OLD_RECORDS, execute, make_old_file, records
from zato.broker.audit import Noted, Notes
from zato.broker.base import Accept, Accepted, Count, Find, Look, Reclaim
from zato.broker.cluster import Pause, Queues, QueueState
from zato.broker.connection import Connection
from zato.broker.documents import Keep
from zato.broker.format import FORMAT_VERSION, open_file, open_to_read
from zato.broker.sqlite import SQLiteBackend
from zato.broker.statements import load_statements
from zato.core.errors import EnvironmentFault

SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"
VERSION = "PRAGMA user_version"
SQL = load_statements("zato.broker", "sqlite.sql")
# Opens a file, and is killed when it reaches a statement.
OPEN_AND_DIE = """
import os, signal, sys
from pathlib import Path
from zato.broker import format
from zato.broker.connection import Connection
from zato.broker.statements import load_statements

class DeadlyConnection(Connection):
    def insist(self, statement, *, times=1):
        if statement == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
        super().insist(statement, times=times)

class Deadly(dict):
    def __getitem__(self, name):
        if name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(name)

sql = Deadly(load_statements("zato.broker", "sqlite.sql"))
format.Connection = DeadlyConnection
format.open_file(Path(sys.argv[1]), sql, boot_id="start-1", patience=20).close()
"""


@pytest.fixture
def clock() -> TurnableClock:
    """The clock of every backend here."""
    return TurnableClock()


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of an older format, the first one if a test asks for no other."""
    return make_old_file(tmp_path / "broker.db", version=getattr(request, "param", 1))


of_every_format = pytest.mark.parametrize("old", range(1, FORMAT_VERSION), indirect=True)


def _beside(path: Path) -> list[str]:
    return sorted(
        each.name for each in path.parent.iterdir() if each != path and not each.name.endswith(("-wal", "-shm"))
    )


@of_every_format
def test_an_old_file_keeps_everything(old: Path, clock: TurnableClock) -> None:
    """Every call is found as it was, whatever its state, and the file is of this version."""
    with closing(SQLiteBackend(old, clock)) as backend:
        assert records(backend) == OLD_RECORDS

    assert execute(old, VERSION) == [(FORMAT_VERSION,)]


@of_every_format
def test_an_upgraded_file_is_like_a_new_one(old: Path, clock: TurnableClock, tmp_path: Path) -> None:
    """There is one schema, however a file came to it."""
    new = tmp_path / "new.db"
    for path in (old, new):
        SQLiteBackend(path, clock).close()

    assert execute(old, SCHEMA) == execute(new, SCHEMA)
    assert execute(old, "PRAGMA integrity_check") == [("ok",)]


@of_every_format
def test_work_goes_on_after_an_upgrade(old: Path, clock: TurnableClock) -> None:
    """Leases, keys, delays and numbers mean what they meant before."""
    with closing(SQLiteBackend(old, clock)) as backend:
        repeated = ask(backend, Accept(make_call(8, idempotency_key="order-7")))
        clock.turn(9)
        ready = [delivery.invocation for delivery in lease(backend)]
        accept(backend, make_call(10))
        freed = ask(backend, Reclaim(SUCCESSOR))

        assert repeated == Accepted(make_call(1).id, "c1")
        assert ready == [make_call(4, expires=make_call().created + 60_000), OLD_RECORDS[5].invocation]
        assert (freed, finish(backend, 3)) == (3, False)
    assert execute(old, "SELECT max(seq) FROM invocation") == [(8,)]


@of_every_format
def test_queues_are_known_after_an_upgrade(old: Path, clock: TurnableClock) -> None:
    """Each call is in the queue that it was accepted for, and can be paused with it."""
    with closing(SQLiteBackend(old, clock)) as backend:
        before = {
            queue.name: (queue.waiting, queue.delayed, queue.running, queue.stranded) for queue in _queues(backend)
        }
        ask(backend, Pause("mail", paused=True))
        clock.turn(9)
        ready = [delivery.invocation.id for delivery in lease(backend)]

    assert before == {"default": (1, 0, 1, 1), "mail": (0, 1, 0, 0)}
    assert ready == [make_call(4).id]


@of_every_format
def test_old_calls_are_listed_by_what_is_new_after_an_upgrade(old: Path, clock: TurnableClock) -> None:
    """By how they came in, where they ran and why they failed; and there is room for documents and the audit."""
    filters = (Find(channel="invoke-async"), Find(channel="rest"), Find(server="north/1"), Find(error="valueerror: no"))
    with closing(SQLiteBackend(old, clock)) as backend:
        counts = [ask(backend, Count(find)) for find in filters]
        kept = ask(backend, Keep("user", "anna", b"1", only_new=True))
        noted = ask(backend, Notes())

    assert (counts, kept, noted) == ([6, 0, 3, 1], True, Noted([], None))


def _queues(backend: SQLiteBackend) -> list[QueueState]:
    return ask(backend, Queues())


@of_every_format
def test_a_holder_of_before_the_upgrade_ends_its_call(old: Path, clock: TurnableClock) -> None:
    """An upgrade ends no lease."""
    with closing(SQLiteBackend(old, clock)) as backend:
        assert finish(backend, 3) is True


def test_the_old_file_is_kept_beside(old: Path, clock: TurnableClock) -> None:
    """The copy has all that the file had, is of the old version, and nobody else may read it."""
    tables = ("invocation", "pending", "outcome", "idempotency", "deployed", "meta")
    before = {table: execute(old, f"SELECT * FROM {table}") for table in tables}
    SQLiteBackend(old, clock).close()
    copy = old.with_name("broker.db.v1")

    assert _beside(old) == [copy.name]
    assert {table: execute(copy, f"SELECT * FROM {table}") for table in tables} == before
    assert (execute(copy, VERSION), copy.stat().st_mode & 0o777) == ([(1,)], 0o600)


def test_an_earlier_copy_is_not_overwritten(old: Path, clock: TurnableClock) -> None:
    """A file that stands where the copy would is left alone."""
    for name in ("broker.db.v1", "broker.db.v1-2"):
        old.with_name(name).write_text("mine")
    SQLiteBackend(old, clock).close()

    assert _beside(old) == ["broker.db.v1", "broker.db.v1-2", "broker.db.v1-3"]
    assert {old.with_name(name).read_text() for name in ("broker.db.v1", "broker.db.v1-2")} == {"mine"}
    assert execute(old.with_name("broker.db.v1-3"), VERSION) == [(1,)]


@pytest.mark.parametrize("statement", ["upgrade_1", "boot_id"], ids=["after-the-copy", "before-the-commit"])
def test_an_upgrade_that_was_killed_is_done_by_the_next_start(old: Path, clock: TurnableClock, statement: str) -> None:
    """The old file is usable after each kill, and after the upgrade nothing of it is missing, and one copy is left."""
    schema = execute(old, SCHEMA)
    codes = [_killed_at(old, statement) for _ in range(3)]
    after, left = (execute(old, VERSION), execute(old, SCHEMA)), _beside(old)

    with closing(SQLiteBackend(old, clock)) as backend:
        assert records(backend) == OLD_RECORDS
    assert (codes, after) == ([-signal.SIGKILL] * 3, ([(1,)], schema))
    assert (len(left), left[0].startswith("zato-")) == (1, True)
    assert _beside(old) == ["broker.db.v1"]


def test_upgrades_that_are_killed_in_their_commit_share_one_copy(old: Path, clock: TurnableClock) -> None:
    """However often that happens, the disk does not fill."""
    codes = [_killed_at(old, "COMMIT") for _ in range(3)]
    with closing(SQLiteBackend(old, clock)) as backend:
        assert records(backend) == OLD_RECORDS

    assert codes == [-signal.SIGKILL] * 3
    assert _beside(old) == ["broker.db.v1"]


def test_an_upgrade_that_fails_leaves_no_copy(old: Path, clock: TurnableClock) -> None:
    """What could not be upgraded is there itself, and needs no copy."""
    execute(old, "DROP TABLE meta")
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="no such table: meta"):
            SQLiteBackend(old, clock)

    assert (execute(old, VERSION), _beside(old)) == ([(1,)], [])


def test_a_commit_that_fails_leaves_no_copy(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy has its name by then, and loses it again."""
    insist, names = Connection.insist, list[list[str]]()

    def fail(self: Connection, statement: str, *, times: float = 1) -> None:
        if statement == "COMMIT":
            names.append(_beside(old))
            raise apsw.FullError("database or disk is full")
        insist(self, statement, times=times)

    monkeypatch.setattr(Connection, "insist", fail)
    with pytest.raises(EnvironmentFault, match=r"Make room, then try again\.$"):
        open_file(old, SQL, boot_id="start-1", patience=1)

    assert "broker.db.v1" in names[0]
    assert (execute(old, VERSION), _beside(old)) == ([(1,)], [])


def _killed_at(path: Path, statement: str) -> int:
    """Upgrade a file in a process that is killed at a statement. Return its exit status."""
    command = [sys.executable, "-c", OPEN_AND_DIE, str(path), statement]
    return subprocess.run(command, check=False, timeout=30, env=unmeasured_environment()).returncode


@contextmanager
def _no_file_over(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_for_the_copy(tmp_path: Path, clock: TurnableClock) -> None:
    """It is said in one line, the file stays as it is and alone, and with room again it is upgraded."""
    old = make_old_file(tmp_path / "broker.db", ballast=1_000_000)
    with _no_file_over(300_000), pytest.raises(EnvironmentFault) as caught:
        SQLiteBackend(old, clock)

    assert str(caught.value).startswith(f"{old} cannot be copied to {old.parent}: ")
    assert "\n" not in str(caught.value)
    assert (execute(old, VERSION), _beside(old)) == ([(1,)], [])
    with closing(SQLiteBackend(old, clock)) as backend:
        assert records(backend).keys() == OLD_RECORDS.keys()


def test_processes_may_upgrade_the_file_at_the_same_time(old: Path, clock: TurnableClock) -> None:
    """Of several that find an old file one upgrades it, and the others find it done."""
    command = [sys.executable, "-c", OPEN_AND_DIE, str(old), "nothing"]
    processes = [
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=unmeasured_environment()) for _ in range(4)
    ]
    errors = [process.communicate(timeout=30)[1] for process in processes]

    assert (errors, _beside(old)) == ([""] * 4, ["broker.db.v1"])
    with closing(SQLiteBackend(old, clock)) as backend:
        assert records(backend) == OLD_RECORDS


def test_an_upgrade_is_waited_for_longer_than_a_lock(old: Path, clock: TurnableClock) -> None:
    """Another process that upgrades a large file may take its time."""
    patience = 0.05
    opened: list[SQLiteBackend] = []
    with closing(apsw.Connection(str(old))) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=lambda: opened.append(SQLiteBackend(old, clock, patience=patience)))
        thread.start()
        before = time.monotonic()
        wait_until(lambda: time.monotonic() > before + 4 * patience)
        upgrades = "; ".join(SQL[f"upgrade_{version}"] for version in range(1, FORMAT_VERSION))
        other.execute(f"{upgrades}; PRAGMA user_version = {FORMAT_VERSION}; COMMIT")
    thread.join()

    with closing(opened[0]) as backend:
        assert records(backend) == OLD_RECORDS
    assert _beside(old) == []


def test_a_lock_that_stays_ends_the_wait_for_an_upgrade(old: Path, clock: TurnableClock) -> None:
    """Nothing waits for ever."""
    with closing(apsw.Connection(str(old))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EnvironmentFault, match="locked by another process"):
            SQLiteBackend(old, clock, patience=0.005)
        other.execute("ROLLBACK")


def test_an_old_server_that_still_reads_does_not_stop_the_upgrade(old: Path, clock: TurnableClock) -> None:
    """Whoever looks at the file meanwhile sees it as it was."""
    with closing(apsw.Connection(str(old))) as other:
        other.execute("BEGIN")
        rows = other.execute("SELECT * FROM invocation").fetchall()
        SQLiteBackend(old, clock).close()
        still = other.execute("SELECT * FROM invocation").fetchall()
        other.execute("ROLLBACK")

    assert still == rows


def test_each_older_version_has_a_way_to_this_one() -> None:
    """One statement leads from each version to the next."""
    upgrades = sorted(name for name in SQL if name.startswith("upgrade_"))
    assert upgrades == [f"upgrade_{version}" for version in range(1, FORMAT_VERSION)]


def test_a_reader_upgrades_nothing(old: Path) -> None:
    """It says who does."""
    with pytest.raises(EnvironmentFault, match=r"broker\.db is of format 1\. The next start of a server upgrades it\."):
        open_to_read(old, patience=1)

    assert (execute(old, VERSION), _beside(old)) == ([(1,)], [])


def test_a_reader_makes_nothing(tmp_path: Path) -> None:
    """Without a file there is nothing to read."""
    path = tmp_path / "broker.db"
    with pytest.raises(EnvironmentFault, match=r"broker\.db does not exist"):
        open_to_read(path, patience=1)

    assert not path.exists()


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b"no database" * 999)], ids=["dir", "text"])
def test_a_reader_names_what_is_no_broker_file(tmp_path: Path, make: object) -> None:
    """In one line, as whoever writes it would."""
    assert callable(make)
    make(tmp_path / "broker.db")
    with pytest.raises(EnvironmentFault, match=r"broker\.db (cannot be opened|is no usable broker file): [^\n]*$"):
        open_to_read(tmp_path / "broker.db", patience=1)


def test_a_reader_refuses_a_newer_file(old: Path, clock: TurnableClock) -> None:
    """It cannot know what stands where in it."""
    SQLiteBackend(old, clock).close()
    execute(old, f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    with pytest.raises(EnvironmentFault, match=r"Upgrade zato\.$"):
        open_to_read(old, patience=1)


def test_a_reader_cannot_write(old: Path, clock: TurnableClock) -> None:
    """Not even by mistake."""
    with closing(SQLiteBackend(old, clock)) as backend, closing(open_to_read(old, patience=1)) as reading:
        with pytest.raises(apsw.ReadOnlyError):
            reading.execute("DELETE FROM invocation")
        assert look(backend, 1) == OLD_RECORDS[1]
        assert ask(backend, Look(cid="c6")) == OLD_RECORDS[6]
