"""What a running server says of itself, and how it is read."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from zato.running import RunningServer, RunningWorker, reachable

SERVER = RunningServer(
    pid=17,
    name="crm",
    host="0.0.0.0",
    port=17010,
    stops_within=20.5,
    started=99,
    workers=(RunningWorker(1, 18), RunningWorker(2, None, 3)),
)
WITHOUT = {name: value for name, value in asdict(SERVER).items() if name != "workers"}


def test_server_survives_its_file() -> None:
    """What is said is one line, and what is read is what was said."""
    text = SERVER.to_json()
    assert "\n" not in text
    assert RunningServer.from_json(text) == SERVER


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param('{"pid": 1', id="half"),
        pytest.param("[]", id="a-list"),
        pytest.param("null", id="null"),
        pytest.param(json.dumps(WITHOUT), id="no-workers"),
        pytest.param(json.dumps({**asdict(SERVER), "pid": "x"}), id="no-number"),
        pytest.param(json.dumps({**asdict(SERVER), "workers": [{"number": 1}]}), id="half-a-worker"),
        pytest.param(json.dumps({**asdict(SERVER), "workers": [{"id": 1}]}), id="other-worker"),
    ],
)
def test_what_no_server_says(text: str) -> None:
    """The file of another version, or half a file, is told from a server's."""
    with pytest.raises(ValueError, match=r"does not say where a server is|line 1 column|invalid literal"):
        RunningServer.from_json(text)


def test_process_says_when_it_started() -> None:
    """So that another one with its number is not taken for it."""
    here = RunningServer.here("crm", "127.0.0.1", 1, stops_within=0)
    assert here.pid == os.getpid()
    assert (here.has_ended, replace(here, started=1).has_ended) == (False, True)


def test_process_that_is_not_there() -> None:
    """It has ended; where the system does not tell, nobody can say so."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    gone = replace(SERVER, pid=process.pid)
    assert (gone.has_ended, replace(gone, started=None).has_ended) == (True, False)


@pytest.mark.parametrize(
    ("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.1", "192.0.2.1"), ("crm", "crm")]
)
def test_every_address_is_reached_at_this_machines_own(host: str, reached: str) -> None:
    """Other addresses are reached as they are."""
    assert reachable(host) == reached
    assert replace(SERVER, host=host).reachable_host == reached
