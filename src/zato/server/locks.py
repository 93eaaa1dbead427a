"""Locks that services hold while they do what only one may do at a time, in the whole cluster.

Whoever waits asks the store again after a pause that grows, and then sees too whether it is to stop. A lock that
may have been taken for somebody who does not wait any more is given back at once; the store carries out the
operations of one process in order.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from zato.broker.batcher import Batcher
from zato.broker.cluster import Lock, Unlock
from zato.core.errors import BrokerUnavailable, InvocationCancelled, LockTimeout
from zato.core.invocation import Holder
from zato.core.lock import LockWish
from zato.core.stop import StopSign
from zato.server.identity import new_token

__all__ = ["Locks"]

logger = logging.getLogger("zato.server")


class Locks:
    """Takes locks for services, and gives them back."""

    def __init__(self, batcher: Batcher, holder: Holder) -> None:
        """Take the store, and the process that takes locks there."""
        self._batcher = batcher
        self._holder = holder

    @contextmanager
    def hold_here(self, wish: LockWish, stop: StopSign) -> Iterator[None]:
        """Hold a lock for a service that blocks on this thread.

        Raises:
            LockTimeout: it was not free in time.
            InvocationCancelled: the service was stopped while it waited.
            BrokerUnavailable: the store is away.
        """
        token = new_token()
        try:
            self._take_here(wish, token, stop)
        except BrokerUnavailable:
            self._drop(wish, token)
            raise
        try:
            yield
        finally:
            try:
                kept = self._batcher.wait(Unlock(wish.name, token))
            except BrokerUnavailable as error:
                _warn_of_failure(wish, error)
            else:
                _warn_unless(kept, wish)

    @asynccontextmanager
    async def hold(self, wish: LockWish, stop: StopSign) -> AsyncIterator[None]:
        """Hold a lock for a service on the event loop. Raises as `hold_here` does."""
        token = new_token()
        try:
            await self._take(wish, token, stop)
        except (BrokerUnavailable, asyncio.CancelledError):
            self._drop(wish, token)
            raise
        try:
            yield
        finally:
            try:
                kept = await self._batcher.ask(Unlock(wish.name, token))
            except BrokerUnavailable as error:
                _warn_of_failure(wish, error)
            else:
                _warn_unless(kept, wish)

    def _take_here(self, wish: LockWish, token: bytes, stop: StopSign) -> None:
        attempts = _Attempts(wish, stop)
        while not self._batcher.wait(Lock(wish.name, token, wish.expires, self._holder)):
            time.sleep(attempts.pause())

    async def _take(self, wish: LockWish, token: bytes, stop: StopSign) -> None:
        attempts = _Attempts(wish, stop)
        while not await self._batcher.ask(Lock(wish.name, token, wish.expires, self._holder)):  # noqa: ASYNC110 -- others hold it
            await asyncio.sleep(attempts.pause())

    def _drop(self, wish: LockWish, token: bytes) -> None:
        self._batcher.post(Unlock(wish.name, token), _ignore)


class _Attempts:
    """How often a lock was tried, and until when it is."""

    def __init__(self, wish: LockWish, stop: StopSign) -> None:
        self._wish = wish
        self._stop = stop
        self._made = 0
        self._deadline = time.monotonic() + wish.timeout

    def pause(self) -> float:
        """Return the seconds until the next attempt."""
        self._made += 1
        if self._stop.is_set:
            raise InvocationCancelled.of_waiting(self._wish.name)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LockTimeout.after(self._wish.name, self._wish.timeout)
        return min(left, self._wish.pause(self._made, random.random()))  # noqa: S311 -- spreads load, guards nothing


def _warn_unless(kept: bool, wish: LockWish) -> None:
    if not kept:
        logger.warning(
            "%s held the lock %r for longer than its expires=%g s: others could take it meanwhile, and what it "
            "guards may have been done twice at a time. Give a longer one",
            wish.service,
            wish.name,
            wish.expires,
        )


def _warn_of_failure(wish: LockWish, error: BrokerUnavailable) -> None:
    logger.warning(
        "%s could not give the lock %r back, which nobody gets until its expires=%g s are over: %s",
        wish.service,
        wish.name,
        wish.expires,
        error,
    )


def _ignore(_: object) -> None:
    """Take no notice: the lock's time runs out by itself."""
