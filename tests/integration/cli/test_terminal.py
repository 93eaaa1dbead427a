"""What differs between a terminal and a pipe."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import ZATO, ServerProcess, make_environment, run_zato
from tests.support.terminals import on_a_terminal

PAYLOAD = '{"a": [1, "ż"]}'


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The folder of a server that runs."""
    environment = make_environment(tmp_path_factory.mktemp("terminal") / "env")
    with ServerProcess(environment):
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
