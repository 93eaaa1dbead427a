"""What was asked of Redis when the answer did not come, and nobody knows whether it was done."""

from collections.abc import Iterable, Sequence
from typing import Any

from zato.broker.base import Accept, AcceptAll, Finish, Lease, Operation, Postpone, Release
from zato.core.invocation import Invocation

__all__ = ["Doubts"]

# A Redis that is away for long must not fill the memory: the oldest doubts are forgotten. A lease ends by itself.
MOST = 10_000


class Doubts:
    """Operations of one connection without an answer."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tokens: dict[str, None] = {}
        self._ids: dict[str, None] = {}
        self._endings: dict[tuple[str, bytes], None] = {}

    def touch(self, operations: Iterable[Operation[Any]]) -> bool:
        """Tell whether any of these was asked before."""
        return bool(self._endings) and any(_ending(operation) in self._endings for operation in operations)

    def note_leases(self, operations: Iterable[Operation[Any]]) -> None:
        """Take that these may have leased something."""
        for operation in operations:
            if isinstance(operation, Lease):
                _keep(self._tokens, operation.token.hex())

    def note(self, operations: Iterable[Operation[Any]]) -> None:
        """Take that these may have been carried out, and that whoever asked was told that they were not.

        Calls with an idempotency key stay: somebody else may have asked for them too, and was told of them.
        """
        for operation in operations:
            ending = _ending(operation)
            if ending is not None:
                _keep(self._endings, ending)
            calls = _calls_of(operation)
            if all(call.idempotency_key is None for call in calls):
                for call in calls:
                    _keep(self._ids, call.id)

    def settle(self, operations: Iterable[Operation[Any]]) -> None:
        """Take that these were answered."""
        if self._endings:
            for operation in operations:
                ending = _ending(operation)
                if ending is not None:
                    self._endings.pop(ending, None)

    def open(self) -> tuple[list[str], list[str]]:
        """Return the tokens of leases, and the ids of calls, that are to be put right."""
        return list(self._tokens), list(self._ids)

    def close(self, tokens: Iterable[str], ids: Iterable[str]) -> None:
        """Take that these were put right."""
        for token in tokens:
            self._tokens.pop(token, None)
        for call_id in ids:
            self._ids.pop(call_id, None)


def _ending(operation: Operation[Any]) -> tuple[str, bytes] | None:
    if isinstance(operation, Finish | Postpone | Release):
        return operation.id, operation.token
    return None


def _calls_of(operation: Operation[Any]) -> Sequence[Invocation]:
    if isinstance(operation, Accept):
        return (operation.invocation,)
    return operation.invocations if isinstance(operation, AcceptAll) else ()


def _keep(kept: dict[Any, None], item: Any) -> None:
    kept[item] = None
    if len(kept) > MOST:
        del kept[next(iter(kept))]
