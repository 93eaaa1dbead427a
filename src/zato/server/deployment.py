"""What is known of the services of one server: what is deployed, how often each ran, and which servers have it."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial

from zato.broker.batcher import Batcher
from zato.broker.cluster import Whereabouts
from zato.core.errors import ZatoError
from zato.server.counts import PATIENCE, Counting, Ran
from zato.server.registry import Deployed, Services, line_of
from zato.server.sources import Source, source_of
from zato.server.threads import Budget

__all__ = ["Deployment"]


class Deployment:
    """What built-in services tell of services. Used on the event loop only."""

    def __init__(self, services: Services, counts: Counting, reader: Batcher, readers: Budget, *, server: str) -> None:
        """Take what is deployed, what counts, what reads the store and files, and the name of this server."""
        self._services = services
        self._counts = counts
        self._reader = reader
        self._readers = readers
        self._server = server

    @property
    def all(self) -> Mapping[str, Deployed]:
        """What is deployed here, by name."""
        return self._services.current.by_name

    def get(self, name: str) -> Deployed:
        """Return a service.

        Raises:
            UnknownService: it is not deployed here.
        """
        return self._services.get(name)

    async def ran(self) -> Mapping[str, Ran]:
        """Return for each service that ran how often that was, and how often with an error, in the whole cluster."""
        return await self._counts.all()

    async def servers(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return which live servers have each of these services; if the store does not answer soon, this one."""
        here: dict[str, Sequence[str]] = dict.fromkeys(names, (self._server,))
        if not self._services.is_shared:
            return here
        with contextlib.suppress(ZatoError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return {**here, **await self._reader.ask(Whereabouts(tuple(names)))}
        return here

    async def source(self, deployed: Deployed) -> Source:
        """Return where and how a service is written, read on a thread."""
        if deployed.file is None:
            return Source()
        source: Source = await self._readers.run(partial(source_of, deployed), label=deployed.name)
        return source

    async def line(self, deployed: Deployed) -> int | None:
        """Return where the class of a service begins in its file, read on a thread; None of a built-in one."""
        if deployed.file is None:
            return None
        line: int | None = await self._readers.run(partial(line_of, deployed.kind), label=deployed.name)
        return line
