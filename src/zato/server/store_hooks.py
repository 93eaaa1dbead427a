"""What a class of services does when it is deployed: `before_add_to_store` and `after_add_to_store`.

Each is a class or static method that takes a logger, or nothing. The first may keep its class from being deployed, by
returning False. What they raise is the reason that people are told, as for what is raised at import.
"""

import inspect
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from zato.core.errors import ServiceDefinitionError
from zato.server.alarm import by_people, limited_to
from zato.server.load_errors import LoadError, hook_error
from zato.server.loader import Loaded, Loading
from zato.server.logs.kept import logging_kept
from zato.server.registry import Deployed, line_of

__all__ = ["after_add", "before_add"]

BEFORE = "before_add_to_store"
AFTER = "after_add_to_store"

logger = logging.getLogger("zato.server")


def before_add(loaded: Loaded, how: Loading) -> None:
    """Ask each class whether it wants to be deployed, take out those that do not, and log what is not deployed."""
    loaded.services = [service for service in loaded.services if _wants(service, loaded, how)]
    how.now_at("")
    for error in loaded.errors:
        logger.error("Not deployed: %s", error, exc_info=error.cause)
    for note in loaded.notes:
        logger.warning("%s", note)


def after_add(loaded: Loaded, how: Loading) -> None:
    """Tell each class that it is deployed. It stays so, whatever it raises."""
    for service in loaded.services:
        answer = _answer(service, AFTER, how)
        if isinstance(answer, LoadError):
            logger.error("Deployed, but %s", answer, exc_info=answer.cause)
            loaded.errors.append(answer)
    how.now_at("")


def _wants(service: Deployed, loaded: Loaded, how: Loading) -> bool:
    answer = _answer(service, BEFORE, how)
    if isinstance(answer, LoadError):
        loaded.errors.append(answer)
    elif answer is False:
        logger.info("Not deployed: %s, because its %s returned False", service.name, BEFORE)
    return not (answer is False or isinstance(answer, LoadError))


def _answer(service: Deployed, hook: str, how: Loading) -> Any:
    """Return what a hook returns, None if there is none, or what went wrong."""
    function = getattr(service.kind, hook, None)
    if function is None:
        return None
    how.now_at(service.file or "")
    try:
        with logging_kept(service.file or service.name):
            return limited_to(how.limit, partial(function, *_arguments(service, hook, function)))
    except BaseException as error:
        if by_people(error):
            raise
        name = f"{service.kind.__name__}.{hook}"
        return hook_error(Path(service.file or ""), line_of(service.kind), name, error)


def _arguments(service: Deployed, hook: str, function: Callable[..., object]) -> tuple[logging.Logger, ...]:
    """Return what a hook is called with: a logger, or nothing.

    Raises:
        ServiceDefinitionError: it takes something else, or would have to be awaited.
    """
    what = f"{service.kind.__name__}.{hook}"
    if inspect.iscoroutinefunction(function):
        raise ServiceDefinitionError(f"{what} is a coroutine, and nobody awaits it. Write 'def', without 'async'.")
    parameters = inspect.signature(function).parameters
    if next(iter(parameters), None) == "self":
        raise ServiceDefinitionError(f"{what} is called on the class. Put '@classmethod' or '@staticmethod' above it.")
    for arguments in ((logging.getLogger(service.name),), ()):
        if _takes(function, arguments):
            return arguments
    raise ServiceDefinitionError(f"{what} takes a logger, or nothing; it was written with {', '.join(parameters)}.")


def _takes(function: Callable[..., object], arguments: tuple[object, ...]) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    return True
