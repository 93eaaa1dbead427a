"""The composition root: turns settings into objects, and owns the order of start and stop.

Start: the store first, because without it nothing can be promised; then the server's name, because what is
done under it must not be another server's; then the services, because calls of what is not deployed are
stranded; then the doors, because behind an open door everything works; the worker last, when the supervisor
knows that this process works: a call that the store keeps may kill it at once. Stop, the other way round:
readiness says no, so that balancers look elsewhere; doors close before the worker, and the worker before the
store, so that nothing is accepted that cannot be stored and everything that ended is recorded.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from zato.broker.base import Announce, Applied, Backend, Clock, Reclaim
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, durability, is_shared, open_backend, open_bell, open_reader
from zato.core.envelope import ADMIN_USER, API_USER
from zato.core.settings import Settings
from zato.environment import Credentials
from zato.server.attendance import Attendance, identity_of
from zato.server.bell import Bell
from zato.server.builtins import Parts, builtins_of
from zato.server.counts import Counting
from zato.server.deployment import Deployment
from zato.server.dispatcher import Dispatcher
from zato.server.elsewhere import Elsewhere
from zato.server.facilities import facilities_of, server_info
from zato.server.front import Front
from zato.server.gate import Gate
from zato.server.http.admin import AdminDoor
from zato.server.http.api import ApiDoor
from zato.server.http.auth import BasicAuth
from zato.server.http.health import Health
from zato.server.http.listener import Listener
from zato.server.http.routes import Application
from zato.server.http.rsgi import RSGIAdapter
from zato.server.loader import Loaded, Loading, load_folder
from zato.server.locks import Locks
from zato.server.logs.root import Logs
from zato.server.orders import Orders
from zato.server.people.checkpoint import Checkpoint
from zato.server.people.people import People
from zato.server.publisher import Publisher
from zato.server.records import Records
from zato.server.registry import Deployed, Registry, Services
from zato.server.state import State
from zato.server.store_hooks import after_add, before_add
from zato.server.threads import Budget, Threads
from zato.server.waiters import Waiters
from zato.server.worker import Limits, Worker
from zato.tls import tls_files

__all__ = ["OpenBackend", "Server"]

ADMIN_REALM = "Zato admin invoke"
API_REALM = "Zato API"
POLL = 0.02
# Large inputs that are read at once. More of them would leave the event loop a smaller share of the processor.
READERS = 2
# Seconds that cancelled requests have to find out whether what they asked for was stored.
LAST_WORDS = 5.0
# Identity of an environment whose store only its own processes use.
ALONE = "alone"

logger = logging.getLogger("zato.server")

OpenBackend = Callable[[Location, Clock], Backend]


class Server:
    """One worker process of a server, from its settings to its open doors and back."""

    def __init__(
        self, orders: Orders, logs: Logs, *, max_connections: int, opened_by: OpenBackend = open_backend
    ) -> None:
        """Build everything. Call on the event loop; nothing runs before `start`.

        Raises:
            EnvironmentFault: the broker's file cannot be used.
        """
        loop = asyncio.get_running_loop()
        environment, settings, clock = orders.environment, orders.settings, SystemClock()
        self._orders = orders
        self._logs = logs
        access = None if logs.access is None else logs.access.put
        self._environment = environment
        self._settings = settings
        self._started = datetime.now(UTC)
        self._services = Services(is_shared=is_shared(settings.broker))
        self._location = location = _location(orders)
        self._bell = open_bell(location, loop) or Bell(
            environment.run, worker=orders.worker, workers=settings.workers, loop=loop
        )
        self._batcher = Batcher(opened_by(location, clock), loop, shares=_gathers(settings))
        self._reader = Batcher(open_reader(location, clock), loop)
        self._threads = Threads(loop, keep=settings.http_threads + settings.background_threads)
        self._budget = Budget(self._threads, settings.http_threads, name="HTTP slots")
        elsewhere = Elsewhere(self._services, self._batcher) if is_shared(settings.broker) else None
        self._publisher = publisher = Publisher(
            self._services, self._batcher, max_stored=settings.max_stored, elsewhere=elsewhere
        )
        self._host = socket.gethostname()
        info = server_info(orders, self._host, self._started)
        self._facilities = facilities_of(orders, location, info, services=self._services, threads=self._threads)
        locks = Locks(self._batcher, orders.holder)
        self._people = People(self._batcher, self._reader, locks, settings, loop=loop)
        dispatcher = Dispatcher(
            self._services,
            self._threads,
            publisher,
            locks,
            facilities=self._facilities,
            loop=loop,
            max_depth=settings.max_depth,
        )
        self._worker = Worker(
            orders.holder,
            self._batcher,
            self._services,
            dispatcher,
            self._threads,
            limits=_limits(settings),
            access=access,
        )
        # Nobody shares an embedded store: who was heard of there is an earlier run, even one on a host of another name.
        shared = is_shared(settings.broker)
        identity = identity_of(environment.data, self._host, clock.boot_id()) if shared else ALONE
        self._state = State(
            orders=orders,
            identity=identity,
            host=self._host,
            server=self._facilities.server,
            started=self._started,
            services=self._services,
            dispatcher=dispatcher,
            threads=self._threads,
            budget=self._budget,
            worker=self._worker,
        )
        self._attendance = Attendance(
            self._batcher, self._state.member, alive_for=settings.lease, cluster=settings.cluster
        )
        self._counts = Counting(
            self._services, self._batcher, self._reader, orders.holder, is_alone=not shared and settings.workers == 1
        )
        self._readers = Budget(self._threads, READERS, name="readers of large inputs")
        self._deployment = Deployment(self._services, self._counts, self._reader, self._readers, server=settings.name)
        self._front = Front(
            self._services, dispatcher, publisher, self._budget, self._readers, max_response=settings.max_response
        )
        self._waiters = Waiters()
        self._gate = Gate(settings.max_requests)
        self._health = Health(self._stuck)
        self._adapter = RSGIAdapter(
            self._application(dispatcher, orders.credentials),
            max_body=settings.max_body,
            body_timeout=settings.body_timeout,
            access=access,
        )
        tls = tls_files(settings, environment.path)
        self._listener = Listener(self._adapter, settings.host, settings.port, max_connections=max_connections, tls=tls)

    def _application(self, dispatcher: Dispatcher, credentials: Credentials) -> Application:
        settings = self._settings
        admin = BasicAuth(ADMIN_USER, credentials.admin_invoke, ADMIN_REALM)
        pubapi = BasicAuth(API_USER, credentials.pubapi, API_REALM)
        checkpoint = Checkpoint(self._people, self._services)
        default_expiration = settings.honour_default_expiration
        return Application(
            AdminDoor(self._front, admin, self._readers, checkpoint, honour_default_expiration=default_expiration),
            ApiDoor(dispatcher, self._budget, self._readers, pubapi, max_response=settings.max_response),
            self._health,
            gate=self._gate,
            tracebacks=settings.return_tracebacks,
        )

    async def start(self, now_at: Callable[[str], None] = lambda _: None) -> Loaded:
        """Open the store, take the server's name, load the services, open the doors.

        Readiness says no, and no background work is begun, until `go`. Returns what was loaded and what was not.

        Args:
            now_at: told each file before it is imported.

        Raises:
            EnvironmentFault: the port or the server's name is taken, or the broker's file cannot be used.
        """
        self._batcher.on_ended = self._ended
        self._batcher.on_applied = self._tell_others
        self._batcher.start()
        self._reader.start()
        self._bell.listen(self._heard)
        self._attendance.on_drain = self._drain
        await self._attendance.begin()
        if self._orders.worker == 1 and not self._orders.replaces:
            self._say_how_durable()
        freed = await self._batcher.ask(Reclaim(self._orders.holder))
        if freed:
            logger.warning("Calls that lost their process and run again: %d", freed)
        # A process that this one replaces may have died between a commit and telling of it.
        self._bell.ring(ready=True, ended=None)
        how = Loading(limit=self._settings.import_timeout, now_at=now_at, ended_by=self._orders.ended_by)
        loaded = load_folder(self._environment.services, how)
        await self.deploy(loaded, how)
        await self._attendance.confirm()
        self._counts.begin()
        await self._people.accounts.begin(self._orders.credentials.first_user_hash)
        await self._listener.open()
        return loaded

    def go(self) -> None:
        """Let readiness say yes from now on, and begin with background work."""
        self._health.not_ready = ""
        # One process of a server is enough to delete what is old.
        self._worker.start(purges=self._orders.worker == 1)

    async def deploy(self, loaded: Loaded, how: Loading) -> None:
        """Put loaded services in force, together with the built-in ones."""
        before_add(loaded, how)
        registry = Registry([*loaded.services, *self._builtins()])
        missing = await self._batcher.ask(
            Announce(
                registry.lanes(),
                only_add=self._orders.replaces,
                terms=registry.terms(),
                server=self._settings.name,
            )
        )
        if missing:
            logger.error(
                "This process does not have what others of the server have, because files were changed since its "
                "start: %s. Put it right, and start the server again",
                ", ".join(missing),
            )
        self._services.current = registry
        after_add(loaded, how)

    async def stop(self) -> None:
        """Close the doors, let work end, record it, give back the rest, close the store.

        Whoever waits for an outcome is answered at once: nobody knows how long that would take.
        """
        try:
            await self._wind_down()
        finally:
            await self.close()

    async def _wind_down(self) -> None:
        settings = self._settings
        self._health.not_ready = "stopping"
        self._waiters.release_all()
        await asyncio.sleep(settings.drain)
        self._health.closing = True
        self._worker.stop_leasing()
        self._listener.close()
        deadline = time.monotonic() + settings.grace
        await self._until(
            lambda: self._adapter.in_progress == self._adapter.half_sent and not self._worker.is_busy, deadline
        )
        self._adapter.end_all()
        await self._until(lambda: not self._adapter.in_progress, time.monotonic() + LAST_WORDS)
        await self._worker.release_all()

    async def close(self) -> None:
        """Close what `__init__` and `start` opened, at once."""
        await self._listener.closed()
        self._counts.end()
        await self._attendance.end()
        self._threads.close()
        self._people.close()
        self._facilities.close()
        for batcher in (self._reader, self._batcher):
            await asyncio.get_running_loop().run_in_executor(None, batcher.close)
        self._bell.close()

    def _say_how_durable(self) -> None:
        line, problems = durability(self._location)
        if line:
            logger.info("%s", line)
        for problem in problems:
            logger.warning("%s: %s", line, problem)

    def _drain(self, draining: bool) -> None:
        self._state.draining = self._health.draining = draining
        self._worker.drain(draining=draining)

    def _ended(self, ids: Sequence[str]) -> None:
        """Pass on which invocations have their outcome, whichever process recorded it."""
        self._waiters.announce(ids)
        self._worker.ended(ids)

    def _tell_others(self, applied: Applied) -> None:
        self._bell.ring(ready=applied.ready, ended=applied.ended)

    def _heard(self, ready: bool, ended: Sequence[str] | None) -> None:
        """Act on what another process did."""
        if ended is None:
            self._waiters.wake_all()
        elif ended:
            self._ended(ended)
        if ready:
            self._batcher.on_ready()

    async def _until(self, condition: Callable[[], bool], deadline: float) -> None:
        while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 -- many places end work
            await asyncio.sleep(POLL)

    def _stuck(self) -> str:
        for kind, slots in (("HTTP", self._budget), ("background", self._worker)):
            if slots.stuck:
                return f"every {kind} slot for blocking services is held by a call that ran out of time"
        return ""

    def _builtins(self) -> list[Deployed]:
        parts = Parts(
            settings=self._settings,
            batcher=self._batcher,
            reader=self._reader,
            publisher=self._publisher,
            front=self._front,
            records=Records(self._batcher, self._reader, self._waiters, self._gate),
            people=self._people,
            levels=self._logs.levels,
            state=self._state,
            deployment=self._deployment,
            slots=self._budget,
        )
        return builtins_of(parts)


def _gathers(settings: Settings) -> bool:
    """Tell whether a busy store thread pauses between batches: for the sake of others, or because each is a journey."""
    return settings.workers > 1 or is_shared(settings.broker)


def _location(orders: Orders) -> Location:
    settings = orders.settings
    return Location(
        broker=settings.broker,
        data=orders.environment.data,
        cluster=settings.cluster,
        replicas=settings.replicas,
        password=orders.credentials.broker_password,
        fsync=settings.redis_fsync,
        tag=f"{orders.run}/{orders.worker}",
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        threads=settings.background_threads,
        tasks=settings.background_tasks,
        lease=settings.lease,
        max_takeovers=settings.max_takeovers,
        max_stored=settings.max_stored,
        retention=settings.retention,
        audit_retention=settings.audit_retention,
    )
