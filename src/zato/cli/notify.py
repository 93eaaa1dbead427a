"""Telling the service manager that started this process that its server answers, as sd_notify(3) does."""

import logging
import socket
from collections.abc import Mapping

__all__ = ["SOCKET_VARIABLE", "say_ready"]

SOCKET_VARIABLE = "NOTIFY_SOCKET"
READY = b"READY=1"

logger = logging.getLogger("zato.server")


def say_ready(variables: Mapping[str, str]) -> None:
    """Say that the server answers requests. Without a manager that asked to be told, do nothing.

    Args:
        variables: those of the environment; systemd names the socket in one of them, for `Type=notify`.
    """
    address = variables.get(SOCKET_VARIABLE, "")
    if not address:
        return
    # A name that begins with @ is no file: the kernel writes a zero byte in its place.
    name = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(READY, name)
    except OSError as error:
        logger.warning("The service manager at %s cannot be told that the server answers: %s", address, error.strerror)
