"""Scripts over a connection: sent together, asked once more when the connection was lost, put right afterwards.

Scripts know what they did already, so asking again is safe. What nobody knows the answer to is put right at the
next connection (`mend.lua`): leases that nobody knows to hold are freed, and calls that were refused do not run.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from zato.broker.base import Announce, Clock, Operation, Unconfirmed
from zato.broker.open import Location
from zato.broker.redis.connection import Command, Connection, Lost, Reply, Unreachable
from zato.broker.redis.doubts import Doubts
from zato.broker.redis.questions import repeated
from zato.broker.redis.refusals import is_error, is_unknown_script, refusal_of
from zato.broker.redis.scripts import load_scripts
from zato.core.errors import BrokerUnavailable, EnvironmentFault
from zato.core.stored import pack_message

__all__ = ["FORMAT_VERSION", "Ask", "Refused", "Wire"]

# Of the data model in `model.lua`.
FORMAT_VERSION = 1
OLDEST = (6, 2)
OLDEST_WITH_WAITAOF = (7, 2)
# Milliseconds within which replicas have to confirm, and the disk, which with `appendfsync everysec` takes a second.
CONFIRMED_WITHIN = 1000
FLUSHED_WITHIN = 2500


@dataclass(frozen=True, slots=True)
class Ask:
    """A script, and what it is asked beside the header."""

    script: str
    arguments: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Refused:
    """Redis did not carry out a script."""

    error: Exception


class Wire:
    """Runs scripts in the Redis of a location.

    Attributes:
        parked: how many calls were set aside when it was connected, because only a newer version reads them.
    """

    def __init__(self, location: Location, clock: Clock, *, tells_time: bool) -> None:
        """Take where Redis is, and the clock. Nothing is connected yet.

        Raises:
            InvalidSetting: the URL is not understood.
        """
        self._location = location
        self._clock = clock
        self._tells_time = tells_time
        self._prefix = f"{{zato:{location.cluster}}}:"
        self._scripts = load_scripts()
        self._doubts = Doubts()
        self._repeated: dict[str, Announce] = {}
        self.parked = 0
        self._connection = Connection(location, self._greet)
        self._confirmations = _confirmations(location)

    def open(self) -> None:
        """Connect.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
            EnvironmentFault: it is too old, or keeps something else under our name.
        """
        self.ask([], [], confirm=False)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def repeat_when_connected(self, said: Announce) -> None:
        """Say this again at each new connection: the Redis behind it may have forgotten it."""
        before = self._repeated.get(said.server)
        if said.only_add and before is not None:
            services, terms = {**before.services, **said.services}, {**before.terms, **said.terms}
            said = replace(said, services=services, terms=terms)
        self._repeated[said.server] = said

    def repeat_no_more(self, server: str) -> None:
        """Forget what a server announced: this process of it has come to its end."""
        self._repeated.pop(server, None)

    def repeat(self, server: str) -> None:
        """Say again what a server announced: it was away for so long that it was forgotten."""
        if server in self._repeated:
            question = repeated(self._repeated[server])
            self.ask([Ask(question.script, question.each)], [], confirm=False)

    def ask(
        self, asks: Sequence[Ask], operations: Sequence[Operation[Any]], *, confirm: bool
    ) -> tuple[list[Any], Unconfirmed | None]:
        """Run scripts, and return what each returned, or why it was refused; and whether what they did is not sure.

        Args:
            asks: the scripts.
            operations: those that they carry out.
            confirm: wait until it is as sure as the settings want it.

        Raises:
            BrokerUnavailable: Redis is away. What was asked for may have been done.
        """
        again = self._doubts.touch(operations)
        extra = self._confirmations if confirm else []
        try:
            replies = self._execute(asks, extra, again=again)
        except Unreachable as error:
            raise BrokerUnavailable(f"{error}.") from error
        except Lost as error:
            replies = self._ask_again(asks, extra, operations, error)
        self._doubts.settle(operations)
        results = [self._read(reply) for reply in replies[: len(asks)]]
        return results, self._confirmed(replies[len(asks) :])

    def _ask_again(
        self, asks: Sequence[Ask], extra: Sequence[Command], operations: Sequence[Operation[Any]], lost: Lost
    ) -> list[Reply]:
        # What was leased may be held by nobody who knows it.
        self._doubts.note_leases(operations)
        try:
            if lost.timed_out:
                raise lost
            return self._execute(asks, extra, again=True)
        except (Unreachable, Lost) as error:
            self._doubt(operations)
            raise BrokerUnavailable(f"{error}.") from error
        except (BrokerUnavailable, EnvironmentFault):
            # There is a connection, and Redis refuses to begin anew.
            self._doubt(operations)
            raise

    def _doubt(self, operations: Sequence[Operation[Any]]) -> None:
        self._doubts.note_leases(operations)
        self._doubts.note(operations)

    def _execute(self, asks: Sequence[Ask], extra: Sequence[Command], *, again: bool) -> list[Reply]:
        """Run scripts. A Redis that has forgotten one has forgotten all, so they are run in their order in any case."""
        header = self._header(again)
        commands = [self._command(ask, header) for ask in asks]
        replies = self._connection.execute([*commands, *extra])
        unknown = [at for at, reply in enumerate(replies[: len(asks)]) if is_unknown_script(reply)]
        if unknown:
            self._teach()
            later = self._connection.execute([*(commands[at] for at in unknown), *extra])
            for at, reply in zip(unknown, later, strict=False):
                replies[at] = reply
            replies[len(asks) :] = later[len(unknown) :]
        return replies

    def _teach(self) -> None:
        """Have Redis know all scripts."""
        scripts = list(self._scripts.values())
        (known,) = self._connection.execute([("SCRIPT EXISTS", *(script.sha for script in scripts))])
        missing = [script for script, is_known in zip(scripts, known, strict=True) if not is_known]
        if missing:
            self._connection.execute([("SCRIPT LOAD", script.text) for script in missing])

    def _command(self, ask: Ask, header: bytes) -> Command:
        return ("EVALSHA", self._scripts[ask.script].sha, 1, self._prefix, header, *ask.arguments)

    def _header(self, again: bool) -> bytes:
        wall = self._clock.wall()
        told = (wall, self._clock.boot()) if self._tells_time else (0, 0)
        return pack_message((wall, *told, self._location.tag, again))

    def _read(self, reply: Reply) -> Any:
        if is_error(reply):
            return Refused(refusal_of(reply, self._connection.place))
        return reply

    def _confirmed(self, replies: Sequence[Reply]) -> Unconfirmed | None:
        """Return what is missing for what was done to be as sure as the settings want it."""
        for (command, *wanted, _), reply in zip(self._confirmations, replies, strict=False):
            reached = [reply] if isinstance(reply, int) else reply
            if is_error(reply) or any(got < want for got, want in zip(reached, wanted, strict=False)):
                return _unconfirmed(str(command), wanted, reply)
        return None

    def _greet(self) -> None:
        """Look at a Redis that was just connected, and put right what the last connection left open."""
        replies = self._connection.execute([("INFO", "server"), ("INFO", "persistence")])
        for refused in filter(is_error, replies):
            raise Unreachable(f"Redis at {self._connection.place} is not ready: {refused}")
        server, persistence = (reply.decode() for reply in replies)
        _check_version(server, self._connection.place)
        if self._location.fsync:
            _check_fsync(server, persistence, self._connection.place)
        self._teach()
        tokens, ids = self._doubts.open()
        asks = [
            Ask("begin", [pack_message((FORMAT_VERSION,))]),
            *(Ask(question.script, question.each) for question in map(repeated, self._repeated.values())),
            Ask("mend", [pack_message((tokens, ids))]),
        ]
        begun, *rest = (self._read(reply) for reply in self._execute(asks, [], again=True))
        if isinstance(begun, Refused):
            raise begun.error
        found, parked = begun[0]
        self._check_format(found)
        self.parked = parked
        for refused in (each for each in rest if isinstance(each, Refused)):
            raise refused.error
        self._doubts.close(tokens, ids)

    def _check_format(self, found: bytes) -> None:
        where = f"Cluster {self._location.cluster!r} in Redis at {self._connection.place}"
        if not found.isdigit():
            raise EnvironmentFault(
                f"{where}: the key {self._prefix}meta holds a {found.decode()} of another program. Choose another "
                "name (setting 'cluster'), or another database."
            )
        if int(found) > FORMAT_VERSION:
            raise EnvironmentFault(
                f"{where} is of format {int(found)}; this version of zato reads up to {FORMAT_VERSION}. Upgrade zato."
            )


def _check_version(info: str, place: str) -> None:
    if _is_older(info, OLDEST):
        raise EnvironmentFault(
            f"Redis at {place} is of version {_version(info)}; zato needs {OLDEST[0]}.{OLDEST[1]} or newer."
        )


def _check_fsync(server: str, persistence: str, place: str) -> None:
    if _is_older(server, OLDEST_WITH_WAITAOF):
        raise EnvironmentFault(
            f"Redis at {place} is of version {_version(server)}, which cannot tell what is on its disk (setting "
            "redis_fsync). Install Redis 7.2 or newer, or Valkey, or set redis_fsync = false."
        )
    if "aof_enabled:1" not in persistence.splitlines():
        raise EnvironmentFault(
            f"Redis at {place} writes nothing to its disk as it happens (setting redis_fsync). Set 'appendonly yes' "
            "there, or redis_fsync = false."
        )


def _version(info: str) -> str:
    found = re.search(r"^redis_version:(\S+)", info, re.MULTILINE)
    return "" if found is None else found[1]


def _is_older(info: str, version: tuple[int, int]) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", _version(info))
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < version


def _confirmations(location: Location) -> list[Command]:
    commands: list[Command] = []
    if location.replicas:
        commands.append(("WAIT", location.replicas, CONFIRMED_WITHIN))
    if location.fsync:
        commands.append(("WAITAOF", 1, 0, FLUSHED_WITHIN))
    return commands


def _unconfirmed(command: str, wanted: Sequence[object], reply: Reply) -> Unconfirmed:
    if is_error(reply):
        problem = f"Redis cannot say how sure it is ({command}: {reply})"
    elif command == "WAIT":
        problem = f"{reply} of {wanted[0]} replicas had it within {CONFIRMED_WITHIN / 1000:g} s (setting replicas)"
    else:
        problem = f"it was not on the disk of Redis within {FLUSHED_WITHIN / 1000:g} s (setting redis_fsync)"
    return Unconfirmed(
        f"The call was stored, but {problem}, so a failure of Redis may lose it. It may run. Repeat it with the same "
        "idempotency key."
    )
