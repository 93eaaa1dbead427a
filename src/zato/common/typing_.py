"""Names of types that older services use in models and signatures. They are plain aliases of Python's own."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import ModuleType
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    Optional,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
    Union,
    cast,
)

__all__ = [
    "NamedTuple",
    "Protocol",
    "TypedDict",
    "any_",
    "anydict",
    "anydictnone",
    "anylist",
    "anylistnone",
    "anynone",
    "anyset",
    "anytuple",
    "boolnone",
    "bytesnone",
    "callable_",
    "callnone",
    "cast",
    "cast_",
    "classvar_",
    "dataclass",
    "date",
    "datenone",
    "datetime",
    "datetimenone",
    "decimalnone",
    "dict_",
    "dict_field",
    "dictlist",
    "dictlistnone",
    "dictnone",
    "field",
    "floatnone",
    "generator_",
    "generic_",
    "intanydict",
    "intdict",
    "intfloat",
    "intlist",
    "intlistnone",
    "intnone",
    "intset",
    "intstrdict",
    "iterable_",
    "iterator_",
    "list_",
    "list_field",
    "listnone",
    "literal_",
    "module_",
    "noreturn",
    "optional",
    "set_",
    "stranydict",
    "strbytes",
    "strdict",
    "strdictdict",
    "strdictlist",
    "strdictnone",
    "strint",
    "strintdict",
    "strlist",
    "strlistdict",
    "strlistnone",
    "strnone",
    "strset",
    "strstrdict",
    "strtuple",
    "tuple_",
    "tuplist",
    "type_",
    "typealias_",
    "typevar_",
    "union_",
]

# Any, and what may be absent.
any_ = Any
anynone = Any | None
boolnone = bool | None
bytesnone = bytes | None
datenone = date | None
datetimenone = datetime | None
decimalnone = Decimal | None
floatnone = float | None
intnone = int | None
intfloat = int | float
strnone = str | None
strbytes = str | bytes
strint = str | int

# Dicts.
dict_ = dict
dictnone = dict[Any, Any] | None
anydict = dict[Any, Any]
anydictnone = dict[Any, Any] | None
intanydict = dict[int, Any]
intdict = dict[int, int]
intstrdict = dict[int, str]
strdict = dict[str, Any]
strdictnone = dict[str, Any] | None
strintdict = dict[str, int]
strstrdict = dict[str, str]
stranydict = dict[str, Any]
strlistdict = dict[str, list[Any]]
strdictdict = dict[str, dict[str, Any]]

# Lists, sets and tuples.
list_ = list
anylist = list[Any]
anylistnone = list[Any] | None
dictlist = list[dict[Any, Any]]
dictlistnone = list[dict[Any, Any]] | None
intlist = list[int]
intlistnone = list[int] | None
listnone = list[Any] | None
strdictlist = list[dict[str, Any]]
strlist = list[str]
strlistnone = list[str] | None
anyset = set[Any]
intset = set[int]
set_ = set
strset = set[str]
anytuple = tuple[Any, ...]
strtuple = tuple[str, ...]
tuple_ = tuple  # type: ignore[type-arg]  # as bare as the older name
tuplist = list[Any] | tuple[Any, ...]

# Functions, generators and modules.
callable_ = Callable[..., Any]
callnone = Callable[..., Any] | None
generator_ = Generator
iterable_ = Iterable
iterator_ = Iterator
module_ = ModuleType
type_ = type

# What `typing` calls otherwise.
cast_ = cast
classvar_ = ClassVar
generic_ = Generic
literal_ = Literal
noreturn = NoReturn
optional = Optional
typealias_ = TypeAlias
typevar_ = TypeVar
union_ = Union


def dict_field() -> Any:
    """Return the field of a dataclass whose default is a new empty dict."""
    return field(default_factory=dict)


def list_field() -> Any:
    """Return the field of a dataclass whose default is a new empty list."""
    return field(default_factory=list)
