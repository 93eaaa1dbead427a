"""Backups of the embedded broker's file, made and restored under its users."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from tests.contract.calls import DEPLOYED, START, TOKEN, accept, ask, call_id, finish, lease, lease_all, look, make_call
from tests.support.clocks import TurnableClock
from tests.unit.broker.old_files import OLD_RECORDS, execute, make_old_file, records
from zato.broker.archive import Contents, Restored, back_up, inspect, restore
from zato.broker.audit import Note, Notes
from zato.broker.base import Accept, Accepted, Announce, Backend, Beat, Find, Look, Postpone
from zato.broker.cluster import Pause
from zato.broker.documents import Browse, Forget, Keep
from zato.broker.format import FORMAT_VERSION
from zato.broker.open import Location, open_backend, open_reader
from zato.core.audit import AuditEntry
from zato.core.errors import EnvironmentFault
from zato.core.invocation import ErrorInfo, Failure, Lane, Status, Terms

FAILURE = Failure(attempt=1, started=1, ended=2, server="s", error=ErrorInfo("exception", "ValueError", "No."))

# Restores a backup, and is killed when all is replaced but not committed.
RESTORE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from zato.broker import archive, format
from zato.broker.connection import Connection

class Deadly(Connection):
    def insist(self, statement, *, times=1):
        if statement == "COMMIT" and len(self.execute("PRAGMA database_list").fetchall()) == 2:
            assert self.execute("SELECT count(*) FROM main.invocation").fetchall() == [(6,)]
            os.kill(os.getpid(), signal.SIGKILL)
        super().insist(statement, times=times)

class Clock:
    def boot_id(self):
        return "start-1"

format.Connection = Deadly
archive.restore(Path(sys.argv[1]), Path(sys.argv[2]), Clock())
"""


@pytest.fixture
def clock() -> TurnableClock:
    """The clock of every backend here."""
    return TurnableClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of an environment."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def backend(data: Path, clock: TurnableClock) -> Iterator[Backend]:
    """A server's backend: calls 1 and 2 are done, 3 runs, 4 waits, 5 is to be tried again, 6 is stranded."""
    with closing(open_backend(Location("sqlite", data), clock)) as opened:
        ask(opened, Announce(DEPLOYED))
        accept(opened, make_call(1, idempotency_key="k"), *(make_call(number) for number in (2, 3, 5)))
        lease(opened)
        finish(opened, 1)
        finish(opened, 2)
        ask(opened, Postpone(call_id(5), TOKEN, START + 9000, 1, failure=FAILURE))
        accept(opened, make_call(4), make_call(6, service="unknown"))
        yield opened


