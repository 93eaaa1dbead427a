"""Telling the service manager that the server answers."""

import logging
import socket
from pathlib import Path

import pytest

from zato.cli.notify import SOCKET_VARIABLE, say_ready


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_manager_is_told(kind: str, tmp_path: Path) -> None:
    """The message arrives at a socket that is a file, and at one of those that systemd writes with an @."""
    address = str(tmp_path / "notify") if kind == "file" else f"@{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(5)
        say_ready({SOCKET_VARIABLE: address})

        assert manager.recv(100) == b"READY=1"


def test_without_a_manager_nothing_is_said() -> None:
    """A server that a person starts has nobody to tell."""
    say_ready({})


def test_manager_that_is_gone_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server goes on, and the log says who could not be told."""
    with caplog.at_level(logging.WARNING, logger="zato.server"):
        say_ready({SOCKET_VARIABLE: str(tmp_path / "nobody")})

    assert str(tmp_path / "nobody") in caplog.text
