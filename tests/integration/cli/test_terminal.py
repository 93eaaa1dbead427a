"""What differs between a terminal and a pipe."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import ZATO, ServerProcess, make_environment, run_zato
from tests.support.terminals import on_a_terminal

# What these commands do is measured where they run in the tests' own process.
pytestmark = pytest.mark.usefixtures("unmeasured")

CONTROL = """
from zato.server.service import Service

TITLE = "\\x1b]0;pwned\\x07\\x9b31m\\u202e"

class Raise(Service):
    def handle(self):
        raise ValueError(TITLE)

class Tell(Service):
    def handle(self):
        return {TITLE: TITLE} if self.request.payload else TITLE
"""
RAW = ("\x1b", "\x07", "\x9b", "\u202e")
# Each leaves a stream closed, or without room.
STREAMS = [
    pytest.param("info {} >&-", 0, "", id="info"),
    pytest.param("status {} --json >&-", 0, "", id="status"),
    pytest.param("service list {} >&- 2>&-", 0, "", id="list"),
    pytest.param("service list nowhere 2>&-", 2, "", id="error"),
    pytest.param("service invoke {} zato.helpers.echo --payload - >&- <&-", 0, "", id="payload"),
    pytest.param("invocation replay {} --all --status done <&-", 2, "give --yes", id="question"),
    pytest.param("password {} pubapi --password-stdin <&-", 2, "Error: A password is", id="password"),
]
FULL = [
    pytest.param("info {} >/dev/full", id="info"),
    pytest.param("--help >/dev/full", id="help"),
    pytest.param("service list {} --json >/dev/full", id="json"),
]

PAYLOAD = '{"a": [1, "ż"]}'


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The folder of a server that runs."""
    environment = make_environment(tmp_path_factory.mktemp("terminal") / "env", {"control.py": CONTROL})
    with ServerProcess(environment) as server, server.client() as client:
        client.result(client.invoke_async("zato.ping").data, wait=20)
        yield str(environment.path)


def test_person_gets_indented_json(path: str) -> None:
    """On a terminal an object is laid out for reading."""
    shown = on_a_terminal([ZATO, "service", "invoke", path, "zato.helpers.echo", "--payload", PAYLOAD])
    assert shown == '{\n  "a": [\n    1,\n    "ż"\n  ]\n}\n'


def test_program_gets_one_line(path: str) -> None:
    """In a pipe the same object is one line."""
    assert run_zato("service", "invoke", path, "zato.helpers.echo", "--payload", PAYLOAD).stdout == PAYLOAD + "\n"


