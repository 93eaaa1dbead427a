"""What goes wrong around a server, one thing at a time, while it works."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import psutil
import pytest

from tests.chaos.history import Started, journal
from tests.chaos.server import BreakableServer
from tests.chaos.turning import turn_clock
from tests.support.environments import make_environment, run_zato
from tests.support.waiting import wait_until
from zato.broker.connection import Connection
from zato.client import AnyServiceInvoker, NetworkError
from zato.environment import Environment

SERVICES = Path(__file__).with_name("services")
HOUR = 3600.0
LEASE = 1.0
# Bytes; a worker that does nothing has about 60 million.
TOO_MUCH_MEMORY = 300_000_000
SMALL_DISK = "3m"


def bad_environment(folder: Path, **settings: object) -> Environment:
    """Make an environment with all services of this folder."""
    files = {file.name: file.read_text("utf-8") for file in SERVICES.glob("*.py")}
    return make_environment(folder / "env", files, **{"lease": 60.0, **settings})


def starts(server: BreakableServer, cid: str) -> list[Started]:
    """Return how often a call was started so far."""
    return [start for start in journal(server.environment.path) if start.cid == cid]


def gate_call(server: BreakableServer, client: AnyServiceInvoker, gate: Path, *, service: str = "bad.gate") -> str:
    """Return the CID of a call that runs, and ends when the gate is there."""
    cid = str(client.invoke_async(service, str(gate)).data)
    wait_until(lambda: starts(server, cid), what="a start")
    return cid


def halted(environment: Environment, pid: int) -> bool:
    """Halt a process, unless it is about to write: what it locks then stays locked until `max_stall` ends it."""
    os.kill(pid, signal.SIGSTOP)
    with closing(Connection(environment.data / "broker.db", patience=0.5, to="use")) as other:
        try:
            other.insist("BEGIN IMMEDIATE")
        except apsw.BusyError:
            os.kill(pid, signal.SIGCONT)
            return False
        other.insist("ROLLBACK")
    return True


@pytest.mark.slow
def test_sleeper_records_nothing(tmp_path: Path) -> None:
    """A worker that stands still for twice its lease loses its call to another, and says too late how it ended."""
    environment = bad_environment(tmp_path, workers=2, lease=LEASE)
    with BreakableServer(environment) as server, server.client() as client:
        cid = gate_call(server, client, tmp_path / "gate", service="bad.gate-on-loop")
        sleeper = starts(server, cid)[0]
        wait_until(lambda: halted(environment, sleeper.pid), what="a worker that stands still and holds no lock")
        wait_until(lambda: len(starts(server, cid)) == 2, 10 * LEASE, what="a take-over")
        let_pass(2 * LEASE)
        (tmp_path / f"gate-{sleeper.pid}").touch()
        os.kill(sleeper.pid, signal.SIGCONT)
        server.logged("it was cancelled, or ")
        other = starts(server, cid)[1]
        (tmp_path / f"gate-{other.pid}").touch()
        record = client.result(cid, wait=20).record

    assert other.pid != sleeper.pid
    assert (record["status"], record["response"]["run"], record["takeovers"]) == ("done", other.run, 1)


@pytest.mark.slow
def test_service_that_ends_its_process(tmp_path: Path) -> None:
    """Its call is given up as `process_died`; those that wait behind it are done."""
    settings = {"max_takeovers": 1, "background_threads": 1}
    with BreakableServer(bad_environment(tmp_path, **settings)) as server, server.client() as client:
        before = gate_call(server, client, tmp_path / "gate")
        client.invoke_async("bad.exit", cid="doomed")
        behind = [client.invoke_async("chaos.work", {"seconds": 0}).data for _ in range(5)]
        (tmp_path / "gate").touch()
        records = [patient_record(client, cid) for cid in (before, "doomed", *behind)]

    assert [record["status"] for record in records] == ["done", "failed", *["done"] * 5]
    assert records[1]["error"]["code"] == "process_died"
    assert len(starts(server, "doomed")) == 2


@pytest.mark.slow
def test_neighbours_of_a_service_that_ends_its_process(tmp_path: Path) -> None:
    """What ran beside it each time loses its process as often, and is done all the same."""
    with BreakableServer(bad_environment(tmp_path, max_takeovers=2)) as server, server.client() as client:
        neighbours = [gate_call(server, client, tmp_path / "gate") for _ in range(3)]
        client.invoke_async("bad.exit", cid="doomed", delay=0.2)
        all_of_them = ("doomed", *neighbours)
        wait_until(lambda: any(len(starts(server, cid)) == 3 for cid in all_of_them), 20, what="a last chance")
        (tmp_path / "gate").touch()
        records = [patient_record(client, cid) for cid in all_of_them]

    assert [record["status"] for record in records] == ["failed", *["done"] * 3]
    assert [record["takeovers"] for record in records] == [3, *[2] * 3]


@pytest.mark.slow
def test_service_that_eats_memory_until_it_is_killed(tmp_path: Path) -> None:
    """What the system does to a process that is too large costs the calls that wait nothing."""
    settings = {"max_takeovers": 0, "background_threads": 1}
    with BreakableServer(bad_environment(tmp_path, **settings)) as server, server.client() as client:
        eater = client.invoke_async("bad.eat").data
        behind = client.invoke_async("chaos.work", {"seconds": 0}).data
        wait_until(lambda: kill_if_too_large(server), 30)
        records = [patient_record(client, cid) for cid in (eater, behind)]

    assert [record["status"] for record in records] == ["failed", "done"]
    assert records[0]["error"]["code"] == "process_died"


@pytest.mark.slow
def test_disk_that_is_full_for_a_while(tmp_path: Path) -> None:
    """Calls are refused with 503 while there is no room; work that ends keeps its outcome, and records it later."""
    environment = bad_environment(tmp_path)
    with small_disk(environment.data), BreakableServer(environment) as server, server.client() as client:
        running = gate_call(server, client, tmp_path / "gate")
        waiting = client.invoke_async("chaos.work", {"seconds": 0}, delay=1).data
        with no_room_in(environment.data):
            statuses = {client.invoke_async("bad.huge", "9" * 50_000).inner.status_code for _ in range(5)}
            (tmp_path / "gate").touch()
            server.logged("waits to be recorded")
            ping = client.invoke("zato.ping").data
        records = [client.result(cid, wait=20).record for cid in (running, waiting)]
        again = client.invoke_async("bad.huge", 1).ok

    assert (statuses, ping, again) == ({503}, {"pong": "zato"}, True)
    assert [(record["status"], record["takeovers"]) for record in records] == [("done", 0)] * 2
    assert len(starts(server, running)) == 1


@pytest.mark.slow
def test_file_that_another_program_locks_for_a_while(tmp_path: Path) -> None:
    """A call is not refused for a lock that goes: it waits, and so does what runs."""
    environment = bad_environment(tmp_path)
    with BreakableServer(environment) as server, server.client() as client:
        running = gate_call(server, client, tmp_path / "gate")
        with closing(Connection(environment.data / "broker.db", patience=5, to="use")) as other:
            other.insist("BEGIN IMMEDIATE")
            (tmp_path / "gate").touch()
            let_pass(1.5)
            held = client.result(running).status
            other.insist("ROLLBACK")
        record = client.result(running, wait=20).record
        after = client.invoke_async("bad.huge", 1)

    assert (held, record["status"], after.ok) == ("running", "done", True)
    assert len(starts(server, running)) == 1


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    """No server starts on a file that is not what it was; one line says which file it is."""
    environment = bad_environment(tmp_path)
    with BreakableServer(environment):
        pass
    spoil(environment.data / "broker.db", damage)
    done = run_zato("start", str(environment.path))

    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "broker.db" in line and "Traceback" not in line]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_file_that_is_damaged_while_it_is_used(tmp_path: Path) -> None:
    """Calls are refused with an error that says why; the process stays, and nothing is restarted in a circle."""
    environment = bad_environment(tmp_path)
    with BreakableServer(environment) as server, server.client() as client:
        workers = server.workers()
        spoil(environment.data / "broker.db", "flipped")
        (environment.data / "broker.db-wal").write_bytes(b"")
        refused = [client.invoke_async("bad.huge", 1).inner.status_code for _ in range(3)]
        let_pass(1.5)
        alive = client.invoke("zato.ping").ok
        same = server.workers() == workers

    assert set(refused) <= {200, 503}
    assert (alive, same) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_clock_that_is_set(tmp_path: Path, hours: int) -> None:
    """What runs keeps its lease; delays follow the clock of the wall, whatever it shows."""
    environment = bad_environment(tmp_path, lease=LEASE, workers=2)
    with BreakableServer(environment) as server, server.client() as client:
        running = gate_call(server, client, tmp_path / "gate")
        delayed = client.invoke_async("chaos.work", {"seconds": 0}, delay=HOUR / 2).data
        turn_clock(environment.path / "chaos", hours * HOUR)
        let_pass(2 * LEASE)
        soon = client.invoke_async("chaos.work", {"seconds": 0}, delay=0.2).data
        status = client.result(soon, wait=10).status
        (tmp_path / "gate").touch()
        record = client.result(running, wait=20).record
        overtaken = client.result(delayed, wait=2 if hours > 0 else 0).status

    assert (record["status"], record["takeovers"], len(starts(server, running))) == ("done", 0, 1)
    assert (status, overtaken) == ("done", "done" if hours > 0 else "delayed")


@pytest.mark.slow
def test_response_of_200_megabytes(tmp_path: Path) -> None:
    """A call whose response nobody could store fails, and says so; the server goes on."""
    with BreakableServer(bad_environment(tmp_path)) as server, server.client() as client:
        result = client.result(client.invoke_async("bad.huge", 200_000_000).data, wait=40)
        workers = len(server.workers())
        alive = client.invoke("zato.ping").ok

    assert (result.status, result.record["error"]["code"]) == ("failed", "too_large")
    assert (workers, alive) == (1, True)


def test_ten_callbacks_of_which_one_fails(tmp_path: Path) -> None:
    """Nine are done and one has failed, each with a record and a CID of its own."""
    names = [f"bad.called-{number}" for number in range(1, 11)]
    with BreakableServer(bad_environment(tmp_path)) as server, server.client() as client:
        cid = client.invoke_async("chaos.work", {"seconds": 0}, callback=names).data
        wait_until(lambda: len(journal(server.environment.path)) == 11)
        cids = [start.cid for start in journal(server.environment.path) if start.in_reply_to == cid]
        records = [client.result(each, wait=20).record for each in cids]
        target = client.result(cid).status

    assert {record["service"]: record["status"] for record in records} == {
        name: "failed" if name == names[-1] else "done" for name in names
    }
    assert (target, len(set(cids))) == ("done", 10)


def patient_record(client: AnyServiceInvoker, cid: str) -> dict[str, Any]:
    """Return the record of a call once it has an outcome, through the deaths of those who are asked."""

    def found() -> dict[str, Any]:
        try:
            result = client.result(cid, wait=1)
        except NetworkError:
            return {}
        return result.record if result.is_final else {}

    return wait_until(found, 30, what=f"an outcome of {cid}")


def kill_if_too_large(server: BreakableServer) -> bool:
    """Kill a worker as the kernel does when memory is short, and tell whether one was killed."""
    for pid in server.workers():
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).memory_info().rss > TOO_MUCH_MEMORY:
                os.kill(pid, signal.SIGKILL)
                return True
    return False


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Have a folder be a small disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def no_room_in(folder: Path) -> Iterator[None]:
    """Have not one byte be free where a folder is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        filler.unlink()


def spoil(file: Path, damage: str) -> None:
    """Damage a file in one of two ways."""
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    else:
        content[:200] = bytes(byte ^ 0xFF for byte in content[:200])
    file.write_bytes(content)


def let_pass(seconds: float) -> None:
    """Let time pass; nothing else is waited for."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)
