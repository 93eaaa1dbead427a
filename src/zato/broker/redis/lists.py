"""Looking at calls in a cluster: one of them, a page of a list, how many a list has, or a tree of calls."""

from collections.abc import Sequence
from typing import Any

from zato.broker.base import Count, Find, Found, Look
from zato.broker.redis.question import Question
from zato.broker.redis.rows import record_of, records_of
from zato.broker.trees import FindTree, FoundTree
from zato.core.invocation import Record
from zato.core.stored import pack_message

__all__ = ["ask_count", "ask_find", "ask_look", "ask_tree"]

# Calls that one step of a list, or of a count, looks at: Redis does nothing else meanwhile.
LISTED_AT_ONCE = 500
NEWEST = 2**53 - 1


def ask_look(operation: Look) -> Question:
    """Return the question for `Look`."""
    asked = ("id", operation.id) if operation.id is not None else ("cid", operation.cid or "")

    def answer(reply: Sequence[Any]) -> Record | None:
        records, _ = reply
        return record_of(records[0], whole=True) if records else None

    return Question("records", (pack_message(asked),), answer)


def ask_find(operation: Find) -> Question:
    """Return the question for `Find`."""
    return _next_page(operation, [], NEWEST + 1 if operation.cursor is None else operation.cursor)


def _next_page(operation: Find, found: list[Any], below: int) -> Question:
    """Return the question for what is still missing of a page, and one more."""
    asked = ("list", _filters(operation), operation.limit + 1 - len(found), below, LISTED_AT_ONCE)

    def answer(reply: Sequence[Any]) -> Found | Question:
        records, number = reply
        found.extend(records)
        if number and len(found) <= operation.limit:
            return _next_page(operation, found, int(number))
        page = found[: operation.limit]
        last = int(page[-1][0]) if len(found) > len(page) else None
        return Found(records_of(page), last)

    return Question("records", (pack_message(asked),), answer)


def ask_count(operation: Count) -> Question:
    """Return the question for `Count`."""
    return _counted(operation, 0, NEWEST + 1)


def _counted(operation: Count, count: int, below: int) -> Question:
    """Return the question for the calls that were not counted yet."""
    asked = ("count", _filters(operation.find), NEWEST, below, LISTED_AT_ONCE)

    def answer(reply: Sequence[Any]) -> int | Question:
        more, number = reply
        return _counted(operation, count + more, int(number)) if number else count + int(more)

    return Question("records", (pack_message(asked),), answer)


def ask_tree(operation: FindTree) -> Question:
    """Return the question for `FindTree`; one step is enough, because a tree is no larger than its limit."""
    asked = ("tree", operation.id or False, operation.cid or "", operation.limit)

    def answer(reply: Sequence[Any]) -> FoundTree:
        root, records, is_cut = reply
        return FoundTree(root.decode(), records_of(records), bool(is_cut))

    return Question("records", (pack_message(asked),), answer)


def _filters(operation: Find) -> tuple[object, ...]:
    """Return what is asked for, as scripts take it: what makes no difference is false, or 0 for a time."""
    texts = [getattr(operation, name) for name in ("status", "service", "parent", "cid", "channel", "server", "error")]
    return (*(False if each is None else str(each) for each in texts), operation.since or 0, operation.until or 0)
