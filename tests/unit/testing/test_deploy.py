"""What can be deployed for a test, and what is said of what cannot."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.unit.testing import services
from tests.unit.testing.services import Echo
from zato.core.errors import InvalidName, ServiceDefinitionError, UnknownService
from zato.server.service import AsyncService, Service
from zato.testing import Zato

ONE = """
from zato.server.service import Service

from kit_rules import FACTOR


class Double(Service):
    name = "kit.double"

    def handle(self):
        return FACTOR * self.request.payload


class Base(Service):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of services, of whose modules nothing stays behind."""
    modules, path = set(sys.modules), list(sys.path)
    (tmp_path / "kit_rules.py").write_text("FACTOR = 2\n", "utf-8")
    (tmp_path / "kit_one.py").write_text(ONE, "utf-8")
    (tmp_path / ".kit_hidden.py").write_text("raise ValueError", "utf-8")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


class OtherEcho(Service):
    name = "test.echo"

    def handle(self) -> None:
        pass


class NoHandle(Service):
    name = "test.no-handle"


class BadName(Service):
    name = "no name"

    def handle(self) -> None:
        pass


class Reserved(Service):
    name = "zato.mine"

    def handle(self) -> None:
        pass


class NoCoroutine(AsyncService):
    name = "test.no-coroutine"

    def handle(self) -> Any:
        pass


class Hooked(Service):
    name = "test.hooked"
    told: ClassVar[list[str]] = []

    @classmethod
    def before_add_to_store(cls, logger: object) -> None:
        cls.told.append("before")

    @classmethod
    def after_add_to_store(cls) -> None:
        cls.told.append("after")

    def handle(self) -> str:
        return "hooked"


class Shy(Service):
    name = "test.shy"

    @staticmethod
    def before_add_to_store() -> bool:
        return False

    def handle(self) -> None:
        pass


def refuse() -> None:
    """Refuse whatever is deployed."""
    raise ValueError("not today")


def test_class_that_is_invoked_is_deployed(zato: Zato) -> None:
    """A test that has the class need not deploy it."""
    assert (zato.invoke(Echo, 1).data, zato.invoke("test.echo", 2).data) == (1, 2)


def test_file_of_a_class(zato: Zato) -> None:
    """Errors and lists say where it is."""
    zato.deploy(Echo)

    assert zato.invoke("zato.service.get", {"name": "test.echo"}).data["file"] == services.__file__


def test_interrupt_at_import(zato: Zato, folder: Path) -> None:
    """Ctrl-C is not taken for a fault of the file that is being imported."""
    (folder / "kit_slow.py").write_text("raise KeyboardInterrupt\n", "utf-8")

    with pytest.raises(KeyboardInterrupt):
        zato.deploy(folder)


def test_class_that_is_invoked_in_the_background_is_deployed(zato: Zato) -> None:
    """As it is by `invoke`."""
    cid = zato.invoke_async(Echo, 1)
    zato.run_background()

    assert zato.result(cid).data == 1


def test_module_is_deployed(zato: Zato) -> None:
    """All of its services are, and those that it imports are not."""
    zato.deploy(services)

    names = {item["name"] for item in zato.invoke("zato.service.get-list").data["items"] if not item["is_internal"]}
    assert {"test.echo", "test.seen", "test.later"} <= names
    assert all(name.startswith("test.") for name in names)


@pytest.mark.parametrize("kind", [Path, str])
def test_folder_is_deployed(zato: Zato, folder: Path, kind: type[Any]) -> None:
    """Its files can import each other; what begins with a dot, and bases without `handle`, are left out."""
    zato.deploy(kind(folder))

    assert zato.invoke("kit.double", 4).data == 8


def test_file_is_deployed(zato: Zato, folder: Path) -> None:
    """One file of a folder, which can import others, is enough."""
    zato.deploy(folder / "kit_one.py")

    assert zato.invoke("kit.double", 4).data == 8


def test_file_runs_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes in a module is changed for the services in it, also in a second kit."""
    with Zato() as first:
        first.deploy(folder)
    monkeypatch.setattr("kit_one.FACTOR", 10)

    with Zato() as zato:
        zato.deploy(folder)

        assert zato.invoke("kit.double", 4).data == 40


def test_folder_with_broken_files(zato: Zato, folder: Path) -> None:
    """All of them are named, with line and reason."""
    (folder / "kit_bad.py").write_text("x = 1\nraise ValueError('not today')\n", "utf-8")
    (folder / "kit_worse.py").write_text("def\n", "utf-8")

    with pytest.raises(ServiceDefinitionError) as caught:
        zato.deploy(folder)

    first, second = str(caught.value).splitlines()
    assert "kit_bad.py:2: " in first
    assert "not today" in first
    assert "kit_worse.py:1: " in second


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (NoHandle, ServiceDefinitionError, "NoHandle has no 'handle'"),
        (BadName, InvalidName, "'no name' is no service name"),
        (Reserved, ServiceDefinitionError, "reserved"),
        (NoCoroutine, ServiceDefinitionError, r"NoCoroutine\.handle is no coroutine"),
    ],
)
def test_class_that_cannot_be_deployed(zato: Zato, kind: type[Service], error: type[Exception], message: str) -> None:
    """It is refused for the reasons that a server has."""
    with pytest.raises(error, match=message):
        zato.deploy(kind)


def test_two_classes_of_one_name(zato: Zato) -> None:
    """The second one is refused, and the message says what to do instead; the first one may come again."""
    zato.deploy(Echo, Echo)

    with pytest.raises(ServiceDefinitionError, match=r"'test\.echo', as is .*services\.Echo, .*'replace'"):
        zato.deploy(OtherEcho)


def test_other_class_of_a_name_is_not_taken_for_the_first(zato: Zato) -> None:
    """A test that invokes a class runs that one, or learns why not."""
    zato.deploy(Echo)

    with pytest.raises(ServiceDefinitionError, match="OtherEcho is named"):
        zato.invoke(OtherEcho)


def test_hooks_of_a_deployment(zato: Zato) -> None:
    """They are called once, before and after the class is in force."""
    Hooked.told.clear()

    zato.deploy(Hooked)
    zato.deploy(Hooked)

    assert (Hooked.told, zato.invoke("test.hooked").data) == (["before", "after"], "hooked")


def test_class_that_does_not_want_to_be_deployed(zato: Zato) -> None:
    """It is not, and it is as unknown as on a server."""
    with pytest.raises(UnknownService):
        zato.invoke(Shy)


@pytest.mark.parametrize("hook", ["before_add_to_store", "after_add_to_store"])
def test_hook_that_raises(zato: Zato, hook: str) -> None:
    """What it raises is the reason that the test is told."""
    broken = type("Broken", (Echo,), {"name": "test.broken", hook: staticmethod(refuse)})

    with pytest.raises(ServiceDefinitionError, match="not today"):
        zato.deploy(broken)


def test_path_that_is_not_there(zato: Zato, tmp_path: Path) -> None:
    """A misspelt path is no empty folder."""
    with pytest.raises(ServiceDefinitionError, match="does not exist"):
        zato.deploy(tmp_path / "not.py")


def test_what_cannot_be_deployed_at_all(zato: Zato) -> None:
    """An instance, for example."""
    with pytest.raises(TypeError, match="give a service class, a module, a file or a folder"):
        zato.deploy(Echo())  # type: ignore[arg-type]
