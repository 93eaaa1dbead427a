"""Running a service: make an instance, have it go through its stages, return its response.

A blocking service that another blocking one invokes is a function call on the same thread. Everything
else that crosses between threads and the event loop is here, and nowhere else.
"""

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from zato.core.call import AsyncCall, Call
from zato.core.errors import InvocationCancelled, InvocationTimeout, RecursiveInvocation
from zato.core.facilities import Facilities
from zato.core.lock import LockWish
from zato.core.stop import StopSign
from zato.server.failures import contained, run_contained
from zato.server.locks import Locks
from zato.server.plan import run_blocking, run_on_loop
from zato.server.publisher import Publisher
from zato.server.registry import Deployed, Services
from zato.server.scope import enter, leave
from zato.server.service import AsyncService, Response, Service, ServiceBase
from zato.server.threads import Budget, Threads

__all__ = ["Dispatcher"]

Ran = TypeVar("Ran")
Shaped = TypeVar("Shaped")


class Dispatcher:
    """Runs services. It is the `Runtime` that a running service talks to."""

    def __init__(
        self,
        services: Services,
        threads: Threads,
        publisher: Publisher,
        locks: Locks,
        *,
        facilities: Facilities,
        loop: asyncio.AbstractEventLoop,
        max_depth: int,
    ) -> None:
        """Take what is deployed, where blocking services run, what they may ask for, and how deep they may nest."""
        self.facilities = facilities
        self._services = services
        self._threads = threads
        self._publisher = publisher
        self._locks = locks
        self._loop = loop
        self._max_depth = max_depth
        # By what only one root call has, and what is quick to look up.
        self._roots: dict[StopSign, ServiceBase] = {}

    def roots(self) -> list[tuple[Call, float]]:
        """Return the calls that run now, without those that services made, each with the Unix time of its beginning.

        One that nobody waits for any more is among them until its thread ends.
        """
        return [(service._call, service._began) for service in list(self._roots.values())]

    async def run_root(
        self, call: Call, shape: Callable[[Response], Shaped], budget: Budget, timeout: float | None = None
    ) -> Shaped:
        """Run a call that came through a door, and return its response as `shape` makes it.

        `shape` runs where the service ran, so that a large response does not hold up the event loop.

        Raises:
            UnknownService: nothing is deployed under the name.
            InvocationTimeout: `timeout` seconds ran out, or the service's own `time_limit`. A blocking service
                keeps its slot to its end.
            Exception: whatever the service or `shape` raised; never one that would end the process.
        """
        deployed = self._services.get(call.service)
        limit = _shorter(timeout, deployed.time_limit)
        try:
            if deployed.is_async:
                return shape(await self._within(limit, deployed, call, self.run_on_loop(deployed, call)))
            return await budget.run(  # type: ignore[no-any-return]
                lambda: self.run_shaped(deployed, call, shape), label=call.service, timeout=limit
            )
        except BaseException as error:
            if isinstance(error, InvocationTimeout) and call.stop in self._roots:
                deployed.tally.errors += 1
            call.stop.set()
            raise

    def run_shaped(self, deployed: Deployed, call: Call, shape: Callable[[Response], Shaped]) -> Shaped:
        """Run a blocking service on this thread. What it raises is contained."""
        return run_contained(lambda: shape(self.run_on_thread(deployed, call)))

    def run_on_thread(self, deployed: Deployed, call: Call) -> Response:
        """Run a blocking service on this thread and return its response.

        It has a context of its own: what it sets in context variables is not there for what the thread runs next.
        """
        return copy_context().run(self._run_here, deployed, call)

    def _run_here(self, deployed: Deployed, call: Call) -> Response:
        enter(call)
        deployed.tally.calls += 1
        try:
            service = deployed.make()
            assert isinstance(service, Service)  # noqa: S101 -- `is_async` says so; for the type checker
            service._bind(call, self)
            if call.chain:
                return run_blocking(service, deployed.plan)
            self._roots[call.stop] = service
            try:
                return run_blocking(service, deployed.plan)
            finally:
                del self._roots[call.stop]
        except BaseException:
            if not call.stop.is_set:
                deployed.tally.errors += 1
            raise

    async def run_on_loop(self, deployed: Deployed, call: Call) -> Response:
        """Run an asynchronous service and return its response. What it raises is contained."""
        token = enter(call)
        deployed.tally.calls += 1
        try:
            service = deployed.make()
            assert isinstance(service, AsyncService)  # noqa: S101 -- as above
            service._bind(call, self)
            if call.chain:
                return await run_on_loop(service, deployed.plan)
            self._roots[call.stop] = service
            try:
                return await run_on_loop(service, deployed.plan)
            finally:
                del self._roots[call.stop]
        except BaseException as error:
            is_stopped = isinstance(error, asyncio.CancelledError) and _is_cancelled()
            if not (is_stopped or call.stop.is_set):
                deployed.tally.errors += 1
            # Not kept in a variable, as in `run_contained`.
            if contained(error) is error or is_stopped:
                raise
            raise contained(error) from error
        finally:
            leave(token)

    def invoke_here(self, call: Call, timeout: float | None) -> Response:
        """Run another service for one that blocks on this thread. See `zato.core.runtime.Runtime`."""
        deployed = self._nested(call)
        limit = _shorter(timeout, deployed.time_limit)
        if limit is None and not deployed.is_async:
            return self.run_on_thread(deployed, call)
        call.stop = StopSign(call.stop)
        if deployed.is_async:
            running = asyncio.run_coroutine_threadsafe(self.run_on_loop(deployed, call), self._loop)
            with call.stop.calling(running.cancel):
                return _wait(running, limit, deployed, call)
        extra: concurrent.futures.Future[Response] = concurrent.futures.Future()
        self._threads.start(_filling(extra, lambda: self.run_on_thread(deployed, call)), partial(_not_run, extra))
        return _wait(extra, limit, deployed, call)

    async def invoke(self, call: Call, timeout: float | None) -> Response:
        """Run another service for one on the event loop. See `zato.core.runtime.Runtime`."""
        deployed = self._nested(call)
        limit = _shorter(timeout, deployed.time_limit)
        call.stop = StopSign(call.stop)
        if deployed.is_async:
            return await self._within(limit, deployed, call, self.run_on_loop(deployed, call))
        running = self._threads.run(lambda: self.run_shaped(deployed, call, _as_it_is))
        return await self._within(limit, deployed, call, running)

    def publish_here(self, call: AsyncCall) -> str:
        """Store a background call for a service that blocks on this thread."""
        return self._publisher.publish_here(call).cid

    async def publish(self, call: AsyncCall) -> str:
        """Store a background call for a service on the event loop."""
        return (await self._publisher.publish(call)).cid

    def publish_all_here(self, calls: Sequence[AsyncCall]) -> list[str]:
        """Store background calls, all or none, for a service that blocks on this thread."""
        return [accepted.cid for accepted in self._publisher.publish_all_here(calls)]

    async def publish_all(self, calls: Sequence[AsyncCall]) -> list[str]:
        """Store background calls, all or none, for a service on the event loop."""
        return [accepted.cid for accepted in await self._publisher.publish_all(calls)]

    def lock_here(self, wish: LockWish, stop: StopSign) -> AbstractContextManager[None]:
        """Return what holds a lock for a service that blocks on this thread."""
        return self._locks.hold_here(wish, stop)

    def lock(self, wish: LockWish, stop: StopSign) -> AbstractAsyncContextManager[None]:
        """Return what holds a lock for a service on the event loop."""
        return self._locks.hold(wish, stop)

    def _nested(self, call: Call) -> Deployed:
        if call.service == call.chain[-1]:
            raise RecursiveInvocation(
                f"{call.service!r} cannot invoke itself synchronously. Use invoke_async, or a function."
            )
        if len(call.chain) >= self._max_depth:
            raise RecursiveInvocation(
                f"Services invoke each other more than {self._max_depth} deep (setting max_depth): "
                f"{' -> '.join((*call.chain, call.service))}."
            )
        return self._services.get(call.service)

    async def _within(self, limit: float | None, deployed: Deployed, call: Call, running: Awaitable[Ran]) -> Ran:
        """Return what comes of a call, or stop it: when its time is up, and when whoever waits for it is stopped."""
        try:
            if limit is None:
                return await running
            return await _limited(limit, deployed, running)
        except (asyncio.CancelledError, InvocationTimeout):
            call.stop.set()
            raise


