"""Name to service. A deployment is a whole new registry, so no reader ever sees half of one."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from zato.core.call import MAX_TIME_LIMIT
from zato.core.errors import BadRequest, ServiceDefinitionError, UnknownService
from zato.core.invocation import Lane
from zato.core.retry import Retry
from zato.server.service import AsyncService, ServiceBase

__all__ = ["Deployed", "Registry", "Services", "line_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One service as it is deployed.

    Attributes:
        kind: the class.
        make: makes the instance that handles one invocation.
        file: where the class is written, or None for built-ins.
        retry: what the class says of background calls that do not say it themselves, or None.
        time_limit: seconds that one run may take, unless a background call says otherwise, or None.
    """

    name: str
    impl_name: str
    kind: type[ServiceBase]
    make: Callable[[], ServiceBase]
    is_async: bool
    is_internal: bool = False
    file: str | None = None
    retry: Retry | None = None
    time_limit: float | None = None

    @property
    def lane(self) -> Lane:
        """What an invocation takes while it runs."""
        return Lane.TASK if self.is_async else Lane.THREAD

    @classmethod
    def of(cls, service: type[ServiceBase], *, file: str | None = None) -> "Deployed":
        """Return a user's class as it is deployed.

        Raises:
            ServiceDefinitionError: its `retry` or `time_limit` is not legal.
        """
        return cls(
            name=service.get_name(),
            impl_name=service.get_impl_name(),
            kind=service,
            make=service,
            is_async=issubclass(service, AsyncService),
            file=file,
            retry=_retry_of(service),
            time_limit=_time_limit_of(service),
        )

    @classmethod
    def builtin(cls, make: Callable[[], ServiceBase], service: type[ServiceBase]) -> "Deployed":
        """Return one of our own services; `make` gives its instances what they depend on."""
        return cls(
            name=service.get_name(),
            impl_name=service.get_impl_name(),
            kind=service,
            make=make,
            is_async=issubclass(service, AsyncService),
            is_internal=True,
        )


class Registry:
    """The services of one deployment. Never changes."""

    def __init__(self, services: Iterable[Deployed] = ()) -> None:
        """Take the services; a later one of the same name wins."""
        self._by_name = {service.name: service for service in services}
        self.by_name: Mapping[str, Deployed] = MappingProxyType(self._by_name)
        self.by_impl_name = {service.impl_name: service.name for service in self._by_name.values()}

    def get(self, name: str) -> Deployed:
        """Return a service by its name.

        Raises:
            UnknownService: nothing is deployed under it.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownService.named(name, deployed=self._by_name) from None

    def lanes(self) -> dict[str, Lane]:
        """Return the lane of every service."""
        return {name: service.lane for name, service in self._by_name.items()}


class Services:
    """The registry in force; `current` is swapped as a whole by a deployment."""

    def __init__(self, current: Registry | None = None) -> None:
        """Start with a registry, or with an empty one."""
        self.current = current or Registry()


def line_of(service: type) -> int | None:
    """Return the line at which a class begins in its file, or None if nobody knows."""
    try:
        return inspect.getsourcelines(service)[1]
    except (OSError, TypeError):
        return None


def _retry_of(service: type[ServiceBase]) -> Retry | None:
    given: object = service.retry
    try:
        return None if given is None else Retry.of(given)
    except BadRequest as error:
        raise ServiceDefinitionError(f"{service.__name__}: {error}") from error


def _time_limit_of(service: type[ServiceBase]) -> float | None:
    given: object = service.time_limit
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given <= MAX_TIME_LIMIT:
        return given
    raise ServiceDefinitionError(
        f"{service.__name__}: time_limit={given!r:.100} is not legal: give seconds above 0, or None."
    )
