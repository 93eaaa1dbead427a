"""Classes with typed fields as shapes: dataclasses, models, msgspec structs; and what types their fields may have."""

import dataclasses
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from zato.core.elements import types as t
from zato.core.elements.foreign import PydanticShape, is_pydantic, kind_of_other
from zato.core.elements.kinds import ANY, Kind, first_of, items_of, nullable, values_of
from zato.core.elements.problems import IsRefused, IsWrong
from zato.core.elements.shape import Field, Shape
from zato.core.errors import ServiceDefinitionError
from zato.core.masks import is_secret_name

__all__ = ["AnyShape", "Models", "is_model"]

AnyShape = Shape | PydanticShape

PLAIN: dict[Any, Kind] = {
    str: t.Text.kind,
    int: t.Int.kind,
    float: t.Float.kind,
    bool: t.Bool.kind,
    Decimal: t.Decimal.kind,
    date: t.Date.kind,
    datetime: t.DateTime.kind,
    UUID: t.UUID.kind,
    dict: t.Dict.kind,
    list: t.List.kind,
    Any: ANY,
    object: ANY,
}
ABSENT_TYPES = frozenset({type(None), msgspec.UnsetType})
LISTS = (list, Sequence)
DICTS = (dict, Mapping)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One field of a class, whatever wrote the class."""

    key: str
    attribute: str
    hint: Any
    absent: Callable[[], Any] | None
    is_required: bool
    is_read: bool = True


def is_model(kind: Any) -> bool:
    """Tell whether a class has fields that an object can be read as."""
    return isinstance(kind, type) and (
        dataclasses.is_dataclass(kind) or issubclass(kind, msgspec.Struct) or is_pydantic(kind)
    )


class Models:
    """Shapes of classes, each compiled once, so that a class may have itself among its fields."""

    def __init__(self) -> None:
        self._shapes: dict[type, AnyShape] = {}

    def shape_of(self, kind: type) -> AnyShape:
        """Return a class as a shape.

        Raises:
            ServiceDefinitionError: a field is of a type that nothing can be read as, or the class needs itself.
        """
        found = self._shapes.get(kind)
        if found is not None:
            return found
        if is_pydantic(kind):
            return self._shapes.setdefault(kind, PydanticShape(kind))
        _check_decorated(kind)
        shape = self._shapes[kind] = _shape_for(kind)
        shape.define(*(self._field(kind, part) for part in _parts(kind)))
        _check_endless(shape, ())
        return shape

    def kind_of(self, hint: Any) -> Kind:
        """Return what a type says about values.

        Raises:
            TypeError: nothing can be read as it.
        """
        hint = _bare(hint)
        if (plain := _looked_up(hint)) is not None:
            return plain
        if is_model(hint):
            return self._kind_of_model(hint)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin in LISTS:
            return items_of(self.kind_of(args[0]), "list")
        if origin in DICTS and args[0] is str:
            return values_of(self.kind_of(args[1]), "dict")
        if origin in (typing.Union, types.UnionType):
            return self._kind_of_union(hint, args)
        return kind_of_other(hint)

    def _kind_of_union(self, hint: Any, args: tuple[Any, ...]) -> Kind:
        """Return what a union says: as msgspec reads it, or else the first of its types that fits."""
        if not ABSENT_TYPES.isdisjoint(args):
            kind = self.kind_of(typing.Union[tuple(item for item in args if item not in ABSENT_TYPES)])  # noqa: UP007
            return nullable(kind) if type(None) in args else kind
        try:
            return kind_of_other(hint)
        except TypeError:
            return first_of([self.kind_of(item) for item in args])

    def _kind_of_model(self, kind: type) -> Kind:
        shape = self.shape_of(kind)
        if isinstance(shape, PydanticShape):
            return shape.kind()
        return Kind(name=shape.name, read=shape.convert, write_nested=shape.write, shape=shape)

    def _field(self, owner: type, part: "_Part") -> Field:
        try:
            kind = self.kind_of(part.hint)
        except TypeError as error:
            raise ServiceDefinitionError(
                f"{owner.__name__}.{part.attribute}: {_words_for(part.hint)} is no type of an input or output. "
                f"{_advice(part.hint)}"
            ) from error
        # In a model, as older services have them, what may be null may be left out.
        may_lack = part.is_required and kind.keeps_null and kind is not ANY and hasattr(owner, "_zato_model")
        return Field(
            key=part.key,
            attribute=part.attribute,
            kind=dataclasses.replace(kind, is_secret=True) if is_secret_name(part.attribute) else kind,
            is_required=part.is_required and not may_lack,
            keeps_null=kind.keeps_null,
            absent=t.constant(None) if may_lack else part.absent,
            is_read=part.is_read,
        )


def _words_for(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else f"{hint!r:.100}".replace("typing.", "")


def _advice(hint: Any) -> str:
    if hasattr(hint, "_zato_model"):
        return f"Write @dataclass above {hint.__name__}."
    return "Use a plain type, a list, a dataclass, a model or a struct; or Any, for what is to stay as it came."


def _check_decorated(kind: type) -> None:
    """Refuse a model whose own fields nobody would see.

    Raises:
        ServiceDefinitionError: `@dataclass` is missing.
    """
    if hasattr(kind, "_zato_model") and "__dataclass_fields__" not in vars(kind) and vars(kind).get("__annotations__"):
        raise ServiceDefinitionError(f"{kind.__name__} has fields of its own. Write @dataclass above it.")


def _shape_for(kind: type) -> Shape:
    """Return the shape of a class, its elements still to come."""
    config = getattr(kind, "__struct_config__", None)
    if config is None:
        return Shape(kind.__name__, make=_maker(kind), owner=kind)
    known = {*kind.__struct_encode_fields__, config.tag_field} if config.forbid_unknown_fields else None  # type: ignore[attr-defined]
    constants = {} if config.tag_field is None else {config.tag_field: config.tag}
    check = partial(_check_struct, known, constants) if known or constants else None
    return Shape(kind.__name__, make=_maker(kind), owner=kind, check=check, constants=constants)


def _check_struct(known: Collection[str] | None, constants: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for name, expected in constants.items():
        if values.get(name, expected) != expected:
            raise IsWrong(values[name], f"not {expected!r}").below(name)
    for name in values:
        if known is not None and name not in known:
            raise IsRefused("it has to be left out, for no such element is declared").below(name)


def _bare(hint: Any) -> Any:
    """Return what a name for a type stands for."""
    while True:
        if isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif typing.get_origin(hint) is typing.Annotated and not any(
            isinstance(extra, msgspec.Meta) for extra in hint.__metadata__
        ):
            hint = hint.__origin__
        elif typing.get_origin(hint) in (*LISTS, *DICTS) and not typing.get_args(hint):
            return dict if typing.get_origin(hint) in DICTS else list
        else:
            return hint


def _looked_up(hint: Any) -> Kind | None:
    try:
        return PLAIN.get(hint)
    except TypeError:
        return None


def _parts(kind: type) -> Iterator[_Part]:
    hints = _hints_of(kind)
    if issubclass(kind, msgspec.Struct):
        for info in msgspec.structs.fields(kind):
            yield _Part(
                key=info.encode_name,
                attribute=info.name,
                hint=hints[info.name],
                absent=_struct_default(info),
                is_required=info.required,
            )
    else:
        for item in dataclasses.fields(kind):  # type: ignore[arg-type]
            absent = _default(item)
            yield _Part(
                key=item.name,
                attribute=item.name,
                hint=hints[item.name],
                absent=absent,
                is_required=absent is None,
                is_read=item.init,
            )


def _hints_of(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, localns={kind.__name__: kind}, include_extras=True)
    except (NameError, TypeError, SyntaxError, AttributeError) as error:
        raise ServiceDefinitionError(
            f"{kind.__name__}: the type of a field cannot be found: {error}. Define or import it in the same module."
        ) from error


def _struct_default(info: msgspec.structs.FieldInfo) -> Callable[[], Any] | None:
    factory: Callable[[], Any] | object = info.default_factory
    if callable(factory):
        return factory
    # What is not set is left out, and the struct knows its own default.
    return None if info.default in (msgspec.NODEFAULT, msgspec.UNSET) else t.constant(info.default)


def _default(item: "dataclasses.Field[Any]") -> Callable[[], Any] | None:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory
    return None if item.default is dataclasses.MISSING else t.constant(item.default)


def _maker(kind: Any) -> Callable[[dict[str, Any]], Any]:
    """Return what makes an instance of values; where `__init__` takes none, they are set afterwards."""
    params = getattr(kind, "__dataclass_params__", None)
    return partial(_with_attributes, kind) if params is not None and not params.init else lambda found: kind(**found)


def _with_attributes(kind: Any, found: dict[str, Any]) -> Any:
    made = kind()
    for name, value in found.items():
        setattr(made, name, value)
    return made


def _check_endless(shape: Shape, above: tuple[Shape, ...]) -> None:
    """Refuse an object that always holds one of its own class, which holds one again.

    Raises:
        ServiceDefinitionError: it does.
    """
    for field in shape.fields:
        inner = field.kind.shape
        if not field.is_required or field.keeps_null or not isinstance(inner, Shape):
            continue
        if field.kind.name != inner.name:
            continue
        if inner in (*above, shape):
            raise ServiceDefinitionError(
                f"{shape.name}.{field.attribute} is always a {inner.name}, which always has another one in it, so "
                f"there can be none. Let it be absent: `{field.attribute}: {inner.name} | None = None`."
            )
        _check_endless(inner, (*above, shape))
