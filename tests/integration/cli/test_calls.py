"""`zato invocation list`, `wait`, and what is done to many calls at once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.support.commands import Done, Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from zato.cli.invocation import _came

DEMO = """
import time
from pathlib import Path
from zato.server.service import BadRequest, NotFound, Service

HERE = Path(__file__).parent

class Sum(Service):
    def handle(self):
        return {"sum": sum(self.request.payload)}

class Quiet(Service):
    def handle(self):
        pass

class Moody(Service):
    def handle(self):
        if not (HERE / f"good-{self.request.payload}").exists():
            raise ValueError("not\\ntoday")
        return "fine"

class Missing(Service):
    def handle(self):
        raise NotFound("No such order.")

class Sleeper(Service):
    def handle(self):
        while not self.cancelled:
            time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with services that end in every way."""
    environment = make_environment(tmp_path_factory.mktemp("calls") / "env", {"demo.py": DEMO})
    with ServerProcess(environment) as server:
        yield server


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of the server's environment."""
    return str(server.environment.path)


def failed(server: ServerProcess, mood: str, count: int) -> list[str]:
    """Return the CIDs of calls that have failed, and that a file of their mood lets succeed."""
    with server.client() as client:
        cids = [client.invoke_async("demo.moody", mood).data for _ in range(count)]
        assert {client.result(cid, wait=20).status for cid in cids} == {"failed"}
    return cids


def heal(server: ServerProcess, mood: str) -> None:
    """Let calls of a mood succeed from now on."""
    (server.environment.services / f"good-{mood}").touch()


def test_list_in_a_pipe(zato: Zato, server: ServerProcess, path: str) -> None:
    """A line of headings, then a line a call, newest first; what an error says stays on its line."""
    first, second = failed(server, "list", 2)
    done = zato("invocation", "list", path, "--service", "demo.moody", "--limit", 2)
    head, *rows = done.out.splitlines()
    assert head.split("  ")[0] == "CID"
    assert [row.split()[:3] for row in rows] == [[cid, "demo.moody", "failed"] for cid in (second, first)]
    assert all(row.endswith("ValueError: not\\ntoday") for row in rows)


def test_list_in_pages(zato: Zato, server: ServerProcess, path: str) -> None:
    """What one page says at its end brings the next one; `--all` brings all."""
    failed(server, "pages", 3)
    asked = ("invocation", "list", path, "--status", "failed", "--json")
    every = json.loads(zato(*asked, "--all").out)
    first = json.loads(zato(*asked, "--limit", 2).out)
    second = json.loads(zato(*asked, "--limit", 1, "--cursor", first["cursor"]).out)

    assert set(every) == set(first) == {"items", "cursor"}
    assert (every["cursor"], first["items"] + second["items"]) == (None, every["items"][:3])


def test_list_says_that_there_is_more(zato: Zato, server: ServerProcess, path: str) -> None:
    """The hint is no part of the table."""
    failed(server, "more", 2)
    done = zato("invocation", "list", path, "--limit", 1)
    assert "the same command with --cursor " in done.err
    assert "cursor" not in done.out


@pytest.mark.parametrize("since", ["1h", "2020-01-31T12:00", "2020-01-31T12:00:00+02:00"])
def test_times(zato: Zato, server: ServerProcess, path: str, since: str) -> None:
    """A time is how long ago, or ISO 8601."""
    cid = failed(server, "times", 1)[0]
    found = json.loads(zato("invocation", "list", path, "--cid", cid, "--since", since, "--json").out)["items"]
    before = json.loads(zato("invocation", "list", path, "--cid", cid, "--until", since, "--json").out)["items"]
    assert ([item["cid"] for item in found], before) == ([cid], [])


@pytest.mark.parametrize("since", ["soon", "1w", "-1h", "99999999999h", "999999999d", "2026-13-01", ""])
def test_what_is_no_time(zato: Zato, path: str, since: str) -> None:
    """The message shows how to write one."""
    done = zato("invocation", "list", path, "--since", since)
    assert (done.code, f"{since!r} is no time. Write '2h' for two hours ago" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("call", "ended"),
    [
        pytest.param(("demo.sum", "[1, 2]"), Done(0, '{"sum": 3}\n', ""), id="done"),
        pytest.param(("demo.quiet", ""), Done(0, "(None)\n", ""), id="no-response"),
        pytest.param(("demo.moody", "never"), Done(1, "", "Error: ValueError: not\ntoday\n"), id="failed"),
        pytest.param(("demo.missing", ""), Done(4, "", "Error: No such order.\n"), id="not-found"),
    ],
)
def test_wait_ends_as_invoke_would(zato: Zato, path: str, call: tuple[str, str], ended: Done) -> None:
    """It prints the response, or what went wrong, with the exit status of that error."""
    cid = zato("service", "invoke", path, call[0], "--async", "--payload", call[1]).out.strip()
    assert zato("invocation", "wait", path, cid) == ended


