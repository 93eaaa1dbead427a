"""The web admin that a server starts: kept running, heard, and ended, whatever it does."""

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from zato.core.settings import Settings
from zato.server.companion import COMMAND, Companion, command_of

SETTINGS = Settings(web_admin_host="::1", web_admin_port=4000)
# Leaves a mark of each life, and says so.
LIVES = """
import sys, time
from pathlib import Path
lives = Path(sys.argv[1])
lives.open("a").write(".")
"""


def program(text: str, folder: Path) -> list[str]:
    """Return the command of a program, which is told a file to leave its marks in."""
    return [sys.executable, "-c", LIVES + text, str(folder / "lives")]


def lives(folder: Path) -> int:
    """Return how often the program was started."""
    file = folder / "lives"
    return len(file.read_text()) if file.exists() else 0


async def kept(command: list[str], is_enough: Callable[[], bool]) -> None:
    """Keep a companion until something is so, and have it stop."""
    stopping = asyncio.Event()
    keeping = asyncio.create_task(Companion(command, stopping).keep())
    await asyncio.to_thread(wait_until, is_enough)
    stopping.set()
    await asyncio.wait_for(keeping, 60)


def test_what_dies_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each death is logged with how long it is until the next life, and the pauses grow."""
    dies = program("sys.exit(3)", tmp_path)

    asyncio.run(kept(dies, lambda: lives(tmp_path) == 3))

    said = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert "The web admin ended with status 3 after " in said[0]
    assert said[0].endswith("It is started again; the server goes on")
    assert said[1].endswith("It is started again in 0.5 s; the server goes on")


def test_what_it_prints_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Lines of stdout are information, those of stderr warnings; bad UTF-8 and long lines do no harm."""
    caplog.set_level(logging.INFO, "zato.web_admin")
    long = "sys.stdout.write('x' * 200_000 + '\\nlast'); sys.stdout.flush(); time.sleep(600)"
    talks = program(
        f"print('hello'); sys.stderr.buffer.write(b'\\xffoops\\n\\n'); sys.stderr.flush(); {long}", tmp_path
    )

    def heard() -> bool:
        return sum(record.message.count("x") for record in caplog.records) >= 200_000 and "oops" in caplog.text

    asyncio.run(kept(talks, heard))

    said = {(record.levelno, record.message) for record in caplog.records}
    assert {(logging.INFO, "hello"), (logging.WARNING, "\ufffdoops"), (logging.INFO, "last")} <= said
    assert not {message for level, message in said if level == logging.ERROR}


def test_what_does_not_stop_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web admin that ignores SIGTERM holds no server's stop up, and its death is nobody's fault."""
    monkeypatch.setattr("zato.server.companion.STOPS_WITHIN", 0.1)
    caplog.set_level(logging.INFO, "zato.web_admin")
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"

    asyncio.run(kept(program(deaf, tmp_path), lambda: "deaf" in caplog.text))

    assert [record.message for record in caplog.records] == ["deaf"]


def test_what_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """A program that is gone ends no server: it may come back."""
    asyncio.run(kept(["/no/such/program"], lambda: caplog.text.count("could not be started") == 2))

    assert "No such file or directory" in caplog.text


def test_it_can_tell_that_its_supervisor_is_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its stdin is a pipe, open for as long as the server lives; it is no terminal, and never readable."""
    waits = "import select; sys.exit(bool(select.select([0], [], [], 0.2)[0]))"

    asyncio.run(kept(program(waits, tmp_path), lambda: lives(tmp_path) == 2))

    assert "ended with status 0" in caplog.text


@pytest.mark.parametrize(
    ("settings", "tls"),
    [
        pytest.param(SETTINGS, [], id="http"),
        pytest.param(
            replace(SETTINGS, tls_cert="/run/tls.pem", tls_key="/run/tls.pem"),
            ["--tls-cert", "/run/tls.pem", "--tls-key", "/run/tls.pem"],
            id="https",
        ),
    ],
)
def test_command(settings: Settings, tls: list[str]) -> None:
    """It is told where to listen, and has the server's certificate if there is one."""
    where = ["--companion", "--host", "::1", "--port", "4000"]

    assert command_of("/env", settings) == [*COMMAND, *where, *tls, "--", "/env"]
