"""What services have around them, on threads and on the event loop, in a real dispatcher."""

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.facilities import NOON
from tests.support.workers import Bench, run_with_worker
from zato.core.call import Call, HTTPInfo
from zato.core.elements import Secret
from zato.core.errors import InvalidSetting, MissingConfig, UnknownService
from zato.core.invocation import Holder
from zato.server.dispatcher import Dispatcher
from zato.server.failures import ServiceExited
from zato.server.locks import Locks
from zato.server.service import AsyncService, Service
from zato.server.threads import Budget

LONG = 30.0
ON_BOTH = pytest.mark.parametrize("kind", ["sync", "loop"], ids=["service", "async-service"])
HTTP = HTTPInfo(method="POST", path="/x", headers={"content-type": "text/plain"}, client="10.0.0.7:1")
Asked = Callable[[Any], Any]

asked: list[Asked] = []
customer: ContextVar[str] = ContextVar("customer", default="nobody")


class Sync(Service):
    """Does what the test asks for."""

    name = "sync"

    def handle(self) -> Any:
        return asked[0](self)


class Loop(AsyncService):
    """Does the same on the event loop, and awaits what it can."""

    name = "loop"

    async def handle(self) -> Any:
        returned = asked[0](self)
        return await returned if asyncio.iscoroutine(returned) else returned


class Echo(Service):
    name = "crm.echo"

    def handle(self) -> Any:
        return [self.request.payload, self.channel]


class Declared(Service):
    """Has secrets whose names do not say so."""

    name = "declared"
    input = "user", Secret("pin")
    output = Secret("answer")

    def handle(self) -> None:
        self.log_input()
        self.response.payload.answer = "hunter2"
        self.log_output()


class Older(Service):
    """Was written before there was all this, and has things of its own under these names."""

    name = "older"
    crypto = "of the class"  # type: ignore[assignment]

    def handle(self) -> Any:
        self.time = self.server = self.kvdb = "mine"  # type: ignore[assignment]
        return [self.crypto, self.time, self.server, self.kvdb]


def run(folder: Path, kind: str, ask: Asked, **call: Any) -> Any:
    """Have a service do something, and return what it returns."""
    return run_scenario(folder, lambda _, invoke: invoke(kind, **call), ask)


def run_scenario(folder: Path, scenario: Callable[[Bench, Any], Coroutine[Any, Any, Any]], ask: Asked) -> Any:
    """Run a scenario with what invokes services."""
    asked[:] = [ask]

    async def with_dispatcher(bench: Bench) -> Any:
        dispatcher = Dispatcher(
            bench.services,
            bench.threads,
            bench.publisher,
            Locks(bench.batcher, Holder("server1")),
            facilities=bench.facilities,
            loop=asyncio.get_running_loop(),
            max_depth=5,
        )
        budget = Budget(bench.threads, 2, name="slots")

        async def invoke(name: str, timeout: float | None = None, **call: Any) -> Any:
            given = Call(cid="c", service=name, **call)
            return await dispatcher.run_root(given, lambda response: response.payload, budget, timeout)

        return await scenario(bench, invoke)

    return run_with_worker(folder, with_dispatcher, [Sync, Loop, Echo, Declared, Older])


@ON_BOTH
def test_everything_is_at_hand(tmp_path: Path, kind: str) -> None:
    """Time, configuration, server and cryptography are those of the process."""
    (tmp_path / "user-config").mkdir()
    (tmp_path / "user-config" / "shop.toml").write_text("[backend]\ntimeout = 3\n")

    def ask(self: Any) -> Any:
        kept = self.crypto.decrypt(self.crypto.encrypt("x"))
        return [self.time.utcnow(), self.user_config["shop"].backend.timeout, self.server.name, kept]

    assert run(tmp_path, kind, ask) == ["2024-02-29 12:30:15", 3, "server1", "x"]


@ON_BOTH
@pytest.mark.parametrize(
    ("method", "target", "options"),
    [
        pytest.param("invoke_by_id", "crm.echo", {}, id="id-is-a-name"),
        pytest.param("invoke_by_id", f"{__name__}.Echo", {}, id="id-is-an-implementation"),
        pytest.param("invoke_by_impl_name", f"{__name__}.Echo", {"channel": "other"}, id="implementation"),
    ],
)
def test_other_ways_to_name_a_service(tmp_path: Path, kind: str, method: str, target: str, options: Any) -> None:
    """Everything but the name is as with `invoke`."""
    returned = run(tmp_path, kind, lambda self: getattr(self, method)(target, {"a": 1}, **options))
    assert returned == [{"a": 1}, options.get("channel", "invoke")]


