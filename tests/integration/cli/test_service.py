"""`zato service`, with a server that runs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment, run_zato
from tests.support.subprocesses import unmeasured_environment

DEMO = r"""
import datetime, decimal
from zato.server.service import AsyncService, BadRequest, Service

ANSWERS = {
    "text": "a  b\n\x1b[31mżółw", "object": {"a": [1, "ż", None]}, "list": [], "zero": 0, "no": False,
    "none": None, "empty": "", "day": datetime.date(2026, 2, 1), "decimal": decimal.Decimal("1.5"), "number": "017",
}

class Answer(Service):
    def handle(self):
        return ANSWERS[self.request.payload]

class Echo(AsyncService):
    async def handle(self):
        return {"payload": self.request.payload}

class Seen(Service):
    def handle(self):
        sent = self.request.http.headers
        return [self.channel, self.data_format, self.transport, sent.get("x-a"), sent.get("x-b")]

class Refuse(Service):
    def handle(self):
        raise BadRequest("No such customer.")

class Fail(Service):
    def handle(self):
        return 1 / 0
"""
ANSWERS = [
    pytest.param("text", "a  b\n\x1b[31mżółw", id="text-as-it-is"),
    pytest.param("object", '{"a": [1, "ż", null]}', id="object-on-one-line"),
    pytest.param("list", "[]", id="list"),
    pytest.param("zero", "0", id="zero"),
    pytest.param("no", "false", id="false"),
    pytest.param("none", "(None)", id="nothing"),
    pytest.param("empty", "(None)", id="empty-text"),
    pytest.param("day", "2026-02-01", id="date"),
    pytest.param("decimal", "1.5", id="decimal"),
    pytest.param("number", "017", id="text-that-is-no-json-number"),
]
PAYLOADS = [
    pytest.param("", "", id="none"),
    pytest.param("text", "text", id="text"),
    pytest.param('{"a": 1}', {"a": 1}, id="object"),
    pytest.param("[1, [2]]", [1, [2]], id="list"),
    pytest.param("17", 17, id="number"),
    pytest.param('"x"', "x", id="json-text"),
    pytest.param("  ", "  ", id="blanks"),
    pytest.param("{broken", "{broken", id="not-json"),
    pytest.param("-x", "-x", id="dash-and-more"),
    pytest.param("żółw 😀", "żółw 😀", id="not-ascii"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with services that answer in every way."""
    environment = make_environment(tmp_path_factory.mktemp("service") / "env", {"demo.py": DEMO})
    with ServerProcess(environment) as server:
        yield server


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of the server's environment."""
    return str(server.environment.path)


@pytest.mark.parametrize(("answer", "printed"), ANSWERS)
def test_response_is_printed(zato: Zato, path: str, answer: str, printed: str) -> None:
    """Stdout has the response and a line feed, and nothing else."""
    done = zato("service", "invoke", path, "demo.answer", "--payload", answer)
    assert (done.code, done.out, done.err) == (0, f"{printed}\n", "")


@pytest.mark.parametrize(("payload", "received"), PAYLOADS)
def test_payload_reaches_the_service(zato: Zato, path: str, payload: str, received: object) -> None:
    """JSON arrives parsed, and what is no JSON as text."""
    done = zato("service", "invoke", path, "demo.echo", "--payload", payload)
    assert json.loads(done.out) == {"payload": received}


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_payload_from_a_file(zato: Zato, path: str, tmp_path: Path, head: bytes) -> None:
    """`@FILE` stands for what is in the file, wherever it was written."""
    (tmp_path / "input.json").write_bytes(head + '{"name": "ż"}'.encode())
    done = zato("service", "invoke", path, "demo.echo", "--payload", f"@{tmp_path / 'input.json'}")
    assert json.loads(done.out) == {"payload": {"name": "ż"}}


def test_payload_from_a_file_that_is_not_utf_8(zato: Zato, path: str, tmp_path: Path) -> None:
    """The file is named, with the place of the trouble."""
    file = tmp_path / "latin"
    file.write_bytes("zażółć".encode("iso-8859-2"))
    done = zato("service", "invoke", path, "demo.echo", "--payload", f"@{file}")
    assert (done.code, done.out) == (2, "")
    assert f"{file} is not UTF-8: invalid start byte at byte 2." in done.err


