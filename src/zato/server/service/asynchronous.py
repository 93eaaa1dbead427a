"""Services on the event loop."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from zato.core.errors import InvocationTimeout
from zato.core.invocation import Priority
from zato.server.service.base import Item, ServiceBase, Target, Targets, shaped
from zato.server.service.surroundings import seconds_of, work_of

__all__ = ["AsyncService"]

# Of many calls: how many are made ready before the event loop does something else.
SLICE = 200

Result = TypeVar("Result")


class AsyncService(ServiceBase):
    """A service whose `handle` is a coroutine; it runs on the event loop, thousands at once."""

    async def handle(self) -> Any:
        """Do the work. What it returns, if not None, is the response; else `self.response.payload`."""
        raise NotImplementedError

    async def invoke(
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
        """Run another service now, under the same CID, and return its response. See `Service.invoke`."""
        call = self._call_of(name, payload, kwargs, channel=channel, data_format=data_format, transport=transport)
        try:
            response = await self._runtime.invoke(call, timeout)
        except InvocationTimeout:
            if raise_timeout:
                raise
            return None
        return shaped(response, serialize, as_bunch)

    async def invoke_by_id(self, service_id: str, payload: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Run another service now by its id. See `Service.invoke_by_id`."""
        return await self.invoke(self._runtime.facilities.name_by_id(service_id), payload, *args, **kwargs)

    async def invoke_by_impl_name(self, impl_name: str, payload: Any = "", *args: Any, **kwargs: Any) -> Any:
        """Run another service now by the name of its implementation. See `Service.invoke_by_impl_name`."""
        return await self.invoke(self._runtime.facilities.name_by_impl_name(impl_name), payload, *args, **kwargs)

    async def run_in_thread(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Have a function that blocks run on a thread, and return what it returns.

        It gets a thread at once, however many there are. If the call is stopped meanwhile, the function goes on.
        """
        return await self._runtime.facilities.run_in_thread(work_of(function, args, kwargs))

    async def sleep(self, seconds: float) -> None:
        """Do nothing for some seconds; `asyncio.CancelledError` is raised if the call is stopped meanwhile.

        Raises:
            ValueError: that is no number of seconds from 0 on.
        """
        await asyncio.sleep(seconds_of(seconds))

    async def invoke_async(
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
        """Have another service run in the background and return its CID. See `Service.invoke_async`."""
        return await self._runtime.publish(
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

    async def invoke_async_many(self, items: Iterable[Item]) -> list[str]:
        """Have many calls run in the background and return their CIDs. See `Service.invoke_async_many`."""
        calls = []
        for call in self._async_calls_of(items):
            calls.append(call)
            if not len(calls) % SLICE:
                await asyncio.sleep(0)
        return await self._runtime.publish_all(calls)

    def lock(
        self, name: str | None = None, expires: float = 20, timeout: float = 10
    ) -> AbstractAsyncContextManager[None]:
        """Return what to have in an `async with`. See `Service.lock`."""
        return self._runtime.lock(self._lock_wish(name, expires, timeout), self._call.stop)