@ON_BOTH
@pytest.mark.parametrize(
    ("method", "hint"), [("invoke_by_id", "'crm.echo'"), ("invoke_by_impl_name", f"'{__name__}.Echo'")]
)
def test_unknown_service_by_another_name(tmp_path: Path, kind: str, method: str, hint: str) -> None:
    """The nearest is named; a name is no name of an implementation."""
    wrong = "crm.ecko" if method == "invoke_by_id" else f"{__name__}.Ekho"
    with pytest.raises(UnknownService, match=re.escape(f"Did you mean {hint}")):
        run(tmp_path, kind, lambda self: getattr(self, method)(wrong))


def test_name_is_no_implementation(tmp_path: Path) -> None:
    """Who asks for an implementation wants no service that happens to have that name."""
    with pytest.raises(UnknownService, match=r"No service named 'crm\.echo'"):
        run(tmp_path, "sync", lambda self: self.invoke_by_impl_name("crm.echo"))


@ON_BOTH
def test_run_in_thread(tmp_path: Path, kind: str) -> None:
    """Arguments go in, the result comes out, and the event loop's thread is not the one that blocks."""

    def work(*arguments: Any, **options: Any) -> Any:
        return [arguments, options, customer.get(), threading.current_thread().name]

    def ask(self: Any) -> Any:
        customer.set("acme")
        return self.run_in_thread(work, 1, two=2)

    assert run(tmp_path, kind, ask) == [(1,), {"two": 2}, "acme", "zato-service"]


@ON_BOTH
@pytest.mark.parametrize("error", [ValueError("as planned"), StopIteration("as planned"), SystemExit("as planned")])
def test_error_in_a_thread(tmp_path: Path, kind: str, error: BaseException) -> None:
    """It reaches the service, and ends neither the event loop nor the process."""

    def work() -> None:
        raise error

    with pytest.raises(ValueError if isinstance(error, ValueError) else ServiceExited, match="as planned"):
        run(tmp_path, kind, lambda self: self.run_in_thread(work))


async def coroutine() -> None:
    """Do nothing."""


@ON_BOTH
@pytest.mark.parametrize("wrong", [coroutine, 7, None, "text"], ids=["coroutine", "number", "nothing", "text"])
def test_what_cannot_run_in_a_thread(tmp_path: Path, kind: str, wrong: Any) -> None:
    """A coroutine would not run at all."""
    with pytest.raises(TypeError, match=r"^run_in_thread takes a function"):
        run(tmp_path, kind, lambda self: self.run_in_thread(wrong))


@ON_BOTH
def test_sleep(tmp_path: Path, kind: str) -> None:
    """As long as it should, and not at all for 0."""
    began = time.monotonic()
    assert run(tmp_path, kind, lambda self: self.sleep(0)) is None
    run(tmp_path, kind, lambda self: self.sleep(0.05))
    assert time.monotonic() - began >= 0.05


@ON_BOTH
def test_sleep_ends_when_the_call_is_stopped(tmp_path: Path, kind: str) -> None:
    """The service is free at once, and sleeps no more after that."""
    ended = threading.Event()

    def here(self: Any) -> None:
        for _ in range(3):
            self.sleep(LONG)
        ended.set()

    async def there(self: Any) -> None:
        try:
            await self.sleep(LONG)
        finally:
            ended.set()

    async def scenario(bench: Bench, invoke: Any) -> None:
        with pytest.raises(Exception, match=r"0\.02"):
            await invoke(kind, timeout=0.02)
        await bench.until(ended.is_set)

    run_scenario(tmp_path, scenario, here if kind == "sync" else there)


@ON_BOTH
@pytest.mark.parametrize("seconds", [-1, float("nan"), "1", None, True])
def test_sleep_of_no_time(tmp_path: Path, kind: str, seconds: Any) -> None:
    """The message has what was given."""
    with pytest.raises(ValueError, match="is not possible: give seconds, 0 or more"):
        run(tmp_path, kind, lambda self: self.sleep(seconds))


@ON_BOTH
def test_redis_needs_a_setting(tmp_path: Path, kind: str) -> None:
    """The message names it, and how it is written."""
    with pytest.raises(InvalidSetting, match=r'Set broker = "redis://host:6379/0" in config\.toml') as caught:
        run(tmp_path, kind, lambda self: self.kvdb.conn.get("a"))
    assert "broker = 'sqlite'" in str(caught.value)