def test_wait_for_what_does_not_end(zato: Zato, path: str) -> None:
    """After the time given it says how the call stands; a cancelled one has no response."""
    cid = zato("service", "invoke", path, "demo.sleeper", "--async").out.strip()
    late = zato("invocation", "wait", path, cid, "--timeout", 0.1)
    cancelled = zato("invocation", "cancel", path, cid)
    after = zato("invocation", "wait", path, cid)

    assert (late.code, f"The call {cid!r} is " in late.err) == (8, True)
    assert (cancelled.code, cancelled.out) == (0, f"Cancelled {cid}.\n")
    assert (after.code, "is cancelled: its service did not run to an end" in after.err) == (1, True)


def test_by_id(zato: Zato, server: ServerProcess, path: str) -> None:
    """Of several calls with one CID, the id says which is meant."""
    with server.client() as client:
        for number in (1, 2):
            client.invoke_async("demo.sum", [number], cid="twice")
    items = json.loads(zato("invocation", "list", path, "--cid", "twice", "--json").out)["items"]
    assert [zato("invocation", "wait", path, item["id"], "--id").out for item in items] == [
        '{"sum": 2}\n',
        '{"sum": 1}\n',
    ]
    assert json.loads(zato("invocation", "wait", path, items[1]["id"], "--id", "--json").out)["payload"] == [1]


def test_replay_of_one(zato: Zato, server: ServerProcess, path: str) -> None:
    """It prints the new CID alone; the new call has the payload of the first, or the one given."""
    first = failed(server, "one", 1)[0]
    heal(server, "one")
    again = zato("invocation", "replay", path, first).out.strip()
    other = zato("invocation", "replay", path, first, "--payload", '"list"', "--json")

    assert zato("invocation", "wait", path, again).out == "fine\n"
    assert json.loads(zato("invocation", "show", path, json.loads(other.out)["cid"], "--json").out)["payload"] == "list"


def test_replay_of_all_that_match(zato: Zato, server: ServerProcess, path: str) -> None:
    """Each is replayed once, however often the command is given."""
    failed(server, "all", 3)
    heal(server, "all")
    replay = ("invocation", "replay", path, "--all", "--service", "demo.moody", "--since", "1h", "--yes", "--json")
    first = json.loads(zato(*replay).out)
    second = json.loads(zato(*replay).out)

    assert first["counts"]["replayed"] >= 3
    assert second["counts"]["replayed before"] >= first["counts"]["replayed"]
    assert zato(*replay[:-1], "--again").err.rstrip(".\n").endswith(" replayed")


def test_cancel_of_all_that_match(zato: Zato, server: ServerProcess, path: str) -> None:
    """Those that have ended already are left as they are."""
    with server.client() as client:
        cids = [client.invoke_async("demo.sum", [1], delay=600, cid=f"later-{number}").data for number in range(3)]
    done = zato("invocation", "cancel", path, "--all", "--service", "demo.sum", "--status", "delayed", "--yes")
    with server.client() as client:
        assert {client.result(cid).status for cid in cids} == {"cancelled"}
    assert (done.code, done.err) == (0, "3 calls: 3 cancelled.\n")


def test_nothing_matches(zato: Zato, path: str) -> None:
    """Nobody is asked, and nothing is done."""
    done = zato("invocation", "cancel", path, "--all", "--service", "demo.none")
    assert (done.code, done.err) == (0, "0 calls: nothing to do.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param("", "name its CID, or give --all", id="nothing"),
        pytest.param("abc --all", "leave it out for the one with CID 'abc'", id="both"),
        pytest.param("abc --yes", "are for --all", id="yes"),
        pytest.param("abc --service demo.sum", "are for --all", id="filter"),
        pytest.param("abc --status failed", "are for --all", id="status"),
        pytest.param("--all --payload x --yes", "--payload is for one call", id="payload"),
        pytest.param("--all --status running", "'running' is not one of", id="not-replayable"),
    ],
)
def test_wrong_ways_to_replay(zato: Zato, path: str, arguments: str, words: str) -> None:
    """A command that is not clear about what it means does nothing."""
    done = zato("invocation", "replay", path, *arguments.split())
    assert (done.code, words in done.err) == (2, True)


