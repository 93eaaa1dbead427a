"""`Model`, the base of dataclasses that services declare as input or output."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from zato.core.elements.inputs import text_of
from zato.core.elements.models import AnyShape, Models
from zato.core.elements.problems import Problem
from zato.core.errors import BadRequest, ServiceDefinitionError
from zato.core.masks import MASK, is_secret_name
from zato.core.payload import decode, to_text

__all__ = ["Model"]

METHODS = ("from_dict", "from_json", "to_dict", "to_json")


class Model:
    """The base of a dataclass whose instances are read from JSON and written to it.

    ```python
    @dataclass
    class Customer(Model):
        name: str
        phone: str | None = None
    ```
    """

    _zato_model = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the fields before `dataclass` does, so that the message says which one is wrong and what to write.

        Raises:
            ServiceDefinitionError: a field has the name of a method of models, or a default that all would share.
        """
        super().__init_subclass__(**options)
        # `dataclass` writes one that shows secrets, unless there is one.
        if "__repr__" not in vars(cls):
            cls.__repr__ = Model.__repr__  # type: ignore[method-assign]
        for name in vars(cls).get("__annotations__", {}):
            _check_field(cls, name)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the model that a dict stands for.

        Raises:
            BadRequest: something is missing, null or of the wrong type.
        """
        try:
            return _shape_of(cls).convert(values)  # type: ignore[no-any-return]
        except Problem as problem:
            message = problem.sentence(cls.__name__)
        raise BadRequest(message)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the model that a JSON object stands for.

        Raises:
            InvalidPayload: it is no JSON.
            BadRequest: something is missing, null or of the wrong type.
        """
        return cls.from_dict(decode(text))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, models in it as dicts, too."""
        names = (item.name for item in dataclasses.fields(self))  # type: ignore[arg-type]
        return {name: _plain(getattr(self, name)) for name in names if hasattr(self, name)}

    def to_json(self) -> str:
        """Return the model as the text of a JSON object."""
        return to_text(self.to_dict())

    def __repr__(self) -> str:
        names = [item.name for item in dataclasses.fields(self) if item.repr]  # type: ignore[arg-type]
        shown = (f"{name}={MASK if is_secret_name(name) else text_of(getattr(self, name, None))}" for name in names)
        return f"{type(self).__qualname__}({', '.join(shown)})"


def _shape_of(cls: type) -> AnyShape:
    """Return the shape of a model, compiled when it is first asked for."""
    if "_zato_shape" not in vars(cls):
        cls._zato_shape = Models().shape_of(cls)  # type: ignore[attr-defined]
    return vars(cls)["_zato_shape"]  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """Return a value with the models in it, and in its lists and dicts, as dicts."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _check_field(cls: type, name: str) -> None:
    default = vars(cls).get(name)
    if name in METHODS:
        raise ServiceDefinitionError(f"{cls.__name__}.{name}: models have a method of this name. Rename the field.")
    if isinstance(default, list | dict | set):
        raise ServiceDefinitionError(
            f"{cls.__name__}.{name} has a {type(default).__name__} as its default, which all instances would share. "
            f"Write field(default_factory=lambda: {default!r:.80})."
        )
