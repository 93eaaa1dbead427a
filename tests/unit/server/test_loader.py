"""Importing the services folder."""

import signal
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import pytest

from tests.support.imports import imports_undone
from zato.core.invocation import Priority, Terms
from zato.core.retry import Retry
from zato.server.loader import Loaded, Loading, load_folder
from zato.server.registry import Registry
from zato.server.service import Service

SERVICE = """
from zato.server.service import Service

class {name}(Service):
    def handle(self):
        pass
"""
BROKEN = [
    pytest.param("\n\n1 / 0\n", 3, "ZeroDivisionError: division by zero", id="exception"),
    pytest.param("import sys\nsys.exit('bye')\n", 2, "SystemExit: bye. A file of services is imported, ", id="exit"),
    pytest.param("\nraise SystemExit\n", 2, "SystemExit. A file of services is ", id="exit-without-a-word"),
    pytest.param("\nimport json\njson.loads('{')\n", 3, "JSONDecodeError: ", id="raised-by-another-module"),
    pytest.param("\ncompile('(', 'other.py', 'exec')\n", 2, "SyntaxError: ", id="syntax-of-other-text"),
    pytest.param("\nopen('/no/such/file')\n", 2, "FileNotFoundError: ", id="file-that-it-reads"),
    pytest.param("\nnosuchname\n", 2, "NameError: name 'nosuchname' is not defined", id="name"),
    pytest.param("\nimport json\njson.nosuch\n", 3, "AttributeError: module 'json' has no", id="attribute"),
    pytest.param("\nfrom json import nosuch\n", 2, "ImportError: cannot import name 'nosuch'", id="name-of-a-module"),
    pytest.param("\nraise BaseException('no')\n", 2, "BaseException: no", id="no-exception-of-the-usual-kind"),
    pytest.param(
        "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E\n", 4, "E", id="error-without-text"
    ),
]
REFUSED = [
    pytest.param(
        "class Late(Service):\n    async def handle(self): pass",
        "Late.handle is a coroutine. Subclass AsyncService instead of Service.",
        id="coroutine-on-service",
    ),
    pytest.param(
        "class Late(AsyncService):\n    def handle(self): pass",
        "Late.handle is no coroutine. Write 'async def handle', or subclass Service.",
        id="function-on-async-service",
    ),
    pytest.param(
        "class Mine(Service):\n    name = 'zato.mine'\n    def handle(self): pass",
        "Mine is named 'zato.mine'; names that start with 'zato' are reserved.",
        id="reserved-name",
    ),
    pytest.param(
        "class Mine(Service):\n    name = 'my service'\n    def handle(self): pass",
        "'my service' is no service name",
        id="illegal-name",
    ),
    pytest.param(
        "class Mine(Service):\n    name = 17\n    def handle(self): pass",
        "Something of type int is no service name",
        id="name-is-a-number",
    ),
    pytest.param(
        "class Mine(Service):\n    retry = 0\n    def handle(self): pass",
        "Mine: Retry(attempts=0, ",
        id="retry-out-of-range",
    ),
    pytest.param(
        "class Mine(Service):\n    retry = {'on': 5}\n    def handle(self): pass",
        "Mine: on=5 names no exception",
        id="retry-on-no-exception",
    ),
    pytest.param(
        "class Mine(Service):\n    def retry(self): pass\n    def handle(self): pass",
        "Mine: retry=<function Mine.retry",
        id="retry-is-a-method",
    ),
    *(
        pytest.param(
            f"class Mine(Service):\n    time_limit = {limit!r} * 1\n    def handle(self): pass".replace("inf", "1e999"),
            f"Mine: time_limit={limit!r} is not legal: give seconds above 0, or None.",
            id=f"time-limit-{limit}",
        )
        for limit in (0, -1, "5", [1], 2_000_000_000, float("inf"))
    ),
    pytest.param(
        "class Mine(Service):\n    def handle(self, payload): pass",
        "Mine.handle takes nothing but self; missing a required argument: 'payload'. self.request.payload",
        id="argument-of-handle",
    ),
    pytest.param(
        "class Mine(Service):\n    def __init__(self, client): pass\n    def handle(self): pass",
        "Mine.__init__ takes nothing but self; missing a required argument: 'client'.",
        id="argument-of-init",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A services folder whose imports are undone."""
    services = tmp_path / "services"
    services.mkdir()
    with imports_undone():
        yield services


def load(folder: Path, **files: str) -> Loaded:
    """Write files by their stems, and load the folder."""
    for stem, text in files.items():
        (folder / f"{stem}.py").write_text(text, "utf-8")
    return load_folder(folder)


def names(loaded: Loaded) -> list[str]:
    """Return what is deployed, and fail if something is not."""
    assert loaded.errors == []
    return [service.name for service in loaded.services]


@pytest.mark.parametrize(
    ("stem", "name", "expected"),
    [
        pytest.param("service_api", "MyService", "service-api.my-service", id="words"),
        pytest.param("service_api", "GetWSDLList", "service-api.get-wsdl-list", id="capitals-inside"),
        pytest.param("crm", "MyServiceXYZ", "crm.my-service-xyz", id="capitals-at-the-end"),
        pytest.param("json", "MyService", "json.my-service", id="file-named-like-stdlib"),
        pytest.param("requests", "MyService", "requests.my-service", id="file-named-like-installed"),
        pytest.param("with-dash", "MyService", "with-dash.my-service", id="file-that-cannot-be-imported-by-name"),
        pytest.param("a.b", "MyService", "a.b.my-service", id="file-with-a-dot"),
    ],
)
def test_name_comes_from_file_and_class(folder: Path, stem: str, name: str, expected: str) -> None:
    """Without a name of its own a service is called by its module and class."""
    assert names(load(folder, **{stem: SERVICE.format(name=name)})) == [expected]


@pytest.mark.parametrize("stem", ["json", "requests", "crm"])
def test_what_is_known_of_a_service(folder: Path, stem: str) -> None:
    """Implementation name and file are those a person sees, even where the module is called otherwise."""
    (service,) = load(folder, **{stem: SERVICE.format(name="Sync")}).services
    assert (service.impl_name, service.file) == (f"{stem}.Sync", str(folder / f"{stem}.py"))
    assert (service.is_async, service.is_internal) == (False, False)


def test_retry_and_time_limit_of_a_class(folder: Path) -> None:
    """They are what the class says, or what it inherits; a number of attempts is enough."""
    text = SERVICE.format(name="Base") + "    retry, time_limit = 3, 2.5\nclass Child(Base):\n    time_limit = None\n"
    base, child = load(folder, crm=text).services
    assert (base.terms.retry, base.time_limit) == (Retry(3), 2.5)
    assert (child.terms.retry, child.time_limit) == (Retry(3), None)


def test_terms_of_a_class(folder: Path) -> None:
    """What a class says of its background calls is told of those that say anything."""
    words = "    max_concurrency, priority, queue = 2, 'high', 'bulk'\n"
    text = SERVICE.format(name="Base") + words + SERVICE.format(name="Plain")
    registry = Registry(load(folder, crm=text).services)
    assert registry.terms() == {"crm.base": Terms(max_concurrency=2, priority=Priority.HIGH, queue="bulk")}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("queue = []", id="list"),
        pytest.param("priority = 7", id="number"),
        pytest.param("def queue(self): pass", id="method"),
        pytest.param("priority = property(lambda self: 1)", id="property"),
    ],
)
def test_names_that_older_services_use_for_their_own(
    folder: Path, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The class is deployed, says nothing of its calls by them, and the log says so."""
    loaded = load(folder, crm=SERVICE.format(name="Old") + f"    {words}\n")
    assert [(service.name, service.terms) for service in loaded.services] == [("crm.old", Terms())]
    assert "it is taken as the service's own" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("max_concurrency = 0", "max_concurrency=0 is not legal: give a whole number from 1", id="none"),
        pytest.param("max_concurrency = 1_000_001", "from 1 to 1000000, or None", id="too-many"),
        pytest.param("max_concurrency = 2.0", "max_concurrency=2.0 is not legal", id="not-whole"),
        pytest.param("max_concurrency = True", "max_concurrency=True is not legal", id="flag"),
        pytest.param("priority = 'hihg'", "Did you mean 'high'?", id="priority"),
        pytest.param("queue = 'a b'", "queue='a b' is no legal name", id="queue"),
    ],
)
def test_terms_that_are_not_legal(folder: Path, words: str, message: str) -> None:
    """The class is not deployed, and the error says which one and why."""
    (error,) = load(folder, crm=SERVICE.format(name="Base") + f"    {words}\n").errors
    assert "Base: " in str(error)
    assert message in str(error)


