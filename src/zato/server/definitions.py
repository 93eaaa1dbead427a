"""Which classes of a user's module are services, and which of those cannot be one as they are written."""

import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from types import ModuleType

from zato.core.errors import ServiceDefinitionError
from zato.core.names import RESERVED_PREFIX, check_name, is_reserved
from zato.server.plan import VERBS, has_handle
from zato.server.service import AsyncService, Service, ServiceBase

__all__ = ["check_class", "classes_of", "is_service", "why_no_service"]

HANDLERS = ("handle", *(f"handle_{verb}" for verb in VERBS))
BASES = (ServiceBase, Service, AsyncService)
# What a misspelt name has in common with the right one, as `difflib` measures it.
ALIKE = 0.7


def classes_of(module: ModuleType) -> Iterator[type[ServiceBase]]:
    """Yield the classes that a module defines as services or as bases of services, in the order they are written."""
    for value in dict.fromkeys(value for value in vars(module).values() if isinstance(value, type)):
        if issubclass(value, ServiceBase) and value.__module__ == module.__name__:
            yield value


def is_service(cls: type[ServiceBase]) -> bool:
    """Tell whether a class, or one that it inherits from, has a `handle` or something like `handle_GET`."""
    return has_handle(cls) or any(hasattr(cls, handler) for handler in HANDLERS[1:])


def why_no_service(cls: type[ServiceBase]) -> str:
    """Return why a class without `handle` is none, or an empty text if it is a base of others."""
    if cls.__subclasses__():
        return ""
    own = [name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("__")]
    meant = next((name for name in own if _resembles_a_handler(name)), None)
    hint = f"Is {meant!r} meant to be 'handle'?" if meant else "Add one if it is to be a service."
    return f"{cls.__name__} has no 'handle', so it is not deployed, and no class inherits from it. {hint}"


def _resembles_a_handler(name: str) -> bool:
    return bool(get_close_matches(name.lower(), ("handle", "handler"), n=1, cutoff=ALIKE))


def check_class(cls: type[ServiceBase]) -> None:
    """Refuse a class that cannot be a service.

    Raises:
        InvalidName: its name is not legal.
        ServiceDefinitionError: its name is reserved, or a method of it is of the wrong kind.
    """
    name = check_name(cls.get_name())
    if is_reserved(name):
        raise ServiceDefinitionError(
            f"{cls.__name__} is named {name!r}; names that start with {RESERVED_PREFIX!r} are reserved. {_rename(cls)}"
        )
    if has_handle(cls):
        _check_kind(cls)
    for handler in HANDLERS:
        if hasattr(cls, handler):
            _check_arguments(cls.__name__, handler, getattr(cls, handler), "self.request.payload has the input.")
    if cls.__init__ is not object.__init__:
        _check_arguments(cls.__name__, "__init__", cls.__init__, "An instance is made for each invocation.")


def _rename(cls: type[ServiceBase]) -> str:
    if cls.__dict__.get("name"):
        return "Give it another 'name'."
    return "It has that name from its file: rename the file, or give the class a 'name'."


def _check_kind(cls: type[ServiceBase]) -> None:
    is_coroutine = inspect.iscoroutinefunction(cls.handle)  # type: ignore[attr-defined]
    if issubclass(cls, AsyncService) and not is_coroutine:
        raise ServiceDefinitionError(
            f"{cls.__name__}.handle is no coroutine. Write 'async def handle', or subclass Service."
        )
    if issubclass(cls, Service) and is_coroutine:
        raise ServiceDefinitionError(f"{cls.__name__}.handle is a coroutine. Subclass AsyncService instead of Service.")


def _check_arguments(class_name: str, method: str, function: Callable[..., object], hint: str) -> None:
    """Refuse a method that cannot be called with nothing but `self`."""
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise ServiceDefinitionError(f"{class_name}.{method} takes nothing but self; {error}. {hint}") from error
