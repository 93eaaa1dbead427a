"""`Zato`: runs services in memory, now or in the background, as a server would."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Literal, Self, TypedDict, Unpack

from zato.broker.base import Cancel, Find, Look
from zato.core.call import REST, Call
from zato.core.cid import check_cid
from zato.core.errors import Conflict, NotFound
from zato.core.invocation import Outcome, Priority, Record, Status
from zato.server.identity import new_cid
from zato.server.registry import Deployed
from zato.server.service import Service, ServiceBase
from zato.testing.answers import Answer, Asked
from zato.testing.background import Background
from zato.testing.clock import Clock
from zato.testing.deploying import Deployable, Deployment
from zato.testing.interrupts import raise_if_meant_for_the_test
from zato.testing.memory import Memory
from zato.testing.records import BackgroundCall
from zato.testing.replacements import replacement
from zato.testing.watching import Invoked

__all__ = ["Options", "Target", "Zato"]

Target = str | type[ServiceBase]
Targets = Target | list[Target] | tuple[Target, ...]
When = Literal["by_hand", "at_once"]

# How many runs of background calls are taken for too many.
MOST = 10_000
PAGE = 1000


class Options(TypedDict, total=False):
    """What `invoke_async` takes beside service and payload. See `Service.invoke_async`."""

    channel: str
    data_format: str
    transport: str | None
    expiration: float | None
    to_json_string: bool
    cid: str | None
    callback: Targets | None
    environ: Mapping[str, Any] | None
    on_failure: Targets | None
    delay: float | None
    retry: object
    time_limit: float | None
    idempotency_key: str | None
    priority: Priority | str | None
    queue: str | None


class _Test(Service):
    """Whoever makes the background calls of a test."""

    name = "test"


class Zato:
    """Runs services in memory. Use it in a `with`, or close it; the fixture `zato` of pytest does that itself.

    Attributes:
        background: when background calls run: `by_hand`, when `run_background` is called, or `at_once`, when what
            made them has ended, before the test goes on.
        clock: says when calls are due; a test turns it.
        user_config: what `self.user_config` says: for each file, without its suffix, a dict of what is in it.
    """

    def __init__(self, *, background: When = "by_hand", now: datetime | None = None) -> None:
        """Make one without services, apart from some built-in ones.

        Args:
            background: when background calls run.
            now: what the clock says at first; by default the time of day.
        """
        self.background: When = background
        self.clock = Clock(now)
        self._memory = Memory(self.clock)
        self._runner = Background(self._memory, self.clock)
        self._deployment = Deployment()
        self._replaced: dict[str, Deployed] = {}
        self._depth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything."""
        self._memory.close()

    @property
    def user_config(self) -> dict[str, dict[str, Any]]:
        """What `self.user_config` says, to be filled."""
        return self._memory.facilities.config

    @property
    def redis(self) -> Any:
        """What `self.kvdb.conn` is, or None for no Redis. Set it to a client."""
        return self._memory.facilities.redis

    @redis.setter
    def redis(self, client: Any) -> None:
        self._memory.facilities.redis = client

    def deploy(self, *what: Deployable) -> None:
        """Deploy service classes, modules, files, or folders like the services folder of a server.

        Raises:
            ServiceDefinitionError: something cannot be deployed; the message has every reason.
            InvalidName: the name of a service is not legal.
        """
        self._deployment.add(what, self._put_in_force)

    def replace(self, service: Target, answer: object) -> None:
        """Have something else answer whenever a service is invoked, deployed or not.

        Args:
            service: the name or class of the service.
            answer: a function of the payload, whose result is the response; an exception, or a class of them, which
                is raised; a service class, which runs in its place; or else the response itself.
        """
        name = _name_of(service)
        self._replaced[name] = replacement(name, answer)
        self._put_in_force()

    def invoke(
        self,
        service: Target,
        payload: Any = "",
        *,
        channel: str | None = None,
        data_format: str = "json",
        transport: str | None = None,
        method: str = "",
        path: str = "",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        environ: Mapping[str, Any] | None = None,
        cid: str | None = None,
        timeout: float | None = None,
        skip_response_elem: bool = True,
    ) -> Answer:
        """Run a service as if a client had asked for it, and return what the client gets.

        Payload and response go through JSON. A blocking service runs on this thread, unless its time is limited.
        With any of `method`, `path`, `headers` and `params` it is a request to the service's own address.

        Args:
            service: its name, or its class, which is deployed if it is not yet.
            payload: its input. A GET has none but its query string.
            channel: what the service sees as `self.channel`; by default `rest` at its own address, else `invoke`.
            data_format: what it sees as `self.data_format`.
            transport: what it sees as `self.transport`.
            method: the HTTP method; `POST` by default.
            path: the HTTP path.
            headers: the HTTP headers.
            params: the query string.
            environ: what it sees as `self.environ`.
            cid: what it sees as `self.cid`; by default a new one.
            timeout: the seconds that it may take.
            skip_response_elem: if not, leave a response that has the one key `response` in its wrapper.

        Raises:
            UnknownService: nothing is deployed under the name.
            ValueError: a GET or HEAD has a payload.
            Exception: whatever the service raised.
        """
        asked = Asked(
            service=self._named(service),
            payload=payload,
            channel=channel,
            method=method,
            path=path,
            headers=headers or {},
            params=params or {},
            unwrap=skip_response_elem,
        )
        read, raw = asked.read()
        call = Call(
            cid=new_cid() if cid is None else check_cid(cid),
            service=asked.service,
            payload=read,
            raw=raw,
            channel=asked.door,
            channel_name=asked.http().path if asked.door == REST else "",
            data_format=data_format,
            transport=transport,
            environ=None if environ is None else dict(environ),
            http=asked.http if asked.door == REST else None,
        )
        with self._from_outside():
            return self._run(call, asked, timeout)

    def invoke_async(self, service: Target, payload: Any = "", **options: Unpack[Options]) -> str:
        """Have a service run in the background, and return the CID. See `Service.invoke_async` for the options."""
        name = self._named(service)
        with self._from_outside():
            return self._test().invoke_async(name, payload, **options)

    def run_background(self, *, delayed: bool = False, most: int = MOST) -> list[BackgroundCall]:
        """Run the background calls that are due, and all that they make, and return them as they stand then.

        They run one at a time, on this thread: by priority, then in the order in which they were accepted. What
        they raise is recorded, as on a server.

        Args:
            delayed: turn the clock on, as far as is necessary, until nothing is delayed or to be tried again.
            most: how many runs there may be before that is taken for an endless chain.

        Raises:
            RuntimeError: there would be more of them.
        """
        ran = dict.fromkeys(self._runner.run(delayed=delayed, most=most))
        return [BackgroundCall.of(self._found(Look(id=call_id))) for call_id in ran]

    def result(self, cid: str) -> BackgroundCall:
        """Return how a background call stands.

        Raises:
            NotFound: no background call has the CID.
        """
        self._runner.move_on()
        return BackgroundCall.of(self._found(Look(cid=cid)))

    def cancel(self, cid: str) -> BackgroundCall:
        """Cancel a background call, and return it.

        Raises:
            NotFound: no background call has the CID.
            Conflict: it has ended.
        """
        call = self.result(cid)
        if not self._memory.ask(Cancel(call.id, Outcome(status=Status.CANCELLED, ended=self.clock.wall()))):
            raise Conflict(f"The call with CID {cid!r} cannot be cancelled: it is {call.status}.")
        return self.result(cid)

    def calls(self, service: Target | None = None) -> list[Invoked]:
        """Return what services have invoked by `self.invoke`, in order; all of it, or what went to one service."""
        invoked = self._memory.dispatcher.invoked
        return [call for call in invoked if service is None or call.service == _name_of(service)]

    def background_calls(self, service: Target | None = None) -> list[BackgroundCall]:
        """Return the background calls that were accepted, in order, callbacks too; all, or those of one service."""
        self._runner.move_on()
        name = None if service is None else _name_of(service)
        found, cursor = self._page(name, None)
        while cursor is not None:
            more, cursor = self._page(name, cursor)
            found += more
        return [BackgroundCall.of(self._found(Look(id=record.invocation.id))) for record in reversed(found)]

    def _page(self, service: str | None, cursor: int | None) -> tuple[list[Record], int | None]:
        found = self._memory.ask(Find(service=service, limit=PAGE, cursor=cursor))
        return found.records, found.cursor

    def _run(self, call: Call, asked: Asked, timeout: float | None) -> Answer:
        memory, shape = self._memory, partial(_answered, asked, call.cid)
        deployed = memory.services.get(call.service)
        try:
            if deployed.is_async or timeout is not None or deployed.time_limit is not None:
                return memory.run(partial(memory.dispatcher.run_root, call, shape, memory.budget, timeout))
            return memory.dispatcher.run_shaped(deployed, call, shape)
        except BaseException as error:
            raise_if_meant_for_the_test(error)
            raise

    @contextmanager
    def _from_outside(self) -> Iterator[None]:
        """Run background calls once what the test asked for has ended, if they are to run at once."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth and self.background == "at_once":
                self.run_background()

    def _test(self) -> _Test:
        test = _Test()
        test._bind(Call(cid=new_cid(), service=_Test.name), self._memory.dispatcher)
        return test

    def _named(self, service: Target) -> str:
        """Return the name of a service, which is deployed first if it is a class that is not."""
        name = _name_of(service)
        if not isinstance(service, str) and name not in self._replaced and not self._deployment.has(service):
            self.deploy(service)
        return name

    def _put_in_force(self) -> None:
        self._memory.deploy([*self._deployment.by_name.values(), *self._replaced.values()])

    def _found(self, look: Look) -> Record:
        record = self._memory.ask(look)
        if record is None:
            raise NotFound(f"No background call has the CID {look.cid!r}. zato.background_calls() has all of them.")
        return record


def _answered(asked: Asked, cid: str, response: Any) -> Answer:
    return asked.answer(response, cid)


def _name_of(service: Target) -> str:
    return service if isinstance(service, str) else service.get_name()
