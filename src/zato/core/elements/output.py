"""What `self.response.payload` is while an output is declared: elements by attribute and item, rows in a list."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zato.core.elements.problems import IsWrong

__all__ = ["Payload", "attributes_of", "is_object", "rows_in"]

# Their instances have attributes that are no elements of anything.
PLAIN_MODULES = frozenset({"builtins", "datetime", "decimal", "uuid"})
NOTHING: Any = object()


class Payload:
    """An output that is being filled in.

    Set elements as attributes or items, of one object; or give rows, with `append`, `extend` or `payload[:] = rows`.
    An element is never taken for one of these methods.
    """

    __slots__ = ("__dict__", "_zato_rows")

    def __init__(self) -> None:
        self._zato_rows: list[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(map(repr, vars(self))) or "nothing"
        raise AttributeError(f"{name!r} is not set in the output yet, only {known}.")

    def __getitem__(self, key: Any) -> Any:
        return vars(self)[key] if isinstance(key, str) else self._rows()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, str):
            vars(self)[key] = value
        else:
            self._rows()[key] = value

    def __contains__(self, name: object) -> bool:
        return name in vars(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._zato_rows or ())

    def __len__(self) -> int:
        return len(self._zato_rows or ())

    def __bool__(self) -> bool:
        return bool(self._zato_rows or vars(self))

    def __repr__(self) -> str:
        return f"<output with {', '.join(vars(self)) or 'nothing'} set, {len(self)} rows>"

    def append(self, row: Any) -> None:
        """Add a row: a dict, or anything with attributes."""
        self._rows().append(row)

    def extend(self, rows: Iterable[Any]) -> None:
        """Add rows."""
        self._rows().extend(rows)

    def _rows(self) -> list[Any]:
        if self._zato_rows is None:
            self._zato_rows = []
        return self._zato_rows


def rows_in(payload: Any) -> list[Any] | None:
    """Return the rows of an output that has several, or None if it is one object."""
    if isinstance(payload, dict):
        return None
    if isinstance(payload, Payload):
        return payload._zato_rows
    if isinstance(payload, list):
        return payload
    if is_object(payload) or isinstance(payload, str | bytes) or not isinstance(payload, Iterable):
        return None
    return list(payload)


def is_object(value: Any) -> bool:
    """Tell whether something is one object, although one may be able to go through its parts."""
    kind = type(value)
    # What is returned most comes first.
    if hasattr(kind, "__dataclass_fields__") or isinstance(value, Mapping):
        return True
    return any(hasattr(kind, sign) for sign in ("_fields", "_mapping", "model_dump")) or _has_keys(kind)


def attributes_of(value: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the named elements of an object, as far as it has them.

    Raises:
        IsWrong: it is no object.
    """
    if isinstance(value, Payload):
        return vars(value)
    if isinstance(value, dict | Mapping):
        return dict(value)
    kind = type(value)
    if kind.__module__ in PLAIN_MODULES:
        raise IsWrong(value, "no object")
    if _has_keys(kind):
        return {key: value[key] for key in value.keys()}  # noqa: SIM118 -- as rows of sqlite3 are read
    found = ((name, getattr(value, name, NOTHING)) for name in names)
    return {name: item for name, item in found if item is not NOTHING}


def _has_keys(kind: type) -> bool:
    """Tell whether values of a class are rows as those of sqlite3: results, too, have keys, of their columns."""
    return hasattr(kind, "keys") and hasattr(kind, "__getitem__")
