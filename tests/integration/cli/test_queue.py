"""`zato queue`, `zato service invoke --many`, and the options of calls, with a server that runs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ServerProcess, make_environment, run_zato
from zato.client import AnyServiceInvoker

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

LIMITED = """
from zato.server.service import Service

class Limited(Service):
    name = "limited"
    max_concurrency, priority, queue = 1500, "low", "bulk"

    def handle(self):
        pass
"""
HEADINGS = ["queue", "state", "waiting", "delayed", "running", "stranded", "oldest", "waits", "since", "(UTC)"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server."""
    with ServerProcess(make_environment(tmp_path_factory.mktemp("queue") / "env", {"limited.py": LIMITED})) as running:
        yield running


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of the server's environment."""
    return str(server.environment.path)


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client of that server."""
    with server.client() as client:
        yield client


def test_queue_is_paused_and_resumed(zato: Zato, path: str, client: AnyServiceInvoker) -> None:
    """What is held up is counted, and goes on afterwards."""
    paused = zato("queue", "pause", path, "bulk")
    cid = zato("service", "invoke", path, "zato.ping", "--async", "--queue", "bulk", "--priority", "high").out.strip()
    again = zato("queue", "pause", path, "bulk")
    listed = zato("queue", "list", path)
    resumed = zato("queue", "resume", path, "bulk")
    record = client.result(cid, wait=10).record
    shown = zato("invocation", "show", path, cid).out

    assert (paused.code, paused.out) == (0, "Paused bulk: no calls.\n")
    assert paused.err == "No call is in a queue of this name now; those that come will wait.\n"
    assert (again.out, again.err) == ("bulk is paused already.\n", "")
    headings, row = (line.split() for line in listed.out.splitlines())
    created = record["created"][5:19].replace("T", " ").split()
    assert (headings, row) == (HEADINGS, ["bulk", "paused", "1", "0", "0", "0", *created])
    assert resumed.out == "Resumed bulk.\n"
    assert (record["status"], record["queue"], record["priority"]) == ("done", "bulk", "high")
    assert {"queue       bulk", "priority    high"} <= set(shown.splitlines())


def test_misspelt_queue(zato: Zato, path: str) -> None:
    """To pause one that has no calls is legal, and the command says which one may have been meant."""
    zato("queue", "pause", path, "imports")
    paused, resumed = zato("queue", "pause", path, "import"), zato("queue", "resume", path, "improts")
    for name in ("import", "imports"):
        zato("queue", "resume", path, name)

    assert (paused.code, paused.out) == (0, "Paused import: no calls.\n")
    assert paused.err.endswith("those that come will wait. Did you mean 'imports'?\n")
    assert (resumed.code, resumed.out) == (0, "improts was not paused. Did you mean 'imports'?\n")


def test_queues_as_json(zato: Zato, path: str) -> None:
    """Programs read what the built-in services return."""
    counts = {"waiting": 0, "delayed": 0, "running": 0, "stranded": 0, "oldest": None}
    paused = json.loads(zato("queue", "pause", path, "night", "--json").out)
    listed = json.loads(zato("queue", "list", path, "--json").out)
    resumed = json.loads(zato("queue", "resume", path, "night", "--json").out)

    assert paused == {"name": "night", "paused": True, **counts, "changed": True}
    assert {"name": "night", "paused": True, **counts} in listed
    assert resumed == {"name": "night", "paused": False, **counts, "changed": True}


def test_name_that_no_queue_can_have(zato: Zato, path: str) -> None:
    """It is refused with what a name is made of."""
    done = zato("queue", "pause", path, "two words")
    assert (done.code, done.out) == (1, "")
    assert "queue='two words' is no legal name: give 1 to 100 letters" in done.err


def test_many_payloads_of_one_service(zato: Zato, path: str, tmp_path: Path, client: AnyServiceInvoker) -> None:
    """With NAME each line is a payload, and the options are those of all calls; CIDs come out one a line."""
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n"żółw"\r\n[2]', "utf-8")
    done = zato("service", "invoke", path, "zato.helpers.echo", "--many", tmp_path / "rows.jsonl", "--priority", "low")
    records = [client.result(cid, wait=10).record for cid in done.out.splitlines()]

    assert (done.code, done.err) == (0, "")
    assert [(record["response"], record["priority"]) for record in records] == [
        ({"id": 1}, "low"),
        ("żółw", "low"),
        ([2], "low"),
    ]


def test_many_calls_in_a_queue_that_is_called_like_a_channel(
    zato: Zato, path: str, tmp_path: Path, client: AnyServiceInvoker
) -> None:
    """The queue is the one that was given, and the channel the usual one."""
    (tmp_path / "rows.jsonl").write_text("1\n", "utf-8")
    done = zato("service", "invoke", path, "zato.ping", "--many", tmp_path / "rows.jsonl", "--queue", "invoke")
    record = client.result(done.out.strip(), wait=10).record

    assert (record["queue"], record["channel"]) == ("invoke", "invoke-async")


def test_many_calls_from_stdin(path: str, client: AnyServiceInvoker) -> None:
    """Without NAME each line names its service and has options of its own, which win."""
    lines = '{"name": "zato.ping"}\n{"name": "zato.helpers.echo", "payload": 7, "queue": "own"}\n'
    done = run_zato("service", "invoke", path, "--many", "-", "--queue", "given", "--json", input=lines)
    printed = json.loads(done.stdout)
    records = [client.result(cid, wait=10).record for cid in printed["data"]]

    assert (done.returncode, printed["ok"], printed["details"]) == (0, True, "")
    assert [(record["service"], record["queue"]) for record in records] == [
        ("zato.ping", "given"),
        ("zato.helpers.echo", "own"),
    ]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(("1\n{broken\n", ["zato.ping"], 2, "rows, line 2: This is not JSON"), id="no-json"),
        pytest.param(("1\n\n2\n", ["zato.ping"], 2, "rows, line 2: This is not JSON"), id="empty-line"),
        pytest.param(('{"name": "a"}\n[1]\n', [], 2, 'rows, line 2: it is no object with a "name".'), id="no-name"),
        pytest.param(('{"name": "a", "dely": 1}\n', [], 1, "Item 1: There is no option 'dely'."), id="option"),
        pytest.param(
            ('{"name": "zato.ping"}\n{"name": "zato.pnig"}\n', [], 1, "Item 2: No service named"), id="service"
        ),
        pytest.param(("1\n", ["zato.ping", "--payload", "2"], 2, "--payload is for one call;"), id="payload"),
        pytest.param(("1\n", ["zato.ping", "--idempotency-key", "k"], 2, "--idempotency-key is for one"), id="key"),
        pytest.param(("1\n", ["zato.ping", "--timeout", "2"], 2, "--timeout is of calls that wait"), id="timeout"),
    ],
)
def test_many_calls_that_make_no_sense(
    zato: Zato, path: str, tmp_path: Path, case: tuple[str, list[str], int, str]
) -> None:
    """Nothing is accepted, and the message has the number of the line."""
    text, name, code, message = case
    (tmp_path / "rows").write_text(text, "utf-8")
    done = zato("service", "invoke", path, *name, "--many", tmp_path / "rows")
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_no_calls(zato: Zato, path: str, tmp_path: Path) -> None:
    """An empty file is no mistake."""
    (tmp_path / "rows").write_bytes(b"")
    done = zato("service", "invoke", path, "zato.ping", "--many", tmp_path / "rows")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "Name the service, or give many calls with --many FILE.", id="nothing-to-invoke"),
        pytest.param(["zato.ping", "--queue", "a"], "--queue is of background calls; add --async.", id="queue"),
        pytest.param(["zato.ping", "--async", "--priority", "hihg"], "Did you mean 'high'?", id="priority"),
        pytest.param(["--many", "no-such-file"], "'no-such-file' cannot be read: No such file", id="no-file"),
    ],
)
def test_options_that_make_no_sense(zato: Zato, path: str, arguments: list[str], message: str) -> None:
    """They are refused before anything is sent."""
    done = zato("service", "invoke", path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_what_is_shown_of_a_class(zato: Zato, path: str) -> None:
    """What it says of its background calls, and nothing that it does not say."""
    shown = zato("service", "show", path, "limited").out
    for line in ("at once   1,500 in the cluster", "priority  low", "queue     bulk"):
        assert line in shown
    assert "at once" not in zato("service", "show", path, "zato.ping").out
