"""`zato.queue.*`: what is in the queues of background calls, and holding one up."""

from typing import Any

from zato.broker import cluster
from zato.broker.batcher import Batcher
from zato.broker.cluster import Queues, QueueState
from zato.core.errors import BadRequest
from zato.core.options import queue_of
from zato.server.builtin.inputs import read_object, text_of
from zato.server.records import iso_time
from zato.server.service import AsyncService

__all__ = ["GetQueues", "Pause", "Resume"]


class GetQueues(AsyncService):
    """Tells of every queue that has a call without an outcome, or is paused, by name.

    Input: nothing.
    Output: `items`, a list of objects with `name`; `paused`; `waiting`, `delayed`, `running` and `stranded`, how many
    calls there are of each; `oldest`, when the oldest of those that wait was accepted, or null.
    """

    name = "zato.queue.get-list"

    def __init__(self, reader: Batcher) -> None:
        """Take what only reads: a million calls take a second to count, for which it holds up nobody else."""
        self._reader = reader

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return {"items": [_as_item(state) for state in await self._reader.ask(Queues())]}


class _Switch(AsyncService):
    """What pausing and resuming share."""

    paused: bool

    def __init__(self, batcher: Batcher) -> None:
        """Take the broker."""
        self._batcher = batcher

    async def handle(self) -> dict[str, Any]:
        """Return the state after, and whether this has changed it."""
        name = text_of(read_object(self.request.payload, "name"), "name")
        if name is None:
            raise BadRequest("Give 'name', the name of a queue.")
        queue = queue_of(name)
        changed = await self._batcher.ask(cluster.Pause(queue, self.paused))
        states = {state.name: state for state in await self._batcher.ask(Queues())}
        return {**_as_item(states.get(queue) or _empty(queue, self.paused)), "changed": changed}


class Pause(_Switch):
    """Has no call of a queue started from now on, until it is resumed, whatever restarts meanwhile.

    Calls are accepted as before, and what runs goes on.

    Input: `name`, of a queue, whether it has calls or not.
    Output: what `zato.queue.get-list` tells of it, after this; and `changed`, false if it was paused before.
    """

    name = "zato.queue.pause"
    paused = True


class Resume(_Switch):
    """Has the calls of a queue started again.

    Input: `name`, of a queue, whether it has calls or not.
    Output: what `zato.queue.get-list` tells of it, after this; and `changed`, false if it was not paused.
    """

    name = "zato.queue.resume"
    paused = False


def _empty(name: str, paused: bool) -> QueueState:
    return QueueState(name=name, paused=paused, waiting=0, delayed=0, running=0, stranded=0, oldest=None)


def _as_item(state: QueueState) -> dict[str, Any]:
    return {
        "name": state.name,
        "paused": state.paused,
        "waiting": state.waiting,
        "delayed": state.delayed,
        "running": state.running,
        "stranded": state.stranded,
        "oldest": iso_time(state.oldest),
    }
