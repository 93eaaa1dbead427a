"""How each operation is asked of a script, and how its answer is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zato.broker.audit import Note, Notes
from zato.broker.base import (
    Accept,
    AcceptAll,
    Accepted,
    Announce,
    Beat,
    Cancel,
    Count,
    Find,
    Finish,
    Lease,
    Leased,
    Look,
    Operation,
    Postpone,
    Purge,
    Purged,
    Reclaim,
    Release,
    conflict_with,
)
from zato.broker.cluster import (
    Attend,
    Attendance,
    Drain,
    Known,
    Leave,
    Lock,
    Members,
    Pause,
    Queues,
    QueueState,
    Seen,
    Unlock,
    Whereabouts,
)
from zato.broker.documents import Browse, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.broker.holders import holder_text
from zato.broker.redis.documents import (
    ask_browse,
    ask_fetch,
    ask_forget,
    ask_forget_all,
    ask_keep,
    ask_note,
    ask_notes,
    ask_purge,
)
from zato.broker.redis.lists import ask_count, ask_find, ask_look, ask_tree
from zato.broker.redis.question import Question, milliseconds
from zato.broker.redis.rows import delivery_of
from zato.broker.trees import FindTree
from zato.core.errors import Conflict
from zato.core.invocation import Invocation, Terms
from zato.core.packing import pack_failure, pack_member, pack_terms, unpack_member, unpack_terms
from zato.core.stored import pack_call, pack_message, pack_outcome

__all__ = ["READ_ONLY", "Question", "question_of", "repeated"]

READ_ONLY = (Look, Find, FindTree, Count, Queues, Members, Known, Whereabouts, Fetch, Browse, Notes)

# What one lease hands out of a lane at most, and one slice of a purge deletes, beyond a single call of any size.
LEASED_BYTES = 16_000_000
PURGED_BYTES = 8_000_000
# What an announcement does to those before it; see `announce.lua`.
REPLACING, ADDING, REPEATING = range(3)


def question_of(operation: Operation[Any]) -> Question:
    """Return what a script is asked for an operation.

    Raises:
        Exception: something of it has no stored form.
    """
    return QUESTIONS[type(operation)](operation)


def repeated(said: Announce) -> Question:
    """Return the question that says again what was said before, and changes nothing that is still known."""
    return _announced(said, REPEATING)


def _accept(operation: Accept) -> Question:
    call = operation.invocation
    return Question("accept", (pack_call(call),), lambda reply: _accepted(call, reply), first=(b"each",), together=True)


def _accepted(call: Invocation, reply: Sequence[Any]) -> Accepted | Conflict:
    call_id, cid, refusing = reply
    if refusing:
        return conflict_with(call, cid.decode())
    return Accepted(call_id.decode(), cid.decode())


def _accept_all(operation: AcceptAll) -> Question:
    def answer(reply: Sequence[Any]) -> object:
        refusals = [each for each in reply if each[2]]
        if refusals:
            _, cid, number = refusals[0]
            return conflict_with(operation.invocations[number - 1], cid.decode())
        return [_accepted(call, each) for call, each in zip(operation.invocations, reply, strict=True)]

    return Question("accept", tuple(map(pack_call, operation.invocations)), answer, first=(b"all",))


def _lease(operation: Lease) -> Question:
    asked = (
        operation.holder.server,
        holder_text(operation.holder),
        operation.token.hex(),
        milliseconds(operation.seconds),
        _holdings(operation.holdings),
        [(lane.value, room) for lane, room in operation.limits.items()],
        LEASED_BYTES,
    )

    def answer(reply: Sequence[Any]) -> Leased:
        handed, next_in, _ = reply
        return Leased(
            [delivery_of(each, operation.token) for each in handed], None if next_in < 0 else float(next_in) / 1000
        )

    return Question("lease", (pack_message(asked),), answer)


def _beat(operation: Beat) -> Question:
    asked = (milliseconds(operation.seconds), _holdings(operation.holdings))
    return Question("beat", (pack_message(asked),), lambda reply: [call_id.decode() for call_id in reply])


def _finish(operation: Finish) -> Question:
    outcome = operation.outcome
    follow_ups = tuple(map(pack_call, operation.follow_ups))
    asked = (operation.id, operation.token.hex(), outcome.status.value, outcome.ended, len(follow_ups))
    return Question("finish", (pack_message(asked), *pack_outcome(outcome), *follow_ups), bool, together=True)


def _postpone(operation: Postpone) -> Question:
    how = "postpone" if operation.started else "put off"
    failure = b"" if operation.failure is None else pack_failure(operation.failure)
    return _give_back(operation.id, operation.token, how, operation.not_before, operation.attempts, failure)


def _release(operation: Release) -> Question:
    return _give_back(operation.id, operation.token, "release", 0, 0, b"")


def _give_back(call_id: str, token: bytes, *rest: Any) -> Question:
    how, not_before, attempts, failure = rest
    asked = (call_id, token.hex(), how, not_before, attempts, failure.decode())
    return Question("give_back", (pack_message(asked),), bool, together=True)


def _reclaim(operation: Reclaim) -> Question:
    holder = operation.holder
    return Question("reclaim", (pack_message((holder.server, holder.run, holder.worker)),), int)


def _announce(operation: Announce) -> Question:
    return _announced(operation, ADDING if operation.only_add else REPLACING)


def _announced(operation: Announce, how: int) -> Question:
    terms = operation.terms
    asked = (
        operation.server,
        how,
        {service: lane.value for service, lane in operation.services.items()},
        {service: pack_terms(each).decode() for service, each in terms.items()},
        {service: each.max_concurrency for service, each in terms.items() if each.max_concurrency is not None},
    )
    return Question("announce", (pack_message(asked),), lambda reply: sorted(each.decode() for each in reply))


def _cancel(operation: Cancel) -> Question:
    outcome = operation.outcome
    asked = (operation.id, outcome.ended, outcome.server or "", outcome.version or "")
    return Question("cancel", (pack_message(asked),), bool)


def _purge(operation: Purge) -> Question:
    asked = (milliseconds(operation.retention), operation.limit, PURGED_BYTES)
    return Question("purge", (pack_message(asked),), lambda reply: Purged(reply[0], more=bool(reply[1])))


def _pause(operation: Pause) -> Question:
    return Question("pause", (pack_message((operation.queue, int(operation.paused))),), bool)


def _queues(_: Queues) -> Question:
    return Question("queues", (), lambda reply: [_queue(*each) for each in reply])


def _queue(name: bytes, paused: int, *counts: int) -> QueueState:
    waiting, delayed, running, stranded, oldest = counts
    return QueueState(
        name=name.decode(),
        paused=bool(paused),
        waiting=waiting,
        delayed=delayed,
        running=running,
        stranded=stranded,
        oldest=oldest or None,
    )


def _lock(operation: Lock) -> Question:
    holder = operation.holder
    who = "" if holder is None else holder_text(holder)
    asked = (operation.name, operation.token.hex(), max(1, milliseconds(operation.seconds)), who)
    return Question("lock", (pack_message(asked),), bool)


def _unlock(operation: Unlock) -> Question:
    return Question("lock", (pack_message((operation.name, operation.token.hex(), 0, "")),), bool)


def _attend(operation: Attend) -> Question:
    member = operation.member
    holder = member.holder
    text = pack_member(member).decode()
    asked = (
        "attend",
        holder.server,
        holder.worker,
        holder.run,
        member.identity,
        milliseconds(operation.alive_for),
        text,
    )

    def answer(reply: Sequence[Any]) -> Attendance:
        draining, rival, _ = reply
        return Attendance(bool(draining), unpack_member(rival) if rival else None)

    return Question("members", (pack_message(asked),), answer)


def _leave(operation: Leave) -> Question:
    holder = operation.holder
    return Question("members", (pack_message(("leave", holder.server, holder.worker, holder.run)),), lambda _: None)


def _members(_: Members) -> Question:
    def answer(reply: Sequence[Any]) -> list[Seen]:
        seen = [
            Seen(unpack_member(text), ago / 1000, alive=bool(lives), draining=bool(draining))
            for text, ago, lives, draining in reply
        ]
        return sorted(seen, key=lambda each: (each.member.holder.server, each.member.holder.worker))

    return Question("members", (pack_message(("list",)),), answer)


def _drain(operation: Drain) -> Question:
    return Question("members", (pack_message(("drain", operation.server, int(operation.draining))),), bool)


def _known(operation: Known) -> Question:
    def answer(reply: Sequence[Any]) -> Mapping[str, Terms]:
        told = zip(operation.services, reply, strict=True)
        return {service: unpack_terms(terms) if terms else Terms() for service, terms in told if terms != 0}

    return Question("known", (pack_message(operation.services),), answer)


def _whereabouts(operation: Whereabouts) -> Question:
    def answer(reply: Sequence[Any]) -> Mapping[str, list[str]]:
        told = zip(operation.services, reply, strict=True)
        return {service: sorted(server.decode() for server in servers) for service, servers in told if servers}

    return Question("members", (pack_message(("where", operation.services)),), answer)


def _holdings(holdings: Sequence[tuple[str, bytes]]) -> list[tuple[str, str]]:
    return [(call_id, token.hex()) for call_id, token in holdings]


QUESTIONS: Mapping[type[Operation[Any]], Callable[[Any], Question]] = {
    Accept: _accept,
    AcceptAll: _accept_all,
    Lease: _lease,
    Beat: _beat,
    Finish: _finish,
    Postpone: _postpone,
    Release: _release,
    Reclaim: _reclaim,
    Announce: _announce,
    Cancel: _cancel,
    Purge: _purge,
    Look: ask_look,
    Find: ask_find,
    FindTree: ask_tree,
    Count: ask_count,
    Pause: _pause,
    Queues: _queues,
    Lock: _lock,
    Unlock: _unlock,
    Attend: _attend,
    Leave: _leave,
    Members: _members,
    Drain: _drain,
    Known: _known,
    Whereabouts: _whereabouts,
    Keep: ask_keep,
    Fetch: ask_fetch,
    Browse: ask_browse,
    Forget: ask_forget,
    ForgetAll: ask_forget_all,
    Note: ask_note,
    Notes: ask_notes,
    PurgeKept: ask_purge,
}
