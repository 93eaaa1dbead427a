"""What the services in `tests/integration/services/gates_api.py` wrote down, and the gates they wait at."""

from pathlib import Path

from tests.support.waiting import wait_until

__all__ = ["Journal"]


class Journal:
    """A folder with the file that services append lines to, and with the files that let them end.

    Attributes:
        payload: what to give such a service.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.payload = {"folder": str(folder)}

    def lines(self, beginning: str = "") -> list[str]:
        """Return the lines that begin with these words."""
        file = self._folder / "journal"
        text = file.read_text("utf-8") if file.exists() else ""
        return [line for line in text.splitlines() if line.startswith(beginning)]

    def wait(self, beginning: str, count: int = 1, *, timeout: float = 60) -> list[str]:
        """Return these lines once there are that many."""
        wait_until(
            lambda: len(self.lines(beginning)) >= count,
            timeout,
            what=f"{count} lines {beginning!r} in {self.lines()[-8:]}",
        )
        return self.lines(beginning)

    def open(self) -> None:
        """Let everybody end who waits, and who comes later."""
        (self._folder / "open").touch()

    def shut(self, step: str) -> None:
        """Keep a step of the chain from ending."""
        (self._folder / f"{step}-shut").touch()

    def unshut(self, step: str) -> None:
        """Let a step of the chain end."""
        (self._folder / f"{step}-shut").unlink()
