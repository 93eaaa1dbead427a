"""What a service has around it while it runs, whatever it was invoked with: log, time, configuration, server, Redis.

Found when it is asked for. What a service sets itself under one of the cached names takes its place.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar

from zato.core.call import MAX_TIME_LIMIT, Call, HTTPInfo
from zato.core.elements import Contract
from zato.core.errors import NotSerializable
from zato.core.exchange import Request, Response, ServiceLogger
from zato.core.facilities import KVDB, Crypto
from zato.core.masks import Masks
from zato.core.payload import to_text
from zato.core.runtime import Runtime
from zato.core.server_info import ServerInfo
from zato.core.times import Time
from zato.core.user_config import ConfigTable
from zato.core.wsgi import wsgi_environ

__all__ = ["Surroundings", "seconds_of", "work_of"]

# Characters of an input or output that are logged.
MAX_LOGGED = 10_000
CUT = " ... cut"
MASKS = Masks()

Result = TypeVar("Result")


class Surroundings:
    """What both kinds of services have around them."""

    name: str
    cid: str
    request: Request
    response: Response
    _call: Call
    _runtime: Runtime
    _contract: Contract | None = None
    _began: float
    _returned: float | None = None

    @property
    def logger(self) -> ServiceLogger:
        """A logger that takes `%`-style arguments and adds the CID to each line by itself."""
        extra = {"cid": self.cid, "service": self.name, "channel": self._call.channel}
        return ServiceLogger(logging.getLogger(self.name), extra)

    @cached_property
    def time(self) -> Time:
        """Dates and times by format strings: `utcnow`, `now`, `today`, `reformat`, `parse`, `format`."""
        return self._runtime.facilities.time

    @property
    def user_config(self) -> ConfigTable:
        """The files of the environment's folder `user-config` as they are now, by name, section and key."""
        return self._runtime.facilities.user_config

    @cached_property
    def kvdb(self) -> KVDB:
        """The Redis of the cluster: `self.kvdb.conn` is a client of redis-py."""
        return self._runtime.facilities.kvdb

    @cached_property
    def crypto(self) -> Crypto:
        """Passwords, hashes and encryption."""
        return self._runtime.facilities.crypto

    @cached_property
    def server(self) -> ServerInfo:
        """The server that the service runs on."""
        return self._runtime.facilities.server

    @cached_property
    def wsgi_environ(self) -> dict[str, Any]:
        """The HTTP request in the words of WSGI; empty for calls that did not come through HTTP."""
        http = self._call.http() if self._call.http else HTTPInfo()
        return wsgi_environ(http, self.request.raw_request, self.server)

    @property
    def invocation_time(self) -> datetime:
        """When the service was invoked, in UTC."""
        return datetime.fromtimestamp(self._began, UTC)

    @property
    def handle_return_time(self) -> datetime | None:
        """When `handle` returned or raised, in UTC; None before that."""
        return None if self._returned is None else datetime.fromtimestamp(self._returned, UTC)

    @property
    def processing_time_raw(self) -> timedelta | None:
        """How long it took from the invocation until `handle` returned or raised; None before that."""
        return None if self._returned is None else timedelta(seconds=self._returned - self._began)

    @property
    def processing_time(self) -> float | None:
        """The same in milliseconds."""
        return None if self._returned is None else (self._returned - self._began) * 1000

    def _warn(self, text: str) -> None:
        """Log a warning; the logger is made only if there is one."""
        self.logger.warning("%s", text)

    def log_input(self, message: str = "Incoming data", level: str = "info") -> None:
        """Log what came in as one record, without the secrets in it.

        Args:
            message: what stands before it.
            level: such as `info` or `debug`.
        """
        declared = self._contract is not None and self._contract.has_input
        self._log_data(message, level, self.request.input if declared else self.request.payload, declared)

    def log_output(self, message: str = "Outgoing data", level: str = "info") -> None:
        """Log `self.response.payload` as one record, as `log_input` does.

        What `handle` returns is there in the hooks that run after it.
        """
        declared = self._contract is not None and self._contract.has_output
        self._log_data(message, level, self.response.payload, declared)

    def _log_data(self, message: str, level: str, value: Any, declared: bool) -> None:
        number = logging.getLevelNamesMapping().get(level.upper())
        if number is None:
            raise ValueError(f"{level!r:.40} is no level of a log; give 'debug', 'info', 'warning' or 'error'.")
        logger = self.logger
        if logger.isEnabledFor(number):
            masked = self._contract.masked(value) if declared and self._contract is not None else value
            logger.log(number, "%s: %s", message, _logged(MASKS.value(masked)))


def seconds_of(seconds: object) -> float:
    """Return how long to sleep.

    Raises:
        ValueError: that is no number of seconds from 0 on.
    """
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return min(float(seconds), MAX_TIME_LIMIT)
    raise ValueError(f"sleep({seconds!r:.80}) is not possible: give seconds, 0 or more.")


def work_of(function: Callable[..., Result], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Result]:
    """Return a function with its arguments, to be run on a thread.

    Raises:
        TypeError: it is none, or a coroutine, which a thread would not run.
    """
    given: object = function
    if asyncio.iscoroutine(given) or inspect.iscoroutinefunction(given):
        raise TypeError("run_in_thread takes a function that blocks; a coroutine is awaited, as 'await function()'.")
    if not callable(given):
        raise TypeError(
            f"run_in_thread takes a function, and its arguments apart: run_in_thread(function, 1), not {given!r:.100}."
        )
    return partial(function, *args, **kwargs)


def _logged(value: Any) -> str:
    try:
        text = to_text(value)
    except NotSerializable:
        text = str(value)
    return text if len(text) <= MAX_LOGGED else text[:MAX_LOGGED] + CUT
