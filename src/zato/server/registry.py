"""Name to service. A deployment is a whole new registry, so no reader ever sees half of one."""

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from zato.core.call import MAX_TIME_LIMIT
from zato.core.errors import BadRequest, ServiceDefinitionError, UnknownService
from zato.core.invocation import Lane, Priority, Terms
from zato.core.options import max_concurrency_of, priority_of, queue_of
from zato.core.retry import Retry
from zato.server.plan import Plan
from zato.server.service import AsyncService, ServiceBase
from zato.server.tally import Tally

__all__ = ["Deployed", "Registry", "Services", "Stamp", "line_of", "stamp_of"]

NO_TERMS = Terms()

logger = logging.getLogger("zato.server")

Checked = TypeVar("Checked")
# Tells one content of a file from another: when it was written, and its size.
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One service as it is deployed.

    Attributes:
        kind: the class.
        make: makes the instance that handles one invocation.
        plan: how the class runs: its hooks, and what it declares of input and output.
        file: where the class is written, or None for built-ins.
        terms: what the class says of background calls that do not say it themselves.
        stamp: what told the file as it was imported from any later one, or None.
        tally: how often it ran.
    """

    name: str
    impl_name: str
    kind: type[ServiceBase]
    make: Callable[[], ServiceBase]
    is_async: bool
    is_internal: bool = False
    plan: Plan
    file: str | None = None
    terms: Terms = NO_TERMS
    stamp: Stamp | None = None
    tally: Tally = field(default_factory=Tally, compare=False, repr=False)

    @property
    def time_limit(self) -> float | None:
        """Seconds that one run may take, unless a background call says otherwise, or None."""
        return self.terms.time_limit

    @property
    def lane(self) -> Lane:
        """What an invocation takes while it runs."""
        return Lane.TASK if self.is_async else Lane.THREAD

    @classmethod
    def of(cls, service: type[ServiceBase], *, file: str | None = None, stamp: Stamp | None = None) -> "Deployed":
        """Return a user's class as it is deployed.

        Args:
            service: the class.
            file: where it is written.
            stamp: of that file, from before it was imported.

        Raises:
            ServiceDefinitionError: what it declares, or says of background calls, is not legal.
        """
        plan = Plan.of(service)
        for note in plan.contract.notes:
            logger.warning("%s: %s", service.get_name(), note)
        return cls(
            name=service.get_name(),
            impl_name=service.get_impl_name(),
            kind=service,
            make=service,
            is_async=issubclass(service, AsyncService),
            plan=plan,
            file=file,
            stamp=stamp,
            terms=_terms_of(service),
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
            plan=Plan.of(service),
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

    def resolved(self, asked: str) -> str:
        """Return the name of what is asked for by name, or by implementation; of what there is not, what was asked."""
        return asked if asked in self._by_name else self.by_impl_name.get(asked, asked)

    def lanes(self) -> dict[str, Lane]:
        """Return the lane of every service."""
        return {name: service.lane for name, service in self._by_name.items()}

    def terms(self) -> dict[str, Terms]:
        """Return what the classes say of background calls, of those that say anything."""
        return {name: service.terms for name, service in self._by_name.items() if service.terms != NO_TERMS}


ELSEWHERE = "if another one of the cluster has it, ask that one, or call it in the background."


class Services:
    """What calls may name: what is deployed here, and what other servers have, as far as somebody asked for it.

    Attributes:
        current: the registry in force; swapped as a whole by a deployment.
        elsewhere: the terms of services of other servers, noted by `zato.server.elsewhere`.
        is_shared: whether there may be other servers.
    """

    def __init__(self, current: Registry | None = None, *, is_shared: bool = False) -> None:
        """Start with a registry, or with an empty one."""
        self.current = current or Registry()
        self.is_shared = is_shared
        self.elsewhere: dict[str, Terms] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.current.by_name or name in self.elsewhere

    def __iter__(self) -> Iterator[str]:
        return iter({*self.current.by_name, *self.elsewhere})

    def __len__(self) -> int:
        return len({*self.current.by_name, *self.elsewhere})

    def get(self, name: str) -> Deployed:
        """Return a service that is deployed here.

        Raises:
            UnknownService: it is not, whatever other servers have.
        """
        try:
            return self.current.get(name)
        except UnknownService as error:
            if self.is_shared:
                raise UnknownService(f"{error} This server was asked; {ELSEWHERE}") from error
            raise

    def terms_of(self, name: str) -> Terms | None:
        """Return what a service's class says of background calls, or None if nobody is known to have it."""
        here = self.current.by_name.get(name)
        return self.elsewhere.get(name) if here is None else here.terms


def stamp_of(file: str) -> Stamp | None:
    """Return what tells the file as it is now from what it will be once it is changed, or None if it is not there."""
    try:
        found = Path(file).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def line_of(service: type) -> int | None:
    """Return the line at which a class begins in its file, or None if nobody knows."""
    try:
        return inspect.getsourcelines(service)[1]
    except (OSError, TypeError):
        return None


def _terms_of(service: type[ServiceBase]) -> Terms:
    return Terms(
        max_concurrency=_checked(service, service.max_concurrency, max_concurrency_of),
        retry=_checked(service, service.retry, Retry.of),
        time_limit=_time_limit_of(service),
        priority=_checked(service, _word_of(service, "priority"), priority_of),
        queue=_checked(service, _word_of(service, "queue"), queue_of),
    )


def _word_of(service: type[ServiceBase], option: str) -> object:
    """Return what a class says of an option whose name services older than the option use for things of their own."""
    given: object = getattr(service, option)
    if given is None or isinstance(given, str | Priority):
        return given
    logger.warning(
        "%s.%s is of type %s, so it is taken as the service's own and says nothing of its background calls; for that, "
        "give a text",
        service.__name__,
        option,
        type(given).__name__,
    )
    return None


def _checked(service: type[ServiceBase], given: object, check: Callable[[object], Checked]) -> Checked | None:
    try:
        return None if given is None else check(given)
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
