"""What stands in for a service: a value, an error, a function or another class."""

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from zato.server.registry import Deployed
from zato.server.service import AsyncService, Service, ServiceBase

__all__ = ["replacement"]

Function = Callable[[Any], Any]


class Replacement(Service):
    """Answers what a function returns for its payload."""

    def __init__(self, function: Function) -> None:
        """Take the function."""
        self._function = function

    def handle(self) -> Any:
        """Return what the function returns."""
        return self._function(self.request.payload)


class AsyncReplacement(AsyncService):
    """Answers what a coroutine function returns for its payload."""

    def __init__(self, function: Function) -> None:
        """Take the function."""
        self._function = function

    async def handle(self) -> Any:
        """Return what the function returns."""
        return await self._function(self.request.payload)


def replacement(name: str, answer: object) -> Deployed:
    """Return what answers in place of the service of a name.

    Args:
        name: the service that is replaced; it need not be deployed.
        answer: a service class, which runs under that name; a function of the payload, whose result is the response;
            an exception, or a class of them, which is raised; anything else is the response itself.
    """
    if isinstance(answer, type) and issubclass(answer, ServiceBase):
        return replace(Deployed.of(answer), name=name)
    function = _function_of(answer)
    kind = AsyncReplacement if inspect.iscoroutinefunction(function) else Replacement
    deployed = Deployed.builtin(partial(kind, function), kind)
    return replace(deployed, name=name, impl_name=f"{kind.get_impl_name()}:{name}", is_internal=False)


def _function_of(answer: Any) -> Function:
    if isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException)):
        return partial(_raise, answer)
    return answer if callable(answer) else partial(_copy_of, answer)


def _raise(error: BaseException | type[BaseException], _: Any) -> None:
    raise error


def _copy_of(answer: Any, _: Any) -> Any:
    """Return a copy: what one caller does to its response, the next one does not see."""
    return deepcopy(answer)
