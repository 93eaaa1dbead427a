"""Declarations by name and type, `'customer_id', '-phone', Int('-count')`, as shapes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from zato.core.elements.by_name import INTEGER, TRUTH, kind_by_name
from zato.core.elements.inputs import input_class
from zato.core.elements.kinds import Kind, items_of
from zato.core.elements.shape import Field, Shape
from zato.core.elements.types import NO_DEFAULT, Dict, DictList, Element, constant
from zato.core.errors import ServiceDefinitionError

__all__ = ["Form", "items_in", "shape_of_items"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How elements are declared.

    Attributes:
        where: the class attribute, for messages.
        is_output: whether it is what goes out.
        default: stands in for each optional element that is not there; `NO_DEFAULT` leaves it to the element.
    """

    where: str
    is_output: bool
    default: Any = NO_DEFAULT


class _Untyped(Element):
    """An element of which a name is all that is known."""


def items_in(given: Any, where: str) -> tuple[Any, ...]:
    """Return the items of a declaration: of a text, the names between its commas.

    Raises:
        ServiceDefinitionError: it is no declaration.
    """
    if isinstance(given, str):
        return tuple(name.strip() for name in given.split(",")) if given.strip() else ()
    if isinstance(given, Element):
        return (given,)
    if isinstance(given, tuple | list):
        return tuple(given)
    raise ServiceDefinitionError(
        f"{where} is {given!r:.80}. Give names and types, such as ('customer_id', Int('-count')), or a model."
    )


def shape_of_items(items: Iterable[Any], form: Form, *, optional: Iterable[Any] = ()) -> Shape:
    """Return the shape of declared items.

    Args:
        items: names and types; those that begin with `-` are optional.
        form: how they are declared.
        optional: more of them, all optional.

    Raises:
        ServiceDefinitionError: an item is no name and no type, or comes twice.
    """
    fields = [
        *(_field(_element(item, form.where), form) for item in items),
        *(_field(_element(item, form.where), form, is_optional=True) for item in optional),
    ]
    names = [field.key for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise ServiceDefinitionError(f"{form.where}: {name!r} is declared twice. Remove one of the two.")
    secrets = (field.key for field in fields if field.kind.is_secret)
    shape = Shape("dict", new=dict if form.is_output else input_class(names, secrets))
    shape.define(*fields)
    return shape


def _element(item: Any, where: str) -> Element:
    element = _Untyped(item) if isinstance(item, str) else item
    if isinstance(element, type) and issubclass(element, Element):
        raise ServiceDefinitionError(f"{where}: {element.__name__} has no name. Write {element.__name__}('its_name').")
    if not isinstance(element, Element):
        raise ServiceDefinitionError(
            f"{where}: {item!r:.80} is neither a name nor a type. Write names as text, types as Int('count')."
        )
    _check_name(element, where)
    return element


def _check_name(element: Element, where: str) -> None:
    name = element.name
    if not isinstance(name, str):
        raise ServiceDefinitionError(f"{where}: {name!r:.80} is no name. Names are text.")
    if not name or name != name.strip() or name.startswith("-") or "," in name:
        raise ServiceDefinitionError(
            f"{where}: {name!r:.80} is no name. A name is not empty, and has no comma in it, no blank around it, and "
            "no more than one '-' before it, which makes it optional."
        )


def _field(element: Element, form: Form, *, is_optional: bool = False) -> Field:
    kind = _kind(element, form)
    is_required = element.is_required and not is_optional
    return Field(
        key=element.name,
        attribute=element.name,
        kind=kind,
        is_required=is_required,
        keeps_null=kind.keeps_null and is_required,
        absent=None if is_required else _absent(element, kind, form),
        hint=_hint(element.name, kind) if isinstance(element, _Untyped) else "",
    )


def _kind(element: Element, form: Form) -> Kind:
    if isinstance(element, _Untyped):
        return kind_by_name(element.name)
    if not isinstance(element, Dict) or not element.elements:
        return element.kind
    inner = Form(where=f"{form.where}, {element.name!r}", is_output=form.is_output, default=form.default)
    shape = shape_of_items(element.elements, inner)
    kind = Kind(name="dict", read=shape.convert, write_nested=shape.write, shape=shape)
    return items_of(kind, "dict_list") if isinstance(element, DictList) else kind


def _absent(element: Element, kind: Kind, form: Form) -> Callable[[], Any] | None:
    """Return what makes the value of an optional element that is not there."""
    if element.default is not NO_DEFAULT:
        return constant(element.default)
    if form.default is not NO_DEFAULT:
        return constant(form.default)
    if form.is_output:
        return None
    return constant("" if kind.is_text or isinstance(element, _Untyped) else None)


def _hint(name: str, kind: Kind) -> str:
    if kind is not INTEGER and kind is not TRUTH:
        return ""
    word = "a whole number" if kind is INTEGER else "true or false"
    return f"Its name makes it {word}; a service that takes any value declares it as AsIs({name!r})"