@pytest.fixture
def file(backend: Backend, data: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    back_up(data, tmp_path / "backup.db")
    return tmp_path / "backup.db"


def _all(backend: Backend) -> list[object]:
    return [ask(backend, Look(id=call_id(number))) for number in range(1, 10)]


def _dump(data: Path) -> list[object]:
    tables = ("invocation", "pending", "outcome", "failure", "idempotency", "deployed", "document", "audit", "meta")
    return [execute(data / "broker.db", f"SELECT * FROM {table}") for table in tables]


def test_a_backup_is_made_under_a_server(backend: Backend, data: Path, tmp_path: Path) -> None:
    """It holds everything up to that moment, nobody else may read it, and it stands for itself."""
    file = tmp_path / "backup.db"
    contents = back_up(data, file)
    accept(backend, make_call(7))

    assert contents == inspect(file) == Contents(pending=4, outcomes=2)
    assert execute(file, "SELECT count(*) FROM invocation") == [(6,)]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup.db", "data"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_made_without_a_server(backend: Backend, data: Path, tmp_path: Path) -> None:
    """What a stopped server left is complete."""
    backend.close()

    assert back_up(data, tmp_path / "backup.db") == Contents(pending=4, outcomes=2)


def test_a_backup_is_of_one_moment(backend: Backend, data: Path, tmp_path: Path) -> None:
    """Whoever writes meanwhile is in it with whole batches, and is not held up."""
    stop = threading.Event()
    contents: list[Contents] = []

    def back_up_again_and_again() -> None:
        while len(contents) < 10:
            contents.append(back_up(data, tmp_path / f"{len(contents)}.db"))
        stop.set()

    thread = threading.Thread(target=back_up_again_and_again)
    thread.start()
    number = 100
    while not stop.is_set():
        accept(backend, *(make_call(each) for each in range(number, number + 10)))
        number += 10
    thread.join()

    counts = [each.pending for each in contents]
    assert counts == sorted(counts)
    assert {count % 10 for count in counts} == {4}


def test_there_is_nothing_to_back_up_before_the_first_start(data: Path, tmp_path: Path) -> None:
    """It is said, and no file is made."""
    with pytest.raises(EnvironmentFault, match=r"There is nothing to back up: .*broker\.db does not exist"):
        back_up(data, tmp_path / "backup.db")

    assert list(data.iterdir()) == []


def test_a_backup_overwrites_nothing(backend: Backend, data: Path, file: Path) -> None:
    """An earlier one stays."""
    before = file.read_bytes()
    with pytest.raises(EnvironmentFault, match=r"backup\.db is there already"):
        back_up(data, file)

    assert file.read_bytes() == before


def test_a_damaged_file_is_not_backed_up(data: Path, tmp_path: Path) -> None:
    """A backup that could not be restored is none; the message names the file that is to blame."""
    (data / "broker.db").write_bytes(b"no database" * 999)
    with pytest.raises(EnvironmentFault, match=r"data/broker\.db cannot be copied"):
        back_up(data, tmp_path / "backup.db")

    assert [each.name for each in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(f"PRAGMA user_version = {FORMAT_VERSION + 1}", "Upgrade zato", id="newer"),
        pytest.param("PRAGMA user_version = 0", "it has no version", id="no-version"),
        pytest.param("DROP TABLE outcome", "no such table", id="tables-missing"),
    ],
)
def test_what_could_not_be_restored_is_not_backed_up(
    backend: Backend, data: Path, tmp_path: Path, *, statement: str, words: str
) -> None:
    """The copy is checked as a restoration would, and blamed on the file that it is of."""
    execute(data / "broker.db", statement)
    with pytest.raises(EnvironmentFault, match=rf"data/broker\.db is .*{words}"):
        back_up(data, tmp_path / "backup.db")

    assert [each.name for each in tmp_path.iterdir()] == ["data"]


