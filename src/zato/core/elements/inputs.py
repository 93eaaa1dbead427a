"""What `self.request.input` is: a dict whose elements can be read as attributes, and which shows no secret."""

import copy
from collections.abc import Iterable
from typing import Any, Self, SupportsIndex

from zato.core.attrdict import AttrDict
from zato.core.masks import MASK, Masks, is_secret_name

__all__ = ["Input", "input_class", "text_of"]

_masks = Masks()


class Input(AttrDict):
    """The elements of an input, by item and by attribute. A declared name is never a method of dict."""

    _zato_secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: {self._shown(name, value)}' for name, value in dict.items(self))}}}"

    def _shown(self, name: str, value: Any) -> str:
        if name in self._zato_secrets or is_secret_name(name):
            return repr(MASK)
        return text_of(value)

    def __copy__(self) -> Self:
        return type(self)(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # By item: an element may be called `items`, which is what copies and pickles are made with otherwise.
        return type(self)({name: copy.deepcopy(value, memo) for name, value in dict.items(self)})

    def __reduce__(self) -> tuple[Any, ...]:
        return Input, (dict(self),)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return self.__reduce__()


def text_of(value: Any) -> str:
    """Return the text of a value without secrets; objects of their own know which of their elements are."""
    if type(value) is list:
        return f"[{', '.join(map(text_of, value))}]"
    return repr(_masks.value(value) if type(value) in (dict, AttrDict, str) else value)


def input_class(names: Iterable[str], secrets: Iterable[str]) -> type[Input]:
    """Return the class of the inputs of one declaration.

    Args:
        names: of its elements. Those that dicts have as methods become properties.
        secrets: those whose values are not shown.
    """
    covered = {name: _element(name) for name in names if hasattr(AttrDict, name) and not name.startswith("__")}
    return type("Input", (Input,), {**covered, "_zato_secrets": frozenset(secrets), "__slots__": ()})


def _element(name: str) -> property:
    return property(lambda found: AttrDict.__getattr__(found, name))