def test_installed_modules_stay_what_they_are(folder: Path) -> None:
    """A file named like a module of the standard library does not take its place."""
    loaded = load(folder, json="ours = 1\n", crm="import json\nassert json.loads('1') == 1\n")
    assert (loaded.errors, hasattr(sys.modules["json"], "ours")) == ([], False)


def test_module_that_is_installed_and_not_yet_imported(folder: Path) -> None:
    """Whoever imports it later still gets it, not the file of services."""
    site = folder.parent / "site"
    site.mkdir()
    (site / "vendor.py").write_text("whose = 'theirs'\n")
    sys.path.append(str(site))
    importer = "import vendor\nassert vendor.whose == 'theirs'\n"
    assert names(load(folder, vendor=SERVICE.format(name="Sync"), zebra=importer)) == ["vendor.sync"]


def test_module_that_is_on_no_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Distributions under development may be found by a finder of their own: they are installed as others are."""
    site = folder.parent / "site"
    site.mkdir()
    (site / "vendor.py").write_text("whose = 'theirs'\n")

    class Finder:
        @staticmethod
        def find_spec(fullname: str, path: object, target: object = None) -> ModuleSpec | None:
            return PathFinder.find_spec(fullname, [str(site)]) if fullname == "vendor" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    load(folder, vendor=SERVICE.format(name="Sync"))
    assert ("vendor" in sys.modules, "zato_services.vendor" in sys.modules) == (False, True)


def test_files_are_loaded_in_the_order_of_their_names(folder: Path) -> None:
    """What is deployed first does not depend on the file system."""
    loaded = load(folder, **{stem: SERVICE.format(name="S") for stem in ("b", "c", "a")})
    assert names(loaded) == ["a.s", "b.s", "c.s"]


@pytest.mark.parametrize(("text", "line", "reason"), BROKEN)
def test_broken_file(folder: Path, text: str, line: int, reason: str) -> None:
    """File, line and reason are reported, and the others are loaded."""
    loaded = load(folder, a=SERVICE.format(name="One"), b=text, c=SERVICE.format(name="Other"))
    (error,) = loaded.errors

    assert [service.name for service in loaded.services] == ["a.one", "c.other"]
    assert (error.file, error.line) == (str(folder / "b.py"), line)
    assert error.reason.startswith(reason)
    assert "b" not in sys.modules


def test_report_reads_as_a_place_and_a_reason(folder: Path) -> None:
    """Editors jump to what looks like `file:line: reason`."""
    loaded = load(folder, b="\nraise ValueError('no')\n")
    assert str(loaded.errors[0]) == f"{folder / 'b.py'}:2: ValueError: no"


def test_interrupt_is_no_broken_file(folder: Path) -> None:
    """Ctrl-C while files are loaded ends the process, and the last file that was told is the one that was loaded."""
    said: list[str] = []
    (folder / "b.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_folder(folder, Loading(now_at=said.append))
    assert said == [str(folder / "b.py")]


def test_interrupt_that_nobody_made(folder: Path) -> None:
    """In a worker process Ctrl-C raises nothing, so the file did, and it is reported as for any other error."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        loaded = load(folder, b="raise KeyboardInterrupt", crm=SERVICE.format(name="Sync"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert [str(error) for error in loaded.errors] == [f"{folder / 'b.py'}:1: KeyboardInterrupt"]
    assert [service.name for service in loaded.services] == ["crm.sync"]


