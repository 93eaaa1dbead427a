"""What a service class declares, in whichever of the forms, found on the class and its bases."""

import sys
import typing
from dataclasses import dataclass, replace
from types import FunctionType, GenericAlias
from typing import Any

from zato.core.elements.forms import Form, items_in, shape_of_items
from zato.core.elements.models import AnyShape, Models, is_model
from zato.core.elements.types import NO_DEFAULT, Element
from zato.core.errors import ServiceDefinitionError, hint_for

__all__ = ["Declared", "Side", "declared_by"]

OPTIONS = (
    "input",
    "output",
    "input_required",
    "input_optional",
    "output_required",
    "output_optional",
    "request_elem",
    "response_elem",
    "output_repeated",
    "default_value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The input or the output of a service.

    Attributes:
        shape: one object of it.
        is_list: whether there is always a list of them.
        may_be_list: whether there may be a list of them.
        element: the key that it stands under, or an empty text.
        is_annotated: whether an annotation declares it.
    """

    shape: AnyShape
    is_list: bool = False
    may_be_list: bool = True
    element: str = ""
    is_annotated: bool = False

    def has(self, name: str) -> bool:
        """Tell whether an element has this name."""
        return self.shape.has(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a class declares.

    Attributes:
        input: None if nothing is declared.
        output: the same.
        notes: what the class says that has no effect.
    """

    input: Side | None = None
    output: Side | None = None
    notes: tuple[str, ...] = ()


def declared_by(cls: type) -> Declared:
    """Return what a service class declares.

    Raises:
        ServiceDefinitionError: it is not legal; the message names the class attribute.
    """
    simple = getattr(cls, "SimpleIO", None)
    if not isinstance(simple, type):
        return _by_attributes(cls)
    nearest = next(rank for rank, base in enumerate(cls.__mro__) if "SimpleIO" in vars(base))
    others = [(found.rank, name) for name in ("input", "output") if (found := _found(cls, name))]
    rank, name = min(others, default=(nearest + 1, ""))
    if rank == nearest:
        raise ServiceDefinitionError(
            f"{cls.__name__} has both {name!r} and a SimpleIO. Keep one: 'input' and 'output', or SimpleIO."
        )
    return _by_attributes(cls) if rank < nearest else _by_simple_io(cls, simple)


def _by_attributes(cls: type) -> Declared:
    models = Models()
    return Declared(input=_side(cls, "input", models), output=_side(cls, "output", models))


def _side(cls: type, name: str, models: Models) -> Side | None:
    where = f"{cls.__name__}.{name}"
    found = _found(cls, name)
    if found is None:
        return None
    if not found.is_annotated:
        return _side_of(found.said, Form(where=where, is_output=name == "output"), models)
    annotation = _resolved(found.owner, name, found.said)
    if _says_nothing(annotation):
        return None
    if not _is_model_form(annotation):
        raise ServiceDefinitionError(
            f"{where} is annotated as {annotation!r:.80}, which has no fields. Annotate it with a dataclass, a model "
            f"or a struct, or with a list of one; or give names: {name} = 'customer_id', '-phone'."
        )
    return _side_of_model(annotation, models, is_annotated=True)


def _side_of(given: Any, form: Form, models: Models) -> Side | None:
    if _is_model_form(given):
        return _side_of_model(given, models, is_annotated=False)
    if isinstance(given, type) and not issubclass(given, Element):
        raise ServiceDefinitionError(
            f"{form.where} is the class {given.__name__}, which has no fields. Write @dataclass above it, or give "
            "names: 'customer_id', '-phone'."
        )
    items = items_in((given,) if isinstance(given, type) else given, form.where)
    return Side(shape=shape_of_items(items, form)) if items else None


def _is_model_form(given: Any) -> bool:
    return is_model(given) or (_item_of(given) is not None and is_model(_item_of(given)))


def _item_of(given: Any) -> Any:
    """Return what a list is said to be of, or None."""
    args = typing.get_args(given)
    return args[0] if typing.get_origin(given) is list and args else None


def _side_of_model(given: Any, models: Models, *, is_annotated: bool) -> Side:
    item = _item_of(given)
    return Side(
        shape=models.shape_of(given if item is None else item),
        is_list=item is not None,
        may_be_list=item is not None,
        is_annotated=is_annotated,
    )


def _by_simple_io(cls: type, simple: type) -> Declared:
    where = f"{cls.__name__}.SimpleIO"
    default = getattr(simple, "default_value", NO_DEFAULT)
    request_elem = _key(simple, "request_elem", "", where)
    response_elem = _key(simple, "response_elem", "response", where)
    is_repeated = bool(getattr(simple, "output_repeated", False))
    taken = _sio_side(simple, "input", Form(where=where, is_output=False, default=default))
    sent = "" if default is NO_DEFAULT else default
    given = _sio_side(simple, "output", Form(where=where, is_output=True, default=sent))
    return Declared(
        input=None if taken is None else replace(taken, element=request_elem),
        output=None if given is None else replace(given, element=response_elem, is_list=given.is_list or is_repeated),
        notes=_notes(simple, where),
    )


def _sio_side(simple: type, side: str, form: Form) -> Side | None:
    """Return one side of a SimpleIO, or None if it declares none."""
    model = getattr(simple, side, None)
    others = (f"{side}_required", f"{side}_optional")
    if _is_model_form(model) and not any(getattr(simple, name, None) for name in others):
        return _side_of_model(model, Models(), is_annotated=False)
    required, optional, both = (
        items_in(getattr(simple, name, None) or (), f"{form.where}.{name}")
        for name in (f"{side}_required", f"{side}_optional", side)
    )
    if not (required or optional or both):
        return None
    form = Form(where=f"{form.where}.{side}", is_output=form.is_output, default=form.default)
    return Side(shape=shape_of_items((*required, *both), form, optional=optional))


def _key(simple: type, name: str, default: str, where: str) -> str:
    given: object = getattr(simple, name, default)
    if given is None or isinstance(given, str):
        return given or ""
    raise ServiceDefinitionError(f"{where}.{name} is {given!r:.80}. Give the name of a key as text, or None.")


def _notes(simple: type, where: str) -> tuple[str, ...]:
    others = [name for name in vars(simple) if not name.startswith("_") and name not in OPTIONS]
    return tuple(f"{where}.{name} has no effect here. {hint_for(name, OPTIONS)}".rstrip() for name in others)


@dataclass(frozen=True, slots=True)
class _Found:
    """Where on a class an input or output is declared.

    Attributes:
        rank: how far up.
        owner: the class itself, or the base.
        said: the value, or the annotation.
    """

    rank: int
    owner: type
    said: Any
    is_annotated: bool


def _found(cls: type, name: str) -> _Found | None:
    """Return the nearest declaration, or None: methods and properties of the name are the service's own."""
    for rank, base in enumerate(cls.__mro__):
        given = vars(base).get(name)
        if given is not None:
            return None if _is_own(given) else _Found(rank, base, given, is_annotated=False)
        annotation = vars(base).get("__annotations__", {}).get(name, Any)
        if annotation is not Any:
            return _Found(rank, base, annotation, is_annotated=True)
        if name in vars(base):
            return None
    return None


def _is_own(given: Any) -> bool:
    if isinstance(given, type) or typing.get_origin(given) is not None:
        return False
    return callable(given) or hasattr(type(given), "__get__")


def _resolved(owner: type, name: str, annotation: Any) -> Any:
    """Return the type that an annotation stands for, as text too."""
    holder = type(owner.__name__, (), {"__annotations__": {name: annotation}, "__module__": owner.__module__})
    functions = (found for found in vars(owner).values() if isinstance(found, FunctionType))
    names = next((found.__globals__ for found in functions), vars(sys.modules.get(owner.__module__, sys)))
    try:
        return typing.get_type_hints(holder, globalns=names, localns=dict(vars(owner)))[name]
    except NameError as error:
        raise ServiceDefinitionError(
            f"{owner.__name__}.{name} is annotated as {annotation!r}, which cannot be found: {error}. Define or import "
            "it in the same module."
        ) from error


def _says_nothing(annotation: Any) -> bool:
    """Tell whether an annotation is of a type that any object is."""
    plain = typing.get_origin(annotation) or annotation
    return plain in (Any, object, dict, type(None), GenericAlias) or plain is typing.ClassVar
