"""Services that block, each run on a thread."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from zato.core.errors import InvocationTimeout
from zato.core.invocation import Priority
from zato.server.service.base import Item, ServiceBase, Target, Targets, shaped
from zato.server.service.surroundings import seconds_of, work_of

__all__ = ["Service"]

# Seconds that a service sleeps which was stopped before: one that does not look at `cancelled` is not to spin.
TIDYING_UP = 0.05

Result = TypeVar("Result")


class Service(ServiceBase):
    """A service whose `handle` blocks; it runs on a thread."""

    def handle(self) -> Any:
        """Do the work. What it returns, if not None, is the response; else `self.response.payload`."""
        raise NotImplementedError

    def invoke(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke",
        data_format: str = "dict",
        transport: str | None = None,
        serialize: bool = False,
        as_bunch: bool = False,
        timeout: float | None = None,
        raise_timeout: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Run another service now, under the same CID, and return its response.

        Args:
            name: its name, or its class.
            payload: its input.
            channel: what the target sees as `self.channel`.
            data_format: what the target sees as `self.data_format`.
            transport: what the target sees as `self.transport`.
            serialize: return the response as text.
            as_bunch: return dicts whose keys can be read as attributes.
            timeout: seconds to wait; None is for ever. The target's own `time_limit` counts if it is shorter.
            raise_timeout: if not, return None when the time is up.
            **kwargs: become the payload when there is none.

        Raises:
            UnknownService: nothing is deployed under that name.
            RecursiveInvocation: a service invokes itself, or the chain is too deep.
            InvocationTimeout: `timeout` ran out. The target goes on, because a thread cannot be stopped.
            Exception: whatever the target raised.
        """
        call = self._call_of(name, payload, kwargs, channel=channel, data_format=data_format, transport=transport)
        try:
            response = self._runtime.invoke_here(call, timeout)
        except InvocationTimeout:
            if raise_timeout:
                raise
            return None
        return shaped(response, serialize, as_bunch)

    def invoke_by_id(self, service_id: str, payload: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Run another service now by its id: its name, or that of its implementation. See `invoke` for the rest.

        It is what the field `id` of `/zato/admin/invoke` says.
        """
        return self.invoke(self._runtime.facilities.name_by_id(service_id), payload, *args, **kwargs)

    def invoke_by_impl_name(self, impl_name: str, payload: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Run another service now by the name of its implementation, `module.Class`. See `invoke` for the rest."""
        return self.invoke(self._runtime.facilities.name_by_impl_name(impl_name), payload, *args, **kwargs)

    def run_in_thread(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Call a function that blocks, and return what it returns: a `Service` is on a thread already."""
        return work_of(function, args, kwargs)()

    def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds, or until the call is stopped: see `cancelled`.

        Raises:
            ValueError: that is no number of seconds from 0 on.
        """
        stop, stopped = self._call.stop, threading.Event()
        with stop.calling(stopped.set):
            stopped.wait(min(seconds_of(seconds), TIDYING_UP) if stop.is_set else seconds_of(seconds))

    def invoke_async(
        self,
        name: Target,
        payload: Any = "",
        channel: str = "invoke-async",
        data_format: str = "dict",
        transport: str | None = None,
        expiration: float | None = None,
        to_json_string: bool = False,
        cid: str | None = None,
        callback: Targets | None = None,
        zato_ctx: object = None,
        environ: Mapping[str, Any] | None = None,
        *,
        on_failure: Targets | None = None,
        delay: float | None = None,
        retry: object = None,
        time_limit: float | None = None,
        idempotency_key: str | None = None,
        priority: Priority | str | None = None,
        queue: str | None = None,
    ) -> str:
        """Have another service run in the background and return the CID it will have.

        Returns once the call is stored: from then on it runs even if every process is killed.

        Args:
            name: its name, its class, or `self`.
            payload: its input, anything with a JSON form.
            channel: what the target sees as `self.channel`.
            data_format: what the target sees as `self.data_format`.
            transport: what the target sees as `self.transport`.
            expiration: seconds within which it must start; None or 0 is for ever.
            to_json_string: pass the payload on as JSON text.
            cid: the CID to run under, up to 128 printable characters; None makes a new one.
            callback: a service name, class, `self` or a list of these, invoked with the response.
            zato_ctx: accepted for older services; has no effect.
            environ: a dict with a JSON form, the target's `self.environ`.
            on_failure: as `callback`, invoked with a report if the target failed.
            delay: seconds before it may start.
            retry: how often to try, a number or a `Retry`; None leaves it to the target's class.
            time_limit: seconds that one attempt may take, 0 for any; None leaves it to the target's class.
            idempotency_key: a repeat with the same key runs nothing and returns the first one's CID.
            priority: `'high'`, `'normal'` or `'low'`; None leaves it to the target's class, which by default is normal.
            queue: 1 to 100 letters, digits, `.`, `_` and `-`; None leaves it to the target's class, else `default`.

        Raises:
            UnknownService: nothing is deployed under the name of the target or of a callback.
            BadRequest: an option is not legal.
            BrokerUnavailable: the call could not be stored. It will not run.
        """
        return self._runtime.publish_here(
            self._async_call_of(
                name,
                payload,
                channel=channel,
                data_format=data_format,
                transport=transport,
                expiration=expiration,
                to_json_string=to_json_string,
                cid=cid,
                callback=callback,
                environ=environ,
                on_failure=on_failure,
                delay=delay,
                retry=retry,
                time_limit=time_limit,
                idempotency_key=idempotency_key,
                priority=priority,
                queue=queue,
            )
        )

    def invoke_async_many(self, items: Iterable[Item]) -> list[str]:
        """Have many calls run in the background and return their CIDs, in order. All are stored, or none is.

        Args:
            items: pairs of a name and a payload, or dicts of the arguments of `invoke_async` by name; at most 10,000.

        Raises:
            BadRequest: an item is not legal; the message has its number, from 1.
            Conflict: an item's idempotency key was used for another payload.
            BrokerUnavailable: the calls could not be stored. None will run.
        """
        return self._runtime.publish_all_here(list(self._async_calls_of(items)))

    def lock(self, name: str | None = None, expires: float = 20, timeout: float = 10) -> AbstractContextManager[None]:
        """Return what to have in a `with`: while it lasts, no other service of the cluster holds the same lock.

        Taken twice by one service it waits for itself. If the `with` lasts longer than `expires`, others get the lock
        meanwhile, and a warning in the log says so.

        Args:
            name: what is locked; by default the service's name.
            expires: seconds after which the lock is free again, if the service has died for instance. 0.1 to 86,400.
            timeout: seconds to wait for it, up to 86,400; with 0 it is tried once.

        Raises:
            LockTimeout: it was not free within `timeout`.
            BadRequest: an argument is not legal.
            BrokerUnavailable: nobody knows who holds it, because the store is away.
        """
        return self._runtime.lock_here(self._lock_wish(name, expires, timeout), self._call.stop)