ODD = """
class Odd(type):
    {}
class Own(Service, metaclass=Odd): pass
"""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param("def __eq__(self, other): return False", "TypeError: unhashable type: 'Odd'", id="no-hash"),
        pytest.param("def __getattr__(self, name): 1 / 0", "ZeroDivisionError: division by zero", id="attributes"),
    ],
)
def test_module_whose_classes_fail_when_they_are_looked_at(folder: Path, words: str, error: str) -> None:
    """It is the matter of that file alone."""
    sync = SERVICE.format(name="Sync")
    loaded = load(folder, b=sync + ODD.format(words), crm=sync)
    (found,) = loaded.errors
    assert found.reason == f"What it defines cannot be deployed, because looking at it raised {error}"
    assert [service.name for service in loaded.services] == ["crm.sync"]


@pytest.mark.parametrize(
    "text",
    [
        "sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != 'Watch']",
        "sys.meta_path = sys.meta_path[:]",
    ],
    ids=["taken-out", "other-list"],
)
def test_file_that_changes_who_finds_modules(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is loaded, and afterwards nothing of the load is left."""
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    loaded = load(folder, b=f"import sys\n{text}\n", crm=SERVICE.format(name="Sync"))
    assert (loaded.errors, names(loaded)) == ([], ["crm.sync"])
    assert "Watch" not in [type(finder).__name__ for finder in sys.meta_path]


def test_folder_of_files_that_nobody_imports(folder: Path) -> None:
    """Somebody may have thought that its services are loaded. What is imported is a library, and fine."""
    for name in ("crm", "erp", "__pycache__", ".git"):
        (folder / name).mkdir()
        (folder / name / "sync.py").write_text(SERVICE.format(name="Sync"))
    loaded = load(folder, b="import erp.sync")
    assert [(note.file, note.reason.partition(",")[0]) for note in loaded.notes] == [
        (str(folder / "crm"), "It has Python files"),
    ]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_class_that_cannot_be_deployed(folder: Path, text: str, reason: str) -> None:
    """The message names the class and the remedy, the line is that of the class, and its neighbours are deployed."""
    imports = "from zato.server.service import AsyncService, Service\n"
    good = "class Good(AsyncService):\n    async def handle(self): pass\n"
    loaded = load(folder, crm=f"{imports}{good}{text}\n")
    (error,) = loaded.errors

    assert [service.name for service in loaded.services] == ["crm.good"]
    assert (error.line, error.reason.startswith(reason)) == (4, True)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        pytest.param("    @classmethod\n    def get_name(cls):\n        return 1 / 0", "9: Bad", id="name"),
        pytest.param("    __annotations__ = 5", "4: Bad", id="annotations"),
    ],
)
def test_class_that_fails_when_it_is_looked_at(folder: Path, words: str, place: str) -> None:
    """It is reported like any other, and its neighbours are deployed."""
    loaded = load(folder, a=SERVICE.format(name="Bad") + words + "\n", b=SERVICE.format(name="Good"))
    assert [service.name for service in loaded.services] == ["b.good"]
    assert str(loaded.errors[0]).startswith(
        f"{folder / 'a.py'}:{place} cannot be deployed, because looking at it raised "
    )


def test_two_services_of_one_name(folder: Path) -> None:
    """The first one stays, and the second learns who has its name."""
    text = "from zato.server.service import Service\nclass {}(Service):\n    name = 'x'\n    def handle(self): pass\n"
    loaded = load(folder, a=text.format("One"), b=text.format("Other"))
    assert [service.impl_name for service in loaded.services] == ["a.One"]
    report = f"{folder / 'b.py'}:2: Other is named 'x', as is a.One in {folder / 'a.py'}. Give one of them another"
    assert str(loaded.errors[0]).startswith(report)


@pytest.mark.parametrize("stem", ["crm-api", "Crm_api", "CRM-API"])
def test_two_files_whose_names_mean_the_same(folder: Path, stem: str) -> None:
    """They are two modules, and make one name."""
    loaded = load(folder, crm_api=SERVICE.format(name="Sync"), **{stem: SERVICE.format(name="Sync")})
    files = {error.file for error in loaded.errors} | {str(service.file) for service in loaded.services}
    assert len(loaded.errors) == 1
    assert "Sync is named 'crm-api.sync', as is " in loaded.errors[0].reason
    assert files == {str(folder / "crm_api.py"), str(folder / f"{stem}.py")}


def test_reserved_name_that_comes_from_the_file(folder: Path) -> None:
    """The message says that the file gave it."""
    (error,) = load(folder, zato_crm=SERVICE.format(name="Sync")).errors
    assert error.reason.endswith(
        "reserved. It has that name from its file: rename the file, or give the class a 'name'."
    )


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_class_with_a_method_for_an_http_method_is_a_service(folder: Path, verb: str) -> None:
    """It needs no `handle` besides."""
    loaded = load(folder, crm=SERVICE.format(name="Sync").replace("handle", f"handle_{verb}"))
    assert (names(loaded), loaded.notes) == (["crm.sync"], [])


def test_argument_of_a_method_for_an_http_method(folder: Path) -> None:
    """It is refused as one of `handle` is."""
    (error,) = load(folder, crm=SERVICE.format(name="Sync").replace("handle(self", "handle_GET(self, payload")).errors
    assert error.reason.startswith("Sync.handle_GET takes nothing but self; missing a required argument: 'payload'.")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        pytest.param("def handel(self): pass", "Is 'handel' meant to be 'handle'?", id="misspelt"),
        pytest.param("def Handle(self): pass", "Is 'Handle' meant to be 'handle'?", id="capital"),
        pytest.param("def run(self): pass", "Add one if it is to be a service.", id="other-methods"),
        pytest.param("handles = 'all'", "Add one if it is to be a service.", id="no-method"),
    ],
)
def test_class_without_handle_that_nobody_uses(folder: Path, body: str, hint: str) -> None:
    """It is not deployed, which is no error but is said."""
    loaded = load(folder, crm=f"from zato.server.service import Service\nclass Sync(Service):\n    {body}\n")
    reason = "Sync has no 'handle', so it is not deployed, and no class inherits from it. "
    assert names(loaded) == []
    assert [str(note) for note in loaded.notes] == [f"{folder / 'crm.py'}:2: {reason}{hint}"]


def test_base_that_another_file_uses_is_not_noted(folder: Path) -> None:
    """Whichever of the two is loaded first."""
    base = "from zato.server.service import Service\nclass Base(Service): pass\n"
    child = "from {} import Base\nclass Child(Base):\n    def handle(self): pass\n"
    loaded = load(folder, a=child.format("b"), b=base, c=base, d=child.format("c"))
    assert (names(loaded), loaded.notes) == (["a.child", "d.child"], [])


def test_class_without_handle_is_a_base_for_others(folder: Path) -> None:
    """Only what can run is deployed, including what inherits its `handle`."""
    text = """
from zato.server.service import AsyncService, Service

class Base(Service): pass
class LateBase(AsyncService): pass
class Other: pass
class Real(Base):
    def handle(self): pass
class Child(Real): pass
"""
    assert names(load(folder, crm=text)) == ["crm.real", "crm.child"]


def test_class_made_by_a_function_has_no_line(folder: Path) -> None:
    """A class that stands nowhere in the file is reported all the same."""
    text = "from zato.server.service import Service\ntype('Zed', (Service,), {'name': 'zato.z', 'handle': print})\n"
    loaded = load(folder, crm=text.replace("type(", "Zed = type("))
    assert (loaded.errors[0].line, "reserved" in loaded.errors[0].reason) == (None, True)


def test_second_name_of_a_class_is_no_second_service(folder: Path) -> None:
    """An alias changes nothing."""
    assert names(load(folder, crm=SERVICE.format(name="Sync") + "\nOld = Sync\n")) == ["crm.sync"]


def test_imported_services_are_deployed_once(folder: Path) -> None:
    """A service belongs to the file that defines it, whoever imports it, and each file runs once."""
    base = SERVICE.format(name="Base") + "\nwith open(__file__ + '.runs', 'a') as runs:\n    runs.write('x')\n"
    loaded = load(folder, a="from b import Base\nclass Child(Base): pass\n", b=base)
    (child, parent) = loaded.services

    assert names(loaded) == ["a.child", "b.base"]
    assert issubclass(type(child.make()), type(parent.make()))
    assert (folder / "b.py.runs").read_text() == "x"


def test_files_may_import_each_other(folder: Path) -> None:
    """Two files that need each other are loaded, as Python loads them."""
    one = SERVICE.format(name="One") + "\nimport b\n"
    other = SERVICE.format(name="Other") + "\nimport a\n"
    assert names(load(folder, a=one, b=other)) == ["a.one", "b.other"]


def test_importer_of_a_broken_file_is_broken_too(folder: Path) -> None:
    """Each is reported at its own line."""
    loaded = load(folder, a="\nimport b\n", b="\n\n1 / 0\n")
    assert [(Path(error.file).name, error.line) for error in loaded.errors] == [("a.py", 2), ("b.py", 3)]
    assert loaded.errors[0].reason == "ZeroDivisionError: division by zero (in b.py:3, which it imports)"


def test_file_is_where_it_says_it_is(folder: Path) -> None:
    """`__file__` is the real path, so that a service finds what lies beside it."""
    link = folder.parent / "link"
    link.symlink_to(folder)
    (folder / "text.txt").write_text("found")
    reads = "from pathlib import Path\nfound = Path(__file__).with_name('text.txt').read_text()\nwhere = __file__\n"
    load(link, crm=reads)
    assert (sys.modules["crm"].found, sys.modules["crm"].where) == ("found", str(folder / "crm.py"))


@pytest.mark.parametrize("stem", ["crm", "json"])
def test_dataclass_whose_annotations_are_text(folder: Path, stem: str) -> None:
    """What looks its module up by name finds it."""
    text = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar, get_type_hints

@dataclass
class Order:
    kind: ClassVar[str] = "order"
    id: int = 0

assert get_type_hints(Order)["id"] is int
assert Order(7).id == 7
"""
    assert load(folder, **{stem: text}).errors == []


def test_only_python_files_of_the_folder_itself_are_loaded(folder: Path) -> None:
    """Subfolders, other files, and the hidden files of editors are left alone."""
    (folder / "sub").mkdir()
    for name in ("sub/inner.py", "notes.txt", "old.py.bak", ".#crm.py", "._crm.py"):
        (folder / name).write_text("1 / 0")
    assert names(load(folder, crm=SERVICE.format(name="Sync"))) == ["crm.sync"]


def test_folder_that_does_not_exist(tmp_path: Path, folder: Path) -> None:
    """Nothing is deployed, and nothing goes wrong."""
    assert load_folder(folder / "nowhere") == Loaded()


def test_second_load_sees_what_changed(folder: Path) -> None:
    """Files run again, and the folder is searched once."""
    load(folder, crm=SERVICE.format(name="Before"))
    (folder / "crm.py").unlink()
    assert names(load(folder, crm=SERVICE.format(name="Afterwards"))) == ["crm.afterwards"]
    assert sys.path.count(str(folder)) == 1


@pytest.mark.parametrize("stem", ["crm", "json"])
def test_other_folder_has_files_of_its_own(folder: Path, stem: str) -> None:
    """Files of the same name in two folders are two modules."""
    others = [folder / "one", folder / "two", folder / "three"]
    for number, other in enumerate(others):
        other.mkdir()
        loaded = load(other, **{stem: SERVICE.format(name=f"Number{number}")})
        assert names(loaded) == [f"{stem}.number{number}"]


def test_deployed_service_is_made_anew_each_time(folder: Path) -> None:
    """Every invocation has an instance of its own."""
    (service,) = load(folder, crm=SERVICE.format(name="Sync")).services
    assert isinstance(service.make(), Service)
    assert service.make() is not service.make()
