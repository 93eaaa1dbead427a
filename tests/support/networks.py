"""A network namespace of our own, joined to this machine by two cables, which can be pulled out. Needs root."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Cable", "Network", "can_make_networks"]

# Of private addresses that hardly anybody uses; each process takes eight of its own.
ADDRESS = "10.203.{}.{}"
OF_EACH = 8
PROCESSES = 256 * 256 // OF_EACH


@dataclass(frozen=True, slots=True)
class Cable:
    """One of them: the names of its two ends, and their addresses.

    Attributes:
        here: the address of this machine's end.
        there: the address of the end in the namespace.
        subnet: both of them.
    """

    outer: str
    inner: str
    here: str
    there: str
    subnet: str


class Network:
    """The namespace. Use it in a `with`; leaving removes it.

    Attributes:
        front: the cable for those who call a server in it.
        back: the cable for what the server needs.
        within: the words that run a command inside when they stand in front of it.
    """

    def __init__(self) -> None:
        """Choose its name and addresses."""
        self._name = f"zato-chaos-{os.getpid()}"
        self.front, self.back = _cable("f", 0), _cable("b", OF_EACH // 2)
        self.within = ("ip", "netns", "exec", self._name)

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        try:
            self._ip("link", "set", "lo", "up")
            for cable in (self.front, self.back):
                self._lay(cable)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def cut(self, *cables: Cable) -> None:
        """Let nothing through, in either direction.

        The outer ends go down: whoever is inside is told of no fault, and what it sends vanishes.
        """
        for cable in cables:
            _ip("link", "set", cable.outer, "down")

    def join(self) -> None:
        """Let everything through again."""
        for cable in (self.front, self.back):
            _ip("link", "set", cable.outer, "up")

    def _lay(self, cable: Cable) -> None:
        _ip("link", "add", cable.outer, "type", "veth", "peer", "name", cable.inner, "netns", self._name)
        _ip("address", "add", f"{cable.here}/30", "dev", cable.outer)
        _ip("link", "set", cable.outer, "up")
        # What is sent there while the cable is out must not leave by the next best way.
        _ip("route", "add", "blackhole", cable.subnet, "metric", "4000")
        self._ip("address", "add", f"{cable.there}/30", "dev", cable.inner)
        self._ip("link", "set", cable.inner, "up")
        # As behind a router, which answers for whoever is gone: nobody is told that nobody is there.
        address = Path(f"/sys/class/net/{cable.outer}/address").read_text("ascii").strip()
        self._ip("neighbour", "replace", cable.here, "lladdr", address, "dev", cable.inner, "nud", "permanent")

    def _ip(self, *words: str) -> None:
        _ip("-n", self._name, *words)

    def _leave(self) -> None:
        """Remove it, and the cables with it."""
        for cable in (self.front, self.back):
            for words in (("link", "delete", cable.outer), ("route", "delete", "blackhole", cable.subnet)):
                subprocess.run(["ip", *words], check=False, capture_output=True, timeout=10)
        _ip("netns", "delete", self._name)


def can_make_networks() -> bool:
    """Tell whether this process may make one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        with Network():
            return True
    except subprocess.CalledProcessError:
        return False


def _cable(letter: str, offset: int) -> Cable:
    """Return a cable whose first address is so far behind the first one of this process."""
    number = os.getpid() % PROCESSES
    third, fourth = divmod(OF_EACH * number + offset, 256)
    subnet, here, there = (ADDRESS.format(third, fourth + host) for host in range(3))
    return Cable(f"zc{number}{letter}o", f"zc{number}{letter}i", here, there, f"{subnet}/30")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)