@ON_BOTH
def test_server_says_what_it_has(tmp_path: Path, kind: str) -> None:
    """Who asks for anything else learns what there is."""
    with pytest.raises(AttributeError, match=r"self\.server has no 'adress'\. Did you mean 'address'\? It has name, "):
        run(tmp_path, kind, lambda self: self.server.adress)


@ON_BOTH
def test_misspelt_configuration_reaches_the_caller(tmp_path: Path, kind: str) -> None:
    """With its code, so that it can be found in the reference."""
    with pytest.raises(MissingConfig, match="user-config has no 'shop'") as caught:
        run(tmp_path, kind, lambda self: self.user_config["shop"])
    assert caught.value.code == "missing_config"


@ON_BOTH
def test_wsgi_environ(tmp_path: Path, kind: str) -> None:
    """The same one for the whole call; for one without HTTP it is empty."""

    def ask(self: Any) -> Any:
        environ = self.wsgi_environ
        return [environ is self.wsgi_environ, environ and (environ["REMOTE_ADDR"], environ["wsgi.input"].read())]

    assert run(tmp_path, kind, ask, raw="ż", http=lambda: HTTP) == [True, ("10.0.0.7", "ż".encode())]
    assert run(tmp_path, kind, ask, raw="ż") == [True, {}]


@ON_BOTH
def test_secrets_are_not_in_logged_data(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """One record each, which says what it is, and has the CID."""
    caplog.set_level(logging.INFO)

    def ask(self: Any) -> None:
        self.log_input()
        self.response.payload = {"token": "hunter2", "ok": True}
        self.log_output("Answer", level="WARNING")
        self.log_output("Not seen", level="debug")

    run(tmp_path, kind, ask, payload={"user": "żółw", "password": "hunter2", "list": [{"api_key": "hunter2"}]})
    records = [record for record in caplog.records if record.name == kind]
    assert [record.getMessage() for record in records] == [
        'Incoming data: {"user":"żółw","password":"***","list":[{"api_key":"***"}]}',
        'Answer: {"token":"***","ok":true}',
    ]
    assert [(record.levelname, record.cid) for record in records] == [("INFO", "c"), ("WARNING", "c")]  # type: ignore[attr-defined]


def test_declared_secrets_are_not_in_logged_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever their names, on the way in and on the way out."""
    caplog.set_level(logging.INFO)
    run(tmp_path, "declared", lambda _: None, payload={"user": "a", "pin": "hunter2"})
    assert [record.getMessage() for record in caplog.records if record.name == "declared"] == [
        'Incoming data: {"user":"a","pin":"***"}',
        'Outgoing data: {"answer":"***"}',
    ]


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("x" * 20_000, "x" * 10_000 + " ... cut", id="long"),
        pytest.param({"a": float("nan")}, "{'a': nan}", id="no-json"),
        pytest.param("password=hunter2 and more", "password=*** and more", id="text"),
        pytest.param({1: object}, None, id="object"),
    ],
)
def test_any_data_can_be_logged(
    tmp_path: Path, payload: Any, shown: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A log never fails, and no line is endless."""
    caplog.set_level(logging.INFO)
    run(tmp_path, "sync", lambda self: self.log_input("In"), payload=payload)
    (message,) = [record.getMessage() for record in caplog.records if record.name == "sync"]
    assert message == f"In: {shown}" if shown is not None else message.startswith("In: ")


def test_level_that_there_is_not(tmp_path: Path) -> None:
    """A service that logs nothing in silence would be worse."""
    with pytest.raises(ValueError, match=r"^'loud' is no level of a log; give 'debug', 'info'"):
        run(tmp_path, "sync", lambda self: self.log_input(level="loud"))


def test_times_of_a_call() -> None:
    """Milliseconds and a timedelta; nothing of it before `handle` has returned."""
    service = Sync()
    service._began = NOON.timestamp()
    assert (service.invocation_time, service.handle_return_time) == (NOON, None)
    assert (service.processing_time, service.processing_time_raw) == (None, None)
    service._returned = service._began + 0.25
    assert service.handle_return_time == NOON + timedelta(milliseconds=250)
    assert (service.processing_time, service.processing_time_raw) == (250.0, timedelta(milliseconds=250))


@ON_BOTH
def test_invocation_time_is_now(tmp_path: Path, kind: str) -> None:
    """In UTC, whatever the machine's time zone."""
    before = datetime.now(UTC)
    assert before <= run(tmp_path, kind, lambda self: self.invocation_time) <= datetime.now(UTC)


def test_older_services_keep_what_they_have(tmp_path: Path) -> None:
    """What a class or a service sets under one of the names is what it gets."""
    assert run(tmp_path, "older", lambda _: None) == ["of the class", "mine", "mine", "mine"]
