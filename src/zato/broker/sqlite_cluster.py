"""Locks, and the processes that share the embedded broker's file, each as it told of itself.

All times here are of the boot clock, and forgotten when the machine starts again.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from zato.broker.base import Clock, Operation
from zato.broker.cluster import Attend, Attendance, Drain, Leave, Lock, Members, Seen, Unlock, Whereabouts
from zato.broker.connection import Connection
from zato.broker.holders import holder_text, is_dead
from zato.core.invocation import Holder
from zato.core.packing import pack_member, unpack_member

__all__ = ["Cluster"]

# For how long a process that is gone is still listed.
LISTED = 86_400_000
# Who tells of the same again is written down after this share of the time without which it counts as gone.
WRITTEN_AFTER = 1 / 3


class Cluster:
    """Carries out operations on locks and members, on a connection that is in a transaction.

    Attributes:
        questions: what changes nothing.
        actions: all of them.
    """

    def __init__(self, connection: Connection, sql: Mapping[str, str], clock: Clock) -> None:
        """Take the connection, the statements of `sqlite.sql`, and what to read the time from."""
        self._db = connection
        self._sql = sql
        self._clock = clock
        self.questions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Members: self._members,
            Whereabouts: self._whereabouts,
        }
        self.actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            **self.questions,
            Lock: self._lock,
            Unlock: self._unlock,
            Attend: self._attend,
            Leave: self._leave,
            Drain: self._drain,
        }

    def _rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._db.execute(self._sql[statement], values).fetchall()

    def _changed(self, statement: str, **values: Any) -> bool:
        self._db.execute(self._sql[statement], values)
        return bool(self._db.changes())

    def _lock(self, operation: Lock) -> bool:
        boot = self._clock.boot()
        self._rows("forget_locks", boot=boot)
        ends = boot + int(operation.seconds * 1000)
        holder = None if operation.holder is None else holder_text(operation.holder)
        return self._changed("take_lock", name=operation.name, token=operation.token, ends=ends, holder=holder)

    def _unlock(self, operation: Unlock) -> bool:
        boot = self._clock.boot()
        return self._changed("give_lock_back", name=operation.name, token=operation.token, boot=boot)

    def free_locks(self, holder: Holder) -> None:
        """Give back what processes held that are known to be dead to one that starts as `holder`."""
        for (text,) in self._rows("lock_holders"):
            if is_dead(text, holder):
                self._rows("free_locks", holder=text)

    def _attend(self, operation: Attend) -> Attendance:
        now, member = self._clock.boot(), operation.member
        holder, packed = member.holder, pack_member(operation.member).decode()
        told = {worker: rest for worker, *rest in self._rows("members_of", server=holder.server)}
        for identity, at, alive_for, other in told.values():
            if identity != member.identity and now - at < alive_for:
                return Attendance(draining=False, rival=unpack_member(other))
        said = [member.identity, int(operation.alive_for * 1000), packed]
        if not _is_known(told.get(holder.worker), said, now):
            self._write_down(holder, said, now)
        return Attendance(draining=bool(self._rows("drained", server=holder.server)))

    def _write_down(self, holder: Holder, said: list[Any], now: int) -> None:
        """Write what a process tells in place of what it, or an earlier run of its server, has told."""
        identity, alive_for, member = said
        who = {"server": holder.server, "run": holder.run}
        self._rows("replace_members", **who, identity=identity)
        self._rows("forget_members", before=now - LISTED)
        self._rows("forget_drained", **who, before=now - LISTED)
        values = {"worker": holder.worker, "identity": identity, "alive_for": alive_for, "member": member}
        self._rows("attend", **who, **values, told=now)

    def _leave(self, operation: Leave) -> None:
        holder = operation.holder
        self._rows("leave", server=holder.server, worker=holder.worker, run=holder.run)

    def _members(self, _: Members) -> list[Seen]:
        """Return the processes that told of themselves since the machine was started. See `Members`."""
        if self._rows("boot_id") != [(self._clock.boot_id(),)]:
            return []
        now = self._clock.boot()
        return [
            Seen(unpack_member(packed), ago=(now - told) / 1000, alive=now - told < alive_for, draining=bool(drained))
            for told, alive_for, packed, drained in self._rows("members", before=now - LISTED)
        ]

    def _whereabouts(self, operation: Whereabouts) -> Mapping[str, list[str]]:
        """Return the servers that live, for each of these services that is deployed: all have the same ones."""
        servers = sorted({seen.member.holder.server for seen in self._members(Members()) if seen.alive})
        known = self._rows("known", services=json.dumps(operation.services))
        return {service: servers for service, _ in known} if servers else {}

    def _drain(self, operation: Drain) -> bool:
        if not self._rows("members_of", server=operation.server):
            return False
        if operation.draining:
            self._rows("drain", server=operation.server, boot=self._clock.boot())
        else:
            self._rows("undrain", server=operation.server)
        return True


def _is_known(row: list[Any] | None, said: list[Any], now: int) -> bool:
    """Tell whether what a process says was written down before, and not long ago."""
    if row is None:
        return False
    identity, told, alive_for, member = row
    return [identity, alive_for, member] == said and now - told < alive_for * WRITTEN_AFTER
