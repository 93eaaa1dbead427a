"""Pages of the documentation, played: each `$ command` of a console block is run, and its output compared.

What differs from run to run is recognised by its form: CIDs, ids, times, process numbers. A CID or process
number that a page shows stands for the real one in the commands that follow. A server started by a command
is a process of its own until a command, or the end of the page, ends it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.environments import free_port
from tests.support.waiting import wait_until
from zato.core.errors import ZatoError
from zato.environment import Environment

__all__ = ["CLONE", "REDIS", "Step", "Transcript", "blocks_of", "clone", "steps_of"]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

# What the pages show instead of a machine's own folder, the default port, the port of a second server, and a Redis.
CLONE = "/opt/openzato"
PORT = "11223"
SECOND_PORT = "11224"
REDIS = "127.0.0.1:6379"
OWN_PORT = re.compile(r"^port = ", re.MULTILINE)

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING = re.compile(
    r"(?P<cid>\b[a-f][0-9a-f]{23}\b)|(?P<id>\b[0-9a-v]{26}\b)"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)|(?<=process )(?P<pid>\d+)"
    r"|(?P<second>\b\d\d-\d\d \d\d:\d\d:\d\d\b)|(?<=ms=)(?P<ms>\d+)"
    r"|(?<=passed in )(?P<took>\d+\.\d\ds)"
    r"|(?<= with )(?P<password>[A-Za-z2-9]{20}\b)"
)
FORMS = {
    "cid": r"[a-f][0-9a-f]{23}",
    "id": "[0-9a-v]{26}",
    "time": r"\d{4}-\d\d-\d\dT[\d:.]{12}Z",
    "second": r"\d\d-\d\d [\d:]{8}",
    "pid": r"\d+",
    "ms": r"\d+",
    "took": r"\d+\.\d\ds",
    "password": "[A-Za-z2-9]{20}",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a page, and the output that the page shows."""

    command: str
    shown: str


@dataclass
class Transcript:
    """A shell in a clone, and what the page's numbers stand for in this run.

    Attributes:
        redis: host and port of what the page has at its default port.
    """

    folder: Path
    redis: str = REDIS
    port: str = field(default_factory=lambda: str(free_port()))
    second_port: str = field(default_factory=lambda: str(free_port()))
    real: dict[str, str] = field(default_factory=dict)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for server in self.servers:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        for detached in map(Environment, self.folder.glob("*/")):
            with suppress(ZatoError, ProcessLookupError):
                os.kill(detached.running().pid, signal.SIGKILL)

    def play(self, step: Step, *, patience: float = 15.0) -> str:
        """Run a command and return its output; read the log again until it has what the page shows."""
        command = CHANGING.sub(lambda match: self.real.get(match[0], match[0]), self._local(step.command))
        command = re.sub(r"(?<=kill -9 )\d+", lambda match: self.real[match[0]], command)
        deadline = time.monotonic() + patience
        while True:
            output = self._start(command) if _stays(command) else self._run(command)
            if self.agrees(step.shown, output) or not command.startswith("zato logs") or time.monotonic() > deadline:
                return output

    def agrees(self, shown: str, output: str) -> bool:
        """Tell whether an output is what a page shows, and note what its numbers stand for."""
        local = self._local(shown.replace(CLONE, str(self.folder)).replace(PORT, self.port))
        found = list(CHANGING.finditer(local))
        pattern, end = "", 0
        for match in found:
            pattern += re.escape(local[end : match.start()]) + f"({FORMS[match.lastgroup or '']})"
            end = match.end()
        agreed = re.fullmatch(pattern + re.escape(local[end:]), output)
        if agreed is None:
            return False
        self.real.update({match[0]: real for match, real in zip(found, agreed.groups(), strict=True)})
        return True

    def _local(self, text: str) -> str:
        return text.replace(SECOND_PORT, self.second_port).replace(REDIS, self.redis)

    def _run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._variables(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            timeout=150,
        )
        return done.stdout

    def _start(self, command: str) -> str:
        """Start a server and return what it printed; its log is not on this terminal."""
        output = self.folder / f"output{len(self.servers)}.txt"
        with output.open("wb") as file:
            server = subprocess.Popen(
                command.split(),
                executable=str(BIN / "zato"),
                cwd=self.folder,
                env=self._variables(command),
                stdout=file,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.servers.append(server)
        wait_until(lambda: "or: zato stop" in output.read_text("utf-8"), 30, what=f"the last line of {command!r}")
        return output.read_text("utf-8")

    def _variables(self, command: str) -> dict[str, str]:
        variables = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        configs = [self.folder / word / "config.toml" for word in command.split() if not word.startswith("/")]
        has_own = any(OWN_PORT.search(config.read_text("utf-8")) for config in configs if config.is_file())
        return variables if has_own else {**variables, "ZATO_PORT": self.port}


def _stays(command: str) -> bool:
    """Tell whether a command is a server that stays in its terminal."""
    return command.startswith("zato start") and "--detach" not in command


@contextmanager
def clone(folder: Path, redis: str = REDIS) -> Iterator[Transcript]:
    """Make what a page expects around it: the files of the documentation, for the port of this run, and a Redis."""
    transcript = Transcript(folder, redis)
    examples = folder / "docs" / "examples"
    examples.mkdir(parents=True)
    for file in (ROOT / "docs" / "examples").rglob("*.py"):
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text("utf-8").replace(PORT, transcript.port), "utf-8")
    with transcript:
        yield transcript


def blocks_of(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == language]


def steps_of(page: Path) -> list[Step]:
    """Return the commands of a page's console blocks, in order."""
    steps = []
    for block in blocks_of(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            steps.append(Step(command, shown))
    return steps