def test_payload_from_stdin(path: str) -> None:
    """A dash stands for what comes through the pipe."""
    done = run_zato("service", "invoke", path, "demo.echo", "--payload", "-", input='{"a": "ż"}\n')
    assert (done.returncode, done.stdout) == (0, '{"payload": {"a": "ż"}}\n')


def test_payload_from_stdin_that_is_not_utf_8(path: str) -> None:
    """Binary input is refused before anything is sent."""
    call = [ZATO, "service", "invoke", path, "demo.echo", "--payload", "-"]
    done = subprocess.run(call, input=b"\xff", capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, b"stdin is not UTF-8" in done.stderr) == (2, b"", True)


def test_what_the_service_sees_of_the_call(zato: Zato, path: str) -> None:
    """Channel, data format, transport and headers are handed on."""
    options = ("--channel", "rest", "--data-format", "xml", "--transport", "plain")
    done = zato("service", "invoke", path, "demo.seen", *options, "--headers", "X-A=1; x-b = k=v ;")
    assert json.loads(done.out) == ["rest", "xml", "plain", "1", "k=v"]


def test_what_the_service_sees_by_default(zato: Zato, path: str) -> None:
    """Nothing given is what the old command sent."""
    done = zato("service", "invoke", path, "demo.seen")
    assert json.loads(done.out) == ["invoke", "json", None, None, None]


@pytest.mark.parametrize(
    ("service", "code", "words"),
    [
        pytest.param("demo.refuse", 1, "No such customer.", id="refusal"),
        pytest.param("demo.fail", 1, "ZeroDivisionError: division by zero", id="exception"),
        pytest.param(
            "demo.ecko", 4, "No service named 'demo.ecko' is deployed. Did you mean 'demo.echo'?", id="misspelt"
        ),
        pytest.param("", 1, "Either name or id must be provided", id="no-name"),
        pytest.param("\udcff", 1, "The request cannot be written as JSON", id="name-not-utf-8"),
    ],
)
def test_failure_goes_to_stderr(zato: Zato, path: str, service: str, code: int, words: str) -> None:
    """A call that did not succeed leaves stdout empty, and scripts see its status."""
    done = zato("service", "invoke", path, service)
    assert (done.code, done.out, done.err.startswith(f"Error: {words}")) == (code, "", True)


@pytest.mark.parametrize("option", ["--async", "--is-async"])
def test_background_call_prints_its_bare_cid(zato: Zato, path: str, option: str) -> None:
    """The CID that is printed finds the call's record, with what it was given."""
    done = zato("service", "invoke", path, "demo.echo", option, "--payload", "[1]", "--expiration", "60")
    cid = done.out.strip()
    record = json.loads(zato("invocation", "show", path, cid, "--wait", "20", "--json").out)

    assert (done.code, done.err, done.out) == (0, "", f"{cid}\n")
    assert (record["cid"], record["status"], record["payload"]) == (cid, "done", [1])
    assert record["expires"] is not None


def test_background_call_of_what_is_not_deployed(zato: Zato, path: str) -> None:
    """A call that cannot be accepted has no CID."""
    done = zato("service", "invoke", path, "demo.ecko", "--async")
    assert (done.code, done.out, "Did you mean 'demo.echo'?" in done.err) == (4, "", True)


def test_verbose_shows_the_reply(zato: Zato, path: str) -> None:
    """The HTTP reply and the response object come first, cut to the lengths asked for."""
    cuts = ("--max-response-repr", "12", "--max-cid-repr", "2")
    lines = zato("service", "invoke", path, "zato.ping", "--verbose", *cuts).out.splitlines()

    assert lines[0] == 'inner.text:[{"response":]'
    assert lines[1].startswith("response:[<ServiceInvokeResponse at 0x")
    assert "cid:[" in lines[1]
    assert len(lines[1].partition("cid:[")[2].partition("]")[0]) == len("ab..yz")
    assert lines[2:] == ['{"pong": "zato"}']


