"""Telling the servers that share a store of this process, and learning from the store what it is to do.

Every second, because whoever was not heard of for as long as its leases last counts as gone. What it learns
is whether its server is to take no new work, and whether another environment has the same server name.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from zato.broker.base import Operation
from zato.broker.batcher import Batcher
from zato.broker.cluster import Attend, Leave, Members, Seen
from zato.broker.cluster import Attendance as Answer
from zato.core.errors import EnvironmentFault, ZatoError
from zato.core.member import Member

__all__ = ["Attendance", "identity_of"]

# Seconds between two words of a process, unless a third of a lease is less.
WORD_EVERY = 1.0
WORDS_A_LIFE = 3
# Seconds by which two clocks may differ in what they call the same moment.
ROUNDED_BY = 0.05
# Seconds that a store which is away may hold up a stop.
FAREWELL = 2.0
# Of an environment's identity.
DIGITS = 16

logger = logging.getLogger("zato.server")


class Attendance:
    """The presence of one process among all that share its store. Used on the event loop only.

    Attributes:
        on_drain: called when the server is to take no new work, with True, or is to take it again.
        draining: what was said last.
    """

    def __init__(self, batcher: Batcher, member: Callable[[], Member], *, alive_for: float, cluster: str) -> None:
        """Take what stores, what tells of the process now, its lease in seconds, and the cluster's name."""
        self.on_drain: Callable[[bool], None] = lambda _: None
        self.draining = False
        self._batcher = batcher
        self._member = member
        self._alive_for = alive_for
        self._every = min(WORD_EVERY, alive_for / WORDS_A_LIFE)
        self._cluster = cluster
        self._present = False
        self._warned = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def begin(self) -> None:
        """Take the server's name, and tell of the process from now on.

        A rival that was killed seems to live for a while. It is waited for: one that does live says so again.

        Raises:
            EnvironmentFault: another environment has the name.
            BrokerUnavailable: the store is away.
        """
        self._present = True
        began, waits = self._loop.time(), False
        while (answer := await self._ask()).rival is not None:
            asked = self._loop.time()
            rival = await self._last_word_of(answer.rival)
            if rival is not None and rival.ago < asked - began - ROUNDED_BY:
                raise EnvironmentFault(_refusal(rival, self._cluster))
            if not waits:
                self._say_that_it_waits(answer.rival)
            waits = True
            await asyncio.sleep(self._every / 4)
        self._again(at_once=self._learn(answer))

    async def confirm(self) -> None:
        """Make sure, after a start that may have taken long, that the name is still this server's.

        Raises:
            EnvironmentFault: another environment has taken it.
            BrokerUnavailable: the store is away.
        """
        answer = await self._ask()
        if answer.rival is not None:
            rival = await self._last_word_of(answer.rival)
            raise EnvironmentFault(_refusal(rival or Seen(answer.rival, 0.0, True, False), self._cluster))

    async def end(self) -> None:
        """Say that the process has come to its end, if the store can hear it. Nothing is told of it any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._present:
            self._present = False
            with contextlib.suppress(ZatoError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._batcher.ask(Leave(self._member().holder))

    async def _ask(self) -> Answer:
        return await self._batcher.ask(self._word())

    def _word(self) -> Operation[Answer]:
        return Attend(self._member(), self._alive_for)

    async def _last_word_of(self, rival: Member) -> Seen | None:
        """Return the process of a rival's environment that was heard of last, or None if there is none any more."""
        seen = await self._batcher.ask(Members())
        words = [each for each in seen if each.member.identity == rival.identity and _named_alike(each.member, rival)]
        return min(words, key=lambda each: each.ago, default=None)

    def _say_that_it_waits(self, rival: Member) -> None:
        logger.warning(
            "Server %s of %s was heard of a moment ago: this start waits for up to %g s until it is known whether "
            "that one still lives",
            rival.holder.server,
            rival.host,
            self._alive_for,
        )

    def _again(self, *, at_once: bool) -> None:
        if self._present:
            self._timer = self._loop.call_later(0 if at_once else self._every, self._speak)

    def _speak(self) -> None:
        self._batcher.post(self._word(), self._answered)

    def _answered(self, answer: Answer | Exception) -> None:
        """Learn, and speak again later. While the store is away there is nothing to learn, and nobody to be told."""
        self._again(at_once=not isinstance(answer, Exception) and self._present and self._learn(answer))

    def _learn(self, answer: Answer) -> bool:
        """Take in what the store says, and tell whether it changes what this process is to say of itself."""
        if answer.rival is not None and not self._warned:
            self._warned = True
            rival = answer.rival
            logger.error(
                "Another server has taken the name %r of this one, which was not heard of for a while: %s. Stop one of "
                "the two, and give it another name (setting name)",
                rival.holder.server,
                _whereabouts(rival),
            )
        if answer.draining is self.draining:
            return False
        self.draining = answer.draining
        logger.info("The server drains: it takes no new work" if answer.draining else "The server takes work again")
        self.on_drain(answer.draining)
        return True


def identity_of(data: Path, host: str, boot: str) -> str:
    """Return what tells an environment from all others: the same after a restart, another one for a copy.

    Copies of a whole machine, and containers of one image, agree in the host's name, in the path and in the number of
    the folder. They differ in when they were booted, or in the device that the folder is on. Where that changes for
    one environment, it was away: its next start waits at most until the lease of the one before has ended.

    Args:
        data: the environment's data folder.
        host: name of the machine.
        boot: tells one start of the machine from another.

    Raises:
        EnvironmentFault: there is no such folder.
    """
    try:
        found = data.stat()
    except OSError as error:
        raise EnvironmentFault(f"{data} cannot be used: {error.strerror}. Make it with 'mkdir -m 700'.") from error
    whole = f"{host}\0{boot}\0{data.resolve()}\0{found.st_dev}\0{found.st_ino}"
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:DIGITS]


def _named_alike(one: Member, other: Member) -> bool:
    return one.holder.server == other.holder.server


def _refusal(rival: Seen, cluster: str) -> str:
    member = rival.member
    return (
        f"Another server is called {member.holder.server!r} in cluster {cluster!r}: {_whereabouts(member)}, heard of "
        f"{rival.ago:.1f} s ago. Give this one another name (setting name), or stop that one."
    )


def _whereabouts(member: Member) -> str:
    return f"process {member.pid} on {member.host}, at {member.address}"
