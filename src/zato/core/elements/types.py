"""The types by which services declare the elements of their input and output: `Int('count')`, `Date('-since')`."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from zato.core.elements import conversions as c
from zato.core.elements.kinds import ANY, Kind

__all__ = [
    "CSV",
    "NO_DEFAULT",
    "UTC",
    "UUID",
    "AsIs",
    "Bool",
    "Boolean",
    "Date",
    "DateTime",
    "Decimal",
    "Dict",
    "DictList",
    "Element",
    "Float",
    "Int",
    "Integer",
    "List",
    "ListOfDicts",
    "Nested",
    "Opaque",
    "Secret",
    "Text",
    "Unicode",
    "constant",
]

NO_DEFAULT: Any = object()
# What need not be copied for each call.
UNCHANGING = (str, int, float, bool, type(None), bytes)


class Element:
    """One element of an input or output. A name that begins with `-`, or a default, makes it optional.

    Attributes:
        name: without the `-`.
        is_required: whether it has to be there.
        default: its value where it is not there, or `NO_DEFAULT`.
        elements: what it has of its own; see `Dict` and `DictList`.
    """

    kind: ClassVar[Kind] = ANY

    def __init__(self, name: Any = "", *, default: Any = NO_DEFAULT) -> None:
        """Take a name, and what stands in for a value that is not there."""
        is_optional = isinstance(name, str) and name.startswith("-")
        self.name: Any = name[1:] if is_optional else name
        self.default = default
        self.is_required = not is_optional and default is NO_DEFAULT
        self.elements: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.is_required else '-'}{self.name})"


class AsIs(Element):
    """Any value, unchanged, whatever its name says."""


class Opaque(Element):
    """Any value, unchanged; the same as `AsIs`."""


class Bool(Element):
    """True or false; also 1 and 0, yes and no, on and off, as text in any case."""

    kind = Kind(name="bool", exact=bool, read=c.to_bool, write=c.to_bool)


class CSV(Element):
    """A list that is written as one text, `a,b`."""

    kind = Kind(name="csv", read=c.to_csv, write=c.as_csv_text)


class Date(Element):
    """A date, `2026-01-31`."""

    kind = Kind(name="date", read=c.to_date, write=c.as_date_text)


class DateTime(Element):
    """A date and time of ISO 8601. One without a time zone stays without one."""

    kind = Kind(name="datetime", read=c.to_datetime, write=c.as_datetime_text)


class Decimal(Element):
    """A number that keeps the digits that came: of a text all of them, of a JSON number as many as a float has."""

    kind = Kind(name="decimal", read=c.to_decimal, write=c.to_decimal)


class Float(Element):
    """A number, from a number or a text."""

    kind = Kind(name="float", exact=float, read=c.to_float, write=c.to_float)


class Int(Element):
    """A whole number, from a number or a text."""

    kind = Kind(name="int", exact=int, read=c.to_int, write=c.to_int)


class List(Element):
    """A list of anything."""

    kind = Kind(name="list", read=c.to_list, write=c.as_list, is_list=True)


class Secret(Element):
    """A text that no log and no message ever shows."""

    kind = Kind(name="secret", exact=str, read=c.to_secret, write=c.to_secret, is_secret=True, is_text=True)


class Text(Element):
    """A text; a number is taken as it is written."""

    kind = Kind(name="text", exact=str, read=c.to_text, write=c.as_text, is_text=True)


class UTC(Element):
    """A date and time in UTC. One without a time zone is taken as UTC."""

    kind = Kind(name="utc", read=c.to_utc, write=c.as_utc_text)


class UUID(Element):
    """A UUID, with dashes or without."""

    kind = Kind(name="uuid", read=c.to_uuid, write=c.as_uuid_text)


class Dict(Element):
    """An object, with the elements it is said to have; without any, with all that come: `Dict('customer', 'name')`."""

    kind = Kind(name="dict", read=c.to_dict)

    def __init__(self, name: Any = "", *elements: Any, default: Any = NO_DEFAULT) -> None:
        """Take a name, and the elements of the object."""
        super().__init__(name, default=default)
        self.elements = elements


class DictList(Dict):
    """A list of objects, each with the elements it is said to have: `DictList('lines', 'sku', Int('quantity'))`."""

    kind = Kind(name="dict_list", read=c.to_dicts, write=c.as_list)


Boolean = Bool
Integer = Int
ListOfDicts = DictList
Nested = Dict
Unicode = Text


def constant(value: Any) -> Callable[[], Any]:
    """Return what makes a default for each call, so that no call changes that of another."""
    return (lambda: value) if isinstance(value, UNCHANGING) else (lambda: copy.deepcopy(value))