def test_verbose_shows_the_reply_of_a_failure_too(zato: Zato, path: str) -> None:
    """What the server said can be seen in full, and the error is still on stderr."""
    done = zato("service", "invoke", path, "demo.refuse", "--verbose")
    assert (done.code, done.err) == (1, "Error: No such customer.\n")
    assert done.out.startswith('inner.text:[{"zato_env":{"result":"ZATO_ERROR"')


@pytest.mark.parametrize(
    ("call", "code", "expected"),
    [
        pytest.param("zato.ping", 0, {"ok": True, "data": {"pong": "zato"}, "details": ""}, id="object"),
        pytest.param("demo.answer --payload none", 0, {"ok": True, "data": None, "details": ""}, id="nothing"),
        pytest.param("demo.answer --payload day", 0, {"ok": True, "data": "2026-02-01", "details": ""}, id="text"),
        pytest.param("demo.refuse", 1, {"ok": False, "data": None, "details": "No such customer."}, id="failure"),
    ],
)
def test_json_holds_everything(zato: Zato, path: str, call: str, code: int, expected: dict[str, object]) -> None:
    """With `--json` programs get one object on one line, whether the call succeeded or not."""
    done = zato("service", "invoke", path, *call.split(), "--json")
    told = json.loads(done.out)
    assert (done.code, done.out.count("\n"), len(told.pop("cid"))) == (code, 1, 24)
    assert told == expected


@pytest.mark.parametrize(
    ("url_path", "code", "words"),
    [
        pytest.param("/zato/admin/invoke", 0, "", id="the-door"),
        pytest.param("/nowhere", 4, "There is nothing at '/nowhere'", id="no-such-path"),
    ],
)
def test_other_address(zato: Zato, path: str, url_path: str, code: int, words: str) -> None:
    """What the server says of an address is passed on."""
    done = zato("service", "invoke", path, "zato.ping", "--url-path", url_path)
    assert (done.code, words in done.err) == (code, True)


def test_list_is_a_table(zato: Zato, path: str, server: ServerProcess) -> None:
    """Below the headings each line has name, kind and origin, sorted by name, in columns."""
    done = zato("service", "list", path)
    head, *rows = [line.split(maxsplit=2) for line in done.out.splitlines()]
    file = str(server.environment.services / "demo.py")

    assert (done.code, done.err, head, rows) == (0, "", ["service", "kind", "file"], sorted(rows))
    assert ["demo.answer", "sync", file] in rows
    assert ["demo.echo", "async", file] in rows
    assert ["zato.ping", "async", "built-in"] in rows
    lines = done.out.splitlines()[1:]
    assert len({line.index(row[1], len(row[0])) for line, row in zip(lines, rows, strict=True)}) == 1


def test_list_as_json(zato: Zato, path: str, server: ServerProcess) -> None:
    """Programs get every service as an object, on one line."""
    done = zato("service", "list", path, "--json")
    by_name = {item["name"]: item for item in json.loads(done.out)}
    assert done.out.count("\n") == 1
    assert {**by_name["demo.echo"], "calls": 0} == {
        "name": "demo.echo",
        "impl_name": "demo.Echo",
        "is_internal": False,
        "is_async": True,
        "file": str(server.environment.services / "demo.py"),
        "calls": 0,
        "errors": 0,
        "servers": ["server1"],
    }


def test_wrong_password_is_the_servers_to_tell(zato: Zato, path: str, server: ServerProcess) -> None:
    """Passwords that changed under a running server are refused by it, not by the command."""
    secrets = server.environment.path / "secrets.toml"
    kept = secrets.read_text()
    secrets.write_text('admin_invoke = "something else"\npubapi = "something else"\n')
    try:
        done = zato("service", "list", path)
    finally:
        secrets.write_text(kept)
    assert (done.code, done.out, "something else" in done.err) == (5, "", False)
    assert "HTTP Basic" in done.err or "password" in done.err


def test_answer_comes_at_once(path: str) -> None:
    """Starting the command, asking and printing take no time that a person would notice."""
    done = run_zato("service", "invoke", path, "zato.ping", env=unmeasured_environment(), timeout=5)
    assert (done.returncode, done.stdout) == (0, '{"pong": "zato"}\n')