def test_a_restored_environment_is_as_it_was(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """Under a server that runs, all that has happened since is undone, except that nobody holds a call."""
    before = _all(backend)
    accept(backend, make_call(7))
    finish(backend, 3)
    lease(backend)

    restored = restore(data, file, clock)

    assert isinstance(before[2], type(look(backend)))
    running = replace(before[2], status=Status.WAITING, attempts=0, server=None)
    assert _all(backend) == [*before[:2], running, *before[3:]]
    assert (restored.contents, look(backend, 5).failures) == (Contents(pending=4, outcomes=2), (FAILURE,))


def test_work_goes_on_after_a_restoration(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """What ran is run again, and not as a take-over; keys are known, and new calls get new numbers."""
    accept(backend, make_call(7), make_call(8))
    restore(data, file, clock)
    clock.turn(9)

    deliveries = lease(backend, token=b"token--2")
    repeated = ask(backend, Accept(make_call(9, idempotency_key="k")))
    accept(backend, make_call(9))

    assert [(each.invocation.id, each.takeovers) for each in deliveries] == [(call_id(n), 0) for n in (3, 5, 4)]
    assert repeated == Accepted(call_id(1), "c1")
    assert execute(data / "broker.db", "SELECT max(seq) FROM invocation") == [(9,)]


def test_who_ran_a_call_before_the_restoration_records_nothing(
    backend: Backend, data: Path, file: Path, clock: TurnableClock
) -> None:
    """It learns that it holds the call no more, and somebody else runs it."""
    restore(data, file, clock)

    assert ask(backend, Beat(((call_id(3), TOKEN),), 15)) == [call_id(3)]
    assert finish(backend, 3) is False
    assert look(backend, 3).status is Status.WAITING


def test_what_started_before_the_restoration_does_not_expire(data: Path, clock: TurnableClock, tmp_path: Path) -> None:
    """Only what had not started when the backup was made may expire."""
    with closing(open_backend(Location("sqlite", data), clock)) as backend:
        ask(backend, Announce(DEPLOYED))
        accept(backend, make_call(1, expires=START + 5000))
        lease(backend)
        accept(backend, make_call(2, expires=START + 5000))
        back_up(data, tmp_path / "backup.db")
        restore(data, tmp_path / "backup.db", clock)
        clock.turn(60)
        ids = [delivery.invocation.id for delivery in lease(backend)]

        assert (ids, look(backend, 2).status) == ([call_id(1)], Status.EXPIRED)


def test_calls_wait_for_the_services_of_now(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """What is deployed is not restored: calls take the lanes of today, or are stranded."""
    ask(backend, Announce({"unknown": Lane.TASK}))
    restore(data, file, clock)
    clock.turn(1)

    assert [each.invocation.id for each in lease_all(backend).deliveries] == [call_id(6)]
    assert look(backend, 4).status is Status.STRANDED


def test_queues_stay_paused_or_not_as_they_are_now(
    backend: Backend, data: Path, file: Path, clock: TurnableClock, tmp_path: Path
) -> None:
    """What is paused is not restored: calls wait in a queue that is paused today, not in one that was paused then."""
    ask(backend, Pause("default", paused=True))
    back_up(data, tmp_path / "paused.db")
    restore(data, file, clock)
    while_paused = lease(backend)
    ask(backend, Pause("default", paused=False))
    restore(data, tmp_path / "paused.db", clock)

    assert while_paused == []
    assert [each.invocation.id for each in lease(backend)] == [call_id(3), call_id(4)]


def test_limits_of_today_are_kept(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """Calls that are restored wait for each other as those did that they replace."""
    ask(backend, Announce(DEPLOYED, terms={"crm.sync": Terms(max_concurrency=1)}))
    restore(data, file, clock)

    assert [len(lease(backend)) for _ in range(2)] == [1, 0]


def test_what_was_replaced_is_kept(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """The copy beside the file brings everything back that was accepted before the restoration."""
    accept(backend, make_call(7))
    first = restore(data, file, clock)
    accept(backend, make_call(8))
    second = restore(data, file, clock)
    assert first.kept is not None
    gone = ask(backend, Look(id=call_id(7)))
    back = restore(data, first.kept, clock)

    names = ["broker.db.before-restore", "broker.db.before-restore-2", "broker.db.before-restore-3"]
    assert [each.kept for each in (first, second, back)] == [data / name for name in names]
    assert (gone, look(backend, 7).status) == (None, Status.WAITING)
    assert not list(data.glob("*.restoring*"))


def test_restoring_where_there_was_nothing(file: Path, tmp_path: Path, clock: TurnableClock) -> None:
    """A new environment gets the calls of the old one, which wait for their services."""
    data = tmp_path / "new"
    data.mkdir()

    restored = restore(data, file, clock)

    assert restored == Restored(Contents(pending=4, outcomes=2), None)
    with closing(open_backend(Location("sqlite", data), clock)) as backend:
        assert look(backend, 4).status is Status.STRANDED
        ask(backend, Announce(DEPLOYED))
        assert [each.invocation.id for each in lease(backend)] == [call_id(3), call_id(4)]


def test_a_reader_sees_what_was_restored(backend: Backend, data: Path, file: Path, clock: TurnableClock) -> None:
    """Connections that are open stay so."""
    accept(backend, make_call(7))
    with closing(open_reader(Location("sqlite", data), clock)) as reader:
        before = len(ask(reader, Find()).records)
        restore(data, file, clock)

        assert (before, len(ask(reader, Find()).records)) == (7, 6)


def test_a_backup_of_an_older_version(backend: Backend, data: Path, tmp_path: Path, clock: TurnableClock) -> None:
    """It is upgraded on the way, and stays as it is."""
    old = make_old_file(tmp_path / "old.db")
    before = old.read_bytes()
    restored = restore(data, old, clock)

    freed = replace(OLD_RECORDS[3], status=Status.WAITING, attempts=0, server=None)
    assert records(backend) == {**OLD_RECORDS, 3: freed}
    assert (restored.contents, old.read_bytes() == before) == (Contents(pending=4, outcomes=2), True)
    assert execute(old, "PRAGMA user_version") == [(1,)]


def _keys(backend: Backend) -> list[str]:
    return [document.key for document in ask(backend, Browse("user"))]


def test_documents_are_those_of_the_backup(backend: Backend, data: Path, tmp_path: Path, clock: TurnableClock) -> None:
    """Who was made since is gone, and who was deleted is there again."""
    ask(backend, Keep("user", "anna", b"1"))
    back_up(data, tmp_path / "backup.db")
    backend.apply([Forget("user", "anna"), Keep("user", "ben", b"1")])
    restore(data, tmp_path / "backup.db", clock)

    assert _keys(backend) == ["anna"]


def test_a_backup_without_documents_leaves_them(
    backend: Backend, data: Path, tmp_path: Path, clock: TurnableClock
) -> None:
    """One of an older version locks nobody out."""
    ask(backend, Keep("user", "anna", b"1"))
    restore(data, make_old_file(tmp_path / "old.db"), clock)

    assert _keys(backend) == ["anna"]


def test_the_audit_has_all_that_was_ever_done(
    backend: Backend, data: Path, tmp_path: Path, clock: TurnableClock
) -> None:
    """Before the backup and after it, each once, also where another audit has begun; in the order of time."""
    entries = [AuditEntry(time=START + number, user="anna", action="a") for number in range(3)]
    backend.apply([Note(entry) for entry in (entries[0], entries[0], entries[2])])
    back_up(data, tmp_path / "backup.db")
    ask(backend, Note(entries[1]))
    restore(data, tmp_path / "backup.db", clock)
    new = tmp_path / "new"
    new.mkdir()
    with closing(open_backend(Location("sqlite", new), clock)) as other:
        ask(other, Note(entries[1]))
        restore(new, tmp_path / "backup.db", clock)
        found = [ask(each, Notes()).entries for each in (backend, other)]

    assert found == [[entries[2], entries[1], entries[0], entries[0]]] * 2


def _text(file: Path) -> None:
    file.write_text("no database" * 999)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _gone(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _newer(file: Path) -> None:
    execute(file, f"PRAGMA user_version = {FORMAT_VERSION + 1}")


def _of_no_version(file: Path) -> None:
    execute(file, "PRAGMA user_version = 0")


def _of_somebody_else(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE customer (id); PRAGMA user_version = 1")


def _without_a_column(file: Path) -> None:
    execute(file, "ALTER TABLE invocation DROP COLUMN queue")


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])


def _scratched(file: Path) -> None:
    """Put one entry of an index in the wrong place, as a bad disk might."""
    raw = file.read_bytes()
    file.write_bytes(raw.replace(b"c4", b"c9", 1))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(_text, "is no broker file, or it is damaged: file is not a database", id="text"),
        pytest.param(_empty, "is no broker file", id="empty"),
        pytest.param(_gone, "is not there, or is no file. Name one that 'zato backup' has made", id="gone"),
        pytest.param(_folder, "is not there, or is no file", id="folder"),
        pytest.param(_newer, f"reads up to {FORMAT_VERSION}. Upgrade zato.", id="newer"),
        pytest.param(_of_no_version, "is no broker file: it has no version", id="no-version"),
        pytest.param(_of_somebody_else, "is no broker file, or it is damaged: no such table", id="other-database"),
        pytest.param(_without_a_column, "It cannot be restored, it is no backup", id="without-a-column"),
        pytest.param(_half, "damaged", id="half"),
        pytest.param(_scratched, "is damaged: ", id="scratched"),
    ],
)
def test_what_is_no_backup_changes_nothing(
    backend: Backend, data: Path, file: Path, *, spoil: Callable[[Path], None], words: str
) -> None:
    """It is refused in one line, and the environment is what it was, to the last row."""
    spoil(file)
    accept(backend, make_call(7))
    before = _dump(data)

    with pytest.raises(EnvironmentFault) as caught:
        restore(data, file, TurnableClock())

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (_dump(data), list(data.glob("broker.db.*"))) == (before, [])
    assert ask(backend, Accept(make_call(8))) == Accepted(call_id(8), "c8")


@pytest.mark.parametrize("link", [False, True], ids=["itself", "by-another-name"])
def test_a_file_is_no_backup_of_itself(
    backend: Backend, data: Path, tmp_path: Path, clock: TurnableClock, link: bool
) -> None:
    """Whatever it is called."""
    name = data / "broker.db"
    if link:
        name = tmp_path / "link.db"
        name.symlink_to(data / "broker.db")

    with pytest.raises(EnvironmentFault, match="is what is to be replaced, and no backup of it"):
        restore(data, name, clock)


def test_a_server_that_holds_the_file_is_waited_for_and_then_named(
    backend: Backend, data: Path, file: Path, clock: TurnableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is changed then."""
    monkeypatch.setattr("zato.broker.archive.PATIENCE", 0.05)
    before = _dump(data)
    with closing(apsw.Connection(str(data / "broker.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EnvironmentFault, match=r"broker\.db is locked by another process\."):
            restore(data, file, clock)
        other.execute("ROLLBACK")

    assert _dump(data) == before
    assert sorted(each.name for each in data.iterdir()) == ["broker.db", "broker.db-shm", "broker.db-wal"]


def test_a_damaged_environment_says_what_to_move(data: Path, file: Path, clock: TurnableClock, tmp_path: Path) -> None:
    """What cannot be kept as a copy is not replaced; moved away, it is no obstacle."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "broker.db").write_bytes(b"no database" * 999)
    with pytest.raises(
        EnvironmentFault, match=r"broken/broker\.db is no usable broker file: .* Move it away"
    ) as caught:
        restore(broken, file, clock)
    shutil.move(broken / "broker.db", tmp_path / "away.db")

    assert "\n" not in str(caught.value)
    assert restore(broken, file, clock).contents == Contents(pending=4, outcomes=2)


def test_a_restoration_killed_before_its_end_changes_nothing(
    backend: Backend, data: Path, file: Path, clock: TurnableClock
) -> None:
    """Everything is replaced or nothing, and the next try succeeds."""
    accept(backend, make_call(7))
    before = _dump(data)
    killed = [
        subprocess.run([sys.executable, "-c", RESTORE_AND_DIE, str(data), str(file)], check=False, timeout=30)
        for _ in range(2)
    ]
    after = _dump(data)

    assert ([each.returncode for each in killed], after) == ([-signal.SIGKILL] * 2, before)
    assert restore(data, file, clock).contents == Contents(pending=4, outcomes=2)
    assert ask(backend, Look(id=call_id(7))) is None
    names = ["broker.db", "broker.db-shm", "broker.db-wal", "broker.db.before-restore"]
    assert sorted(each.name for each in data.iterdir()) == names
