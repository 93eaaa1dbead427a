"""Commands with a real terminal for their stdout."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

__all__ = ["on_a_terminal"]


def on_a_terminal(
    command: Sequence[str], *, columns: int = 80, env: Mapping[str, str] | None = None, status: int = 0
) -> str:
    """Run a command to its end on a terminal of a width, and return what it wrote there.

    Args:
        command: program and arguments.
        columns: the terminal's width.
        env: variables besides those of this process. TERM is `xterm` unless it says otherwise.
        status: the exit status to expect.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    variables |= {"TERM": "xterm", **(env or {})}
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, env=variables) as process:
            os.close(theirs)
            shown = b"".join(iter(lambda: _read(ours), b""))
        assert process.returncode == status, shown
    finally:
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
