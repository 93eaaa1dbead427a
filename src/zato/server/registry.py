"""Name to service. A deployment is a whole new registry, so no reader ever sees half of one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from zato.core.errors import UnknownService
from zato.core.invocation import Lane
from zato.server.service import AsyncService, ServiceBase

__all__ = ["Deployed", "Registry", "Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One service as it is deployed.

    Attributes:
        make: makes the instance that handles one invocation.
        file: where the class is written, or None for built-ins.
    """

    name: str
    impl_name: str
    make: Callable[[], ServiceBase]
    is_async: bool
    is_internal: bool = False
    file: str | None = None

    @property
    def lane(self) -> Lane:
        """What an invocation takes while it runs."""
        return Lane.TASK if self.is_async else Lane.THREAD

    @classmethod
    def of(cls, service: type[ServiceBase], *, file: str | None = None) -> "Deployed":
        """Return a user's class as it is deployed."""
        return cls(
            name=service.get_name(),
            impl_name=service.get_impl_name(),
            make=service,
            is_async=issubclass(service, AsyncService),
            file=file,
        )

    @classmethod
    def builtin(cls, make: Callable[[], ServiceBase], service: type[ServiceBase]) -> "Deployed":
        """Return one of our own services; `make` gives its instances what they depend on."""
        return cls(
            name=service.get_name(),
            impl_name=service.get_impl_name(),
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