def test_record_is_laid_out_for_reading(path: str) -> None:
    """A value of a record stays on the line of its label, which is bold."""
    cid = run_zato("service", "invoke", path, "zato.helpers.echo", "--async", "--payload", PAYLOAD).stdout.strip()
    shown = on_a_terminal([ZATO, "invocation", "show", path, cid, "--wait", "20"])
    assert [line for line in shown.splitlines() if PAYLOAD in line] == [
        f"\x1b[1mpayload   \x1b[0m  {PAYLOAD}",
        f"\x1b[1mresponse  \x1b[0m  {PAYLOAD}",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_output_does_not_depend_on_the_encoding_of_the_shell(path: str, encoding: str) -> None:
    """Text leaves as UTF-8, as it came."""
    call = [ZATO, "service", "invoke", path, "zato.helpers.echo", "--payload", "żółw"]
    done = subprocess.run(
        call, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "żółw\n".encode())


def test_reader_that_leaves_is_no_traceback(path: str) -> None:
    """A pipe that is closed early ends the command quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [ZATO, "service", "list", path], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
        )
    finally:
        os.close(writing)
    assert done.stderr == b""


@pytest.mark.skipif(sys.platform == "darwin", reason="its files have names in UTF-8 only")
def test_folder_with_an_undecodable_name(tmp_path: Path) -> None:
    """A path is bytes, and is printed as it is."""
    path = os.fsencode(tmp_path) + b"/\xff"
    done = subprocess.run([os.fsencode(ZATO), b"create", path], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, b"Environment made: " + path)


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["text", "json"])
def test_errors_of_services_do_not_rule_the_terminal(path: str, arguments: list[str]) -> None:
    """What a service raises is shown with its control characters spelt out."""
    call = [ZATO, "service", "invoke", path, "control.raise", *arguments]
    shown = on_a_terminal(["sh", "-c", '"$@" 2>&1', "sh", *call], status=1)
    assert "ValueError: \\x1b]0;pwned\\x07\\x9b31m\\u202e" in shown
    assert [character for character in RAW if character in shown] == []


@pytest.mark.parametrize("arguments", [["--payload", "1"], ["--payload", "1", "--json"], ["--json"]], ids=str)
def test_objects_of_services_do_not_rule_the_terminal(path: str, arguments: list[str]) -> None:
    """JSON has a spelling for every character."""
    shown = on_a_terminal([ZATO, "service", "invoke", path, "control.tell", *arguments])
    assert "\\u001b]0;pwned\\u0007\\u009b31m\\u202e" in shown
    assert [character for character in RAW if character in shown] == []


def test_text_of_services_is_printed_as_it_is(path: str) -> None:
    """Programs get what the service has returned."""
    done = run_zato("service", "invoke", path, "control.tell")
    assert done.stdout == "\x1b]0;pwned\x07\x9b31m\u202e\n"


def test_what_is_typed_wrong_does_not_rule_the_terminal(path: str) -> None:
    """The shell may have put anything into an argument."""
    done = run_zato("service", "list", f"{path}\x1b[31m")
    assert (done.returncode, "\\x1b[31m" in done.stderr, "\x1b" in done.stderr) == (2, True, False)


def by_a_shell(line: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run a command with redirections; `{}` is the folder."""
    return subprocess.run(
        ["sh", "-c", f'"$0" {line.replace("{}", chr(34) + "$1" + chr(34))}', ZATO, path],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(("line", "status", "words"), STREAMS)
def test_stream_that_is_closed(path: str, line: str, status: int, words: str) -> None:
    """It is an empty one: nothing comes, and what is printed there is lost."""
    done = by_a_shell(line, path)
    assert (done.returncode, done.stdout, words in done.stderr) == (status, "", True)
    assert ("Traceback" in done.stderr, bool(done.stderr)) == (False, bool(words))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("line", FULL)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_output_without_room(monkeypatch: pytest.MonkeyPatch, path: str, line: str, unbuffered: str) -> None:
    """One line says what is wrong."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = by_a_shell(line, path)
    assert (done.returncode, done.stderr) == (1, "Error: The output cannot be written: No space left on device.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("options", ["", "--json"])
def test_accepted_call_is_named_without_room(path: str, options: str) -> None:
    """The call is in the store, so its CID must reach somebody."""
    done = by_a_shell(f"service invoke {{}} zato.ping --async --cid only-here{options} {options} >/dev/full", path)
    assert done.returncode == 1
    assert done.stderr.endswith(f"The call was accepted; its CID is only-here{options}.\n")
    assert run_zato("invocation", "wait", path, f"only-here{options}").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_error_without_room(monkeypatch: pytest.MonkeyPatch, path: str, unbuffered: str) -> None:
    """The exit status is that of the error, though nobody reads about it."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    statuses = [by_a_shell(f"{line} >/dev/full 2>&1", path).returncode for line in ("creat", "service show {} none")]
    assert statuses == [2, 4]


def test_error_that_is_not_of_printing() -> None:
    """What goes wrong elsewhere is not taken for a full disk."""
    program = "import sys, zato.cli.main as m\nsys.argv = ['zato']\ndef fail(**_): raise OSError(28, 'No room')\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}m.root = fail\nm.main()"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "output cannot be written" in done.stderr, "No room" in done.stderr) == (1, False, True)
