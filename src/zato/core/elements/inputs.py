"""What `self.request.input` is: a dict whose elements can be read as attributes, and which shows no secret."""

from collections.abc import Iterable
from typing import Any

from zato.core.attrdict import AttrDict
from zato.core.masks import MASK, Masks, is_secret_name

__all__ = ["Input", "input_class"]

_masks = Masks()


class Input(AttrDict):
    """The elements of an input, by item and by attribute. A declared name is never a method of dict."""

    _zato_secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name!r}: {self._shown(name, value)}' for name, value in dict.items(self))}}}"

    def _shown(self, name: str, value: Any) -> str:
        if name in self._zato_secrets or is_secret_name(name):
            return repr(MASK)
        return repr(_masks.value(value) if type(value) in (dict, AttrDict, list, str) else value)


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