def test_nobody_is_there_to_be_asked(server: ServerProcess, path: str) -> None:
    """Without a terminal the calls are counted, and nothing is done without --yes."""
    failed(server, "unasked", 2)
    done = subprocess.run(
        [ZATO, "invocation", "replay", path, "--all", "--service", "demo.moody"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, "if that is meant, give --yes" in done.stderr) == (2, True)


def test_a_person_is_asked(server: ServerProcess, path: str) -> None:
    """On a terminal the calls are counted by service, and a no is a no."""
    failed(server, "asked", 2)
    ours, theirs = os.openpty()
    command = [ZATO, "invocation", "replay", path, "--all", "--service", "demo.moody"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.write(ours, b"n\n")
        out, err = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, out) == (1, b"")
    assert b"  demo.moody  failed\nReplay " in err


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"", 130, id="ctrl-c"),
        pytest.param(b"\x04", 1, id="ctrl-d"),
        pytest.param(b"n\n", 1, id="no"),
    ],
)
def test_question_that_is_not_answered_by_yes(server: ServerProcess, path: str, answer: bytes, status: int) -> None:
    """The exit status of Ctrl-C is that of every command which it ends; nothing is done in any case."""
    failed(server, "interrupted", 1)
    ended, err = _answered(path, "replay", "demo.moody", answer)
    assert (ended, b"Aborted!" in err, b"replayed.\n" in err) == (status, True, False)


def test_what_changes_while_a_person_thinks(server: ServerProcess, path: str) -> None:
    """A call that has meanwhile ended does not keep the others from being cancelled."""
    with server.client() as client:
        for number in range(2):
            client.invoke_async("demo.quiet", delay=600, cid=f"thought-{number}")
        thought = partial(client.invoke, "zato.invocation.cancel", {"cid": "thought-0"})
        status, err = _answered(path, "cancel", "demo.quiet", b"y\n", meanwhile=thought)
    assert (status, b"2 calls: " in err) == (0, True)
    assert b"1 cancelled" in err
    assert b"1 no longer in this status" in err


def test_call_that_is_gone(server: ServerProcess) -> None:
    """One whose record is no longer kept is counted as such."""
    with server.client() as client:
        assert _came(client.invoke("zato.invocation.cancel", {"id": "none"}), "cancelled") == "gone"


def _answered(
    path: str, what: str, service: str, answer: bytes, meanwhile: Callable[[], object] = lambda: None
) -> tuple[int, bytes]:
    """Do something to all calls of a service, answer the question (no bytes: by Ctrl-C), return status and stderr."""
    ours, theirs = os.openpty()
    code = "import signal; signal.signal(2, signal.default_int_handler); from zato.cli.main import main; main()"
    command = [sys.executable, "-c", code, "invocation", what, path, "--all", "--service", service]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        err = b""
        try:
            while b"[y/N]" not in err and (more := os.read(process.stderr.fileno(), 1000)):
                err += more
            meanwhile()
            if not answer:
                process.send_signal(signal.SIGINT)
            # A signal that comes just before a line is waited for is heeded when there is one.
            os.write(ours, answer or b"\n")
            err += process.communicate(timeout=15)[1]
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
    return process.returncode, err


def test_error_in_the_middle() -> None:
    """If something goes wrong, the last line before the error says how far it came."""
    code = (
        "from zato.cli import bulk\n"
        "def act(call):\n"
        "    if call == 1: raise bulk.click.ClickException('gone')\n"
        "    return 'replayed'\n"
        "bulk.AT_ONCE = 1\n"
        "bulk.do_to_all([3, 2, 1, 0], act, 'Replaying')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert "4 calls: 1 replayed, 3 not done or unknown.\n" in done.stderr


def test_ctrl_c_in_the_middle() -> None:
    """It ends between two calls, begins no other, and says how far it came."""
    code = (
        "import signal, time; from zato.cli import bulk\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def act(call):\n"
        "    print('begun', flush=True); time.sleep(0.05)\n"
        "    return 'cancelled'\n"
        "bulk.do_to_all(list(range(1000)), act, 'Cancelling')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert out.count(b"begun") < 500
    assert b"not done or unknown.\n" in err


def test_all_leaves_out_what_was_replayed_by_hand(zato: Zato, server: ServerProcess, path: str) -> None:
    """A call that was replayed, even with another payload, is not replayed again by --all."""
    plain, mended = failed(server, "hand", 2)
    zato("invocation", "replay", path, plain)
    zato("invocation", "replay", path, mended, "--payload", '"other"')
    all_of_these = ("invocation", "replay", path, "--all", "--yes", "--json", "--cid")
    counts = [json.loads(zato(*all_of_these, cid).out)["counts"] for cid in (plain, mended)]
    assert counts == [{"replayed before": 1}, {"replayed before": 1}]
