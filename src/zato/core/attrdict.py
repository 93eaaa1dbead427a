"""Dicts whose keys can be read and set as attributes."""

from typing import Any

__all__ = ["AttrDict", "as_attributes"]


class AttrDict(dict[str, Any]):
    """A dict whose keys are attributes too. A key that is no legal attribute is reached by item only."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"There is no {name!r} here, only {', '.join(map(repr, self)) or 'nothing'}."
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None


def as_attributes(value: Any) -> Any:
    """Return the value with every dict in it, and in its lists, as an `AttrDict`."""
    if isinstance(value, dict):
        return AttrDict({key: as_attributes(item) for key, item in dict.items(value)})
    if isinstance(value, list):
        return [as_attributes(item) for item in value]
    return value