async def _limited(limit: float, deployed: Deployed, running: Awaitable[Ran]) -> Ran:
    timer = asyncio.timeout(limit)
    try:
        async with timer:
            return await running
    except TimeoutError:
        if timer.expired():
            deployed.tally.errors += 1
            raise InvocationTimeout.after(deployed.name, limit) from None
        raise


def _shorter(timeout: float | None, time_limit: float | None) -> float | None:
    """Return the shorter of what the caller waits and what the service may take."""
    if timeout is None or time_limit is None:
        return time_limit if timeout is None else timeout
    return min(timeout, time_limit)


def _is_cancelled() -> bool:
    """Tell whether somebody cancelled the current task, and not the service itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _wait(
    running: "concurrent.futures.Future[Response]", limit: float | None, deployed: Deployed, call: Call
) -> Response:
    done, _ = concurrent.futures.wait((running,), limit)
    if not done:
        deployed.tally.errors += 1
        running.cancel()
        call.stop.set()
        raise InvocationTimeout.after(call.service, limit or 0)
    if running.cancelled():
        raise InvocationCancelled.of(call.service)
    return running.result()


def _filling(answer: "concurrent.futures.Future[Response]", work: Callable[[], Response]) -> Callable[[], None]:
    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            _settle(answer, error=error)
        else:
            _settle(answer, result=result)

    return run


def _settle(
    answer: "concurrent.futures.Future[Response]",
    *,
    result: Response | None = None,
    error: BaseException | None = None,
) -> None:
    """Settle a future whose caller may have stopped waiting."""
    if not answer.set_running_or_notify_cancel():
        return
    if error is not None:
        answer.set_exception(error)
    elif result is not None:
        answer.set_result(result)


def _as_it_is(response: Response) -> Response:
    return response


def _not_run(answer: "concurrent.futures.Future[Response]", _: object, error: BaseException | None) -> None:
    """Pass on that work could not be run; what it returned or raised went to the future already."""
    if error is not None:
        _settle(answer, error=error)
