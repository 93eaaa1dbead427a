"""What supervisor and worker process tell each other."""

import json
import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from zato.core.invocation import Holder
from zato.core.settings import Settings
from zato.environment import Credentials
from zato.server.orders import Importing, Orders, Report, receive_orders, said_in, say

ORDERS = Orders(
    path="/srv/żółw and\nmore",
    settings=Settings(name="crm", workers=3, grace=1.5),
    credentials=Credentials("päss\nword-1", 'quote"and\\'),
    worker=2,
    run="0a1b2c3d",
    parent=4711,
    lock=9,
    to_stream=False,
    ended_by={"/srv/a.py": "It ended."},
)
REPORT = Report(services=3, errors=("a.py:1: b\nc", "ż"), fault="No\ndisk.")


def test_orders_survive_the_line() -> None:
    """Whatever is in them, they are one line, and what is read is what was said."""
    line = ORDERS.to_line()
    assert line.count(b"\n") == 1
    assert Orders.from_line(line) == ORDERS


def test_report_survives_the_line() -> None:
    """The same for what comes back."""
    line = REPORT.to_line()
    assert line.count(b"\n") == 1
    assert said_in(line) == REPORT


def test_what_is_imported_survives_the_line() -> None:
    """Also a file whose name is no text in any encoding."""
    line = Importing("/srv/\udcff\n.py").to_line()
    assert line.count(b"\n") == 1
    assert said_in(line) == Importing("/srv/\udcff\n.py")


def test_orders_may_come_in_pieces() -> None:
    """They are complete when their line is."""
    ours, theirs = socket.socketpair()
    line = ORDERS.to_line()

    def tell() -> None:
        for start in range(0, len(line), 100):
            ours.sendall(line[start : start + 100])

    with ours, theirs:
        speaker = threading.Thread(target=tell)
        speaker.start()
        received = receive_orders(theirs)
        speaker.join()
    assert received == ORDERS


@pytest.mark.parametrize("heard", [b"", b'{"path": '], ids=["nothing", "half"])
def test_process_without_a_supervisor_has_nothing_to_do(heard: bytes) -> None:
    """If the other end closes before the orders are complete, it ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(heard)
        ours.close()
        with pytest.raises(SystemExit) as caught:
            receive_orders(theirs)
    assert caught.value.code == 1


def test_report_to_nobody_is_no_error() -> None:
    """A worker that starts while its supervisor is killed does not die of it with a traceback."""
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs:
        say(theirs, REPORT)


def test_holder_is_the_process_in_this_run() -> None:
    """Leases tell server, start and process apart."""
    assert ORDERS.holder == Holder("crm", "0a1b2c3d", 2)


@pytest.mark.parametrize("to_stream", [True, False])
def test_log_goes_to_the_stream_only_if_it_should(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], to_stream: bool
) -> None:
    """A detached server writes to its file alone."""
    values = json.loads(ORDERS.to_line()) | {"path": str(tmp_path), "to_stream": to_stream}
    with Orders.from_line(json.dumps(values).encode()).logging():
        logging.getLogger("users.own").error("hello")
    assert "hello" in (tmp_path / "logs" / "server.log").read_text()
    assert ("hello" in capsys.readouterr().err) is to_stream


def test_passwords_are_not_shown() -> None:
    """What prints its orders, a traceback with variables for instance, shows none."""
    assert not any(password in repr(ORDERS) for password in ("word-1", "quote"))


@pytest.mark.parametrize(
    ("password", "shown"),
    [pytest.param("br0ker", "it is *** here", id="long"), pytest.param("her", "it is her here", id="part-of-words")],
)
def test_password_of_the_broker_is_masked_in_logs(tmp_path: Path, password: str, shown: str) -> None:
    """Unless it is so short that words would be masked; in an address it is masked all the same."""
    (tmp_path / "logs").mkdir()
    credentials = replace(ORDERS.credentials, broker_password=password)
    with replace(ORDERS, path=str(tmp_path), credentials=credentials).logging():
        logging.getLogger("zato.server").warning("it is %s here", password)
        logging.getLogger("zato.server").warning("redis://:%s@h", password)
    lines = [json.loads(line)["event"] for line in (tmp_path / "logs" / "server.log").read_text().splitlines()]
    assert lines == [shown, "redis://:***@h"]


def test_keys_are_masked_in_logs(tmp_path: Path) -> None:
    """Each of several, wherever it stands."""
    (tmp_path / "logs").mkdir()
    credentials = replace(ORDERS.credentials, encryption_key="first-key second-key")
    with replace(ORDERS, path=str(tmp_path), credentials=credentials).logging():
        logging.getLogger("zato.server").warning("of second-key and first-key")
    assert json.loads((tmp_path / "logs" / "server.log").read_text())["event"] == "of *** and ***"


def test_password_of_the_broker_is_not_in_what_is_shown() -> None:
    """Not even in a traceback with values."""
    assert "br0ker" not in repr(replace(ORDERS, credentials=replace(ORDERS.credentials, broker_password="br0ker")))
