"""What a service declares as its input or output: as rows of a table, and as an example to begin with.

The declarations are those that `zato.service.get` tells of.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zato.core.payload import encode

__all__ = ["Row", "example_of", "rows_of"]

MISSING: Any = object()
# What stands for a value of a type, by the name of the type. Anything else is stood for by the element's name.
VALUES: Mapping[str, Any] = {
    "bool": True,
    "int": 1,
    "float": 1.5,
    "decimal": "1.50",
    "Decimal": "1.50",
    "date": "2026-01-31",
    "datetime": "2026-01-31T12:00:00",
    "utc": "2026-01-31T12:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "UUID": "00000000-0000-4000-8000-000000000000",
    "csv": "a,b",
    "list": [],
    "dict": {},
    "dict_list": [],
    "opaque": None,
}


@dataclass(frozen=True, slots=True)
class Row:
    """An element, as a table shows it.

    Attributes:
        depth: how many objects it is in.
        default: the JSON of it, or None if there is none.
    """

    name: str
    type: str
    is_required: bool
    depth: int
    default: str | None


def rows_of(declared: Mapping[str, Any]) -> list[Row]:
    """Return the elements of one side, those of nested objects below them."""
    return list(_rows(declared["elements"], 0))


def example_of(declared: Mapping[str, Any] | None) -> str:
    """Return JSON that fits what a service takes, as far as types tell; an empty text if it declares nothing.

    What has a default has it; what need not be there and has none is left out.
    """
    if declared is None:
        return ""
    value: object = _object(declared["elements"])
    if declared["is_list"]:
        value = [value]
    if declared["wrapper"]:
        value = {declared["wrapper"]: value}
    return encode(value).decode()


def _rows(elements: list[dict[str, Any]], depth: int) -> Iterator[Row]:
    for each in elements:
        default = encode(each["default"]).decode() if "default" in each else None
        yield Row(each["name"], each["type"], each["required"], depth, default)
        yield from _rows(each.get("elements", []), depth + 1)


def _object(elements: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = (each for each in elements if each["required"] or each.get("default") is not None)
    return {each["name"]: _value(each) for each in wanted}


def _value(element: Mapping[str, Any]) -> Any:
    default = element.get("default")
    if default is not None:
        return default
    kind = element["type"].removesuffix(" or None").removesuffix(" | None")
    if element.get("elements"):
        inner = _object(element["elements"])
        return [inner] if _is_list(kind) else inner
    if _is_list(kind):
        return []
    if kind.lower().startswith("dict"):
        return {}
    return VALUES.get(kind, element["name"])


def _is_list(kind: str) -> bool:
    return kind == "dict_list" or kind.lower().startswith(("list", "set", "tuple", "sequence"))
