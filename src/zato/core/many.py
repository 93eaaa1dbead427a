"""Many background calls asked for at once: what their items may be, and how one that is not legal is told."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from zato.core.errors import BadRequest, ZatoError, hint_for

__all__ = ["MAX_ITEMS", "fields_of", "items_of", "numbered"]

# What one commit may hold before others have to wait long for the store.
MAX_ITEMS = 10_000


def items_of(items: object) -> list[Any]:
    """Return the items.

    Raises:
        BadRequest: there are too many, or what is given is no list.
    """
    if not isinstance(items, Iterable) or isinstance(items, str | bytes | Mapping):
        raise BadRequest(f"The calls are given as a list of items, not as {type(items).__name__}.")
    found = list(islice(items, MAX_ITEMS + 1))
    if len(found) > MAX_ITEMS:
        raise BadRequest(f"There are more than {MAX_ITEMS:,} items. Make several calls of at most that many each.")
    return found


def fields_of(item: object, known: Collection[str] | None = None) -> dict[str, Any]:
    """Return what an item asks for by name, `name` always among it.

    Args:
        item: a pair of name and payload, or the arguments of `invoke_async` by name.
        known: these arguments, if they are known here.

    Raises:
        BadRequest: it is neither, has no name, or has an argument that is not known.
    """
    if isinstance(item, tuple | list) and len(item) == 2:
        return {"name": item[0], "payload": item[1]}
    if not isinstance(item, Mapping):
        raise BadRequest(f"{item!r:.100} is neither a pair of name and payload nor a dict of invoke_async's arguments.")
    for key in item:
        if known is not None and key not in known:
            hint = hint_for(str(key), known) or f"Known: {', '.join(known)}."
            raise BadRequest(f"There is no option {key!r:.80}. {hint}")
    if item.get("name") in (None, ""):
        raise BadRequest("'name' says which service to invoke; it is missing.")
    return dict(item)


@contextmanager
def numbered(number: int) -> Iterator[None]:
    """Have what is wrong with an item say which one it is, counted from 1.

    Raises:
        BadRequest: in place of any error of ours.
    """
    try:
        yield
    except ZatoError as error:
        raise BadRequest(f"Item {number}: {error}") from error
