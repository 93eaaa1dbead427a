"""Which services a folder defines, and what keeps them from being deployed as they were."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.migrate.reading import Found, found_in, report_on
from zato.server.loader import load_folder

IMPORT = "from zato.server.service import AsyncService, Service\n"
WORK = "def handle(self): pass"


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Imports are undone."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def services(folder: Path, text: str) -> list[tuple[str, str, int]]:
    """Return name, class and line of the services of one file."""
    [checked] = report_on(folder, {"service_api.py": text}).files
    return [(service.name, service.class_name, service.line) for service in checked.services]


def service(body: str, name: str = "A") -> str:
    """Return a service with a line in its class."""
    return f"{IMPORT}class {name}(Service):\n    {body}\n    def handle(self): pass\n"


@pytest.mark.usefixtures("undone")
def test_names_are_those_of_the_loader(tmp_path: Path) -> None:
    """What the check says a service is called is what the server deploys it under."""
    text = IMPORT + "".join(
        f"class {name}({base}):\n    {body}\n"
        for name, base, body in (
            ("GetWSDLList", "Service", "def handle(self): pass"),
            ("Named", "Service", "name: str = 'crm.x'\n    def handle(self): pass"),
            ("Empty", "Service", "name = ''\n    def handle(self): pass"),
            ("Below", "Named", "pass"),
            ("Verbs", "Service", "def handle_GET(self): pass"),
            ("OnLoop", "AsyncService", "async def handle(self): pass"),
            ("Base", "Service", "def other(self): pass"),
            ("NoService", "object", "def handle(self): pass"),
        )
    )
    found = services(tmp_path, text)

    assert [name for name, _, _ in found] == [deployed.name for deployed in load_folder(tmp_path).services]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import zato.server.service as s\nclass A(s.Service):\n    def handle(self): pass",
            [("service-api.a", "A", 2)],
        ),
        (
            "from zato.server.service import Service as S\nclass A(S):\n    def handle(self): pass",
            [("service-api.a", "A", 2)],
        ),
        (service("name = 'a' + 'b'"), [("", "A", 2)]),
        ("from crm_base import Base\nclass A(Base):\n    def handle(self): pass", [("service-api.a", "A", 2)]),
        ("from crm_base import Base\nclass A(Base):\n    pass", []),
        ("import http.server\nclass A(http.server.BaseHTTPRequestHandler):\n    def handle(self): pass", []),
        ("class A(A):\n    def handle(self): pass", []),
        (f"{IMPORT}if True:\n    class A(Service):\n        def handle(self): pass", [("service-api.a", "A", 3)]),
        (f"{IMPORT}def f():\n    class A(Service):\n        def handle(self): pass", []),
    ],
    ids=[
        *("module", "other-name", "made-at-run-time", "base-elsewhere", "base-without-work", "of-python", "of-itself"),
        *("in-a-block", "in-a-function"),
    ],
)
def test_service(tmp_path: Path, text: str, expected: list[tuple[str, str, int]]) -> None:
    """A service is known by what its bases stand for; without its base, by its `handle`."""
    assert services(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (service("name = 'zato.mine'"), [(2, "missing", "A, named 'zato.mine'")]),
        (service("name = 'my service'"), [(2, "missing", "A, named 'my service'")]),
        (service("schema = 'crm.json'"), [(3, "missing", "schema")]),
        (service("def before_job(self): pass"), [(3, "missing", "def before_job")]),
        (
            f"{IMPORT}class A(Service):\n    async def handle(self): pass",
            [(3, "missing", "async def handle of a Service")],
        ),
        (
            "from zato.server.service.internal import AdminService\nclass A(AdminService):\n    def handle(self): pass",
            [(2, "changed", "AdminService as a base")],
        ),
        (f"{IMPORT}class A(AsyncService):\n    async def handle(self): pass", []),
        (
            service("class SimpleIO:\n        input_required = 'x'\n        skip_empty_keys = _own = True"),
            [(5, "changed", "SimpleIO.skip_empty_keys")],
        ),
    ],
    ids=["reserved", "illegal", "schema", "job", "coroutine", "admin", "on-loop", "simple-io"],
)
def test_what_a_class_says(tmp_path: Path, text: str, expected: Found) -> None:
    """What keeps a class from being deployed, or means nothing here, has its line."""
    assert found_in(tmp_path, text) == expected


def test_one_name_in_two_files(tmp_path: Path) -> None:
    """The second service is the one that is not deployed, and the finding names the first."""
    files = {"b.py": service("name = 'x'", "Second"), "a.py": service("name = 'x'", "First")}
    first, second = report_on(tmp_path, files).files

    assert first.findings == ()
    assert [finding.what for finding in second.findings] == ["Second, named 'x', as is First in a.py"]


def test_folder_below(tmp_path: Path) -> None:
    """The loader does not look there; what such a file imports by dots is its own business."""
    [checked] = report_on(tmp_path, {"shop/orders.py": "from .x import y\n" + service("pass")}).files

    assert [(finding.line, finding.what) for finding in checked.findings] == [(3, "A in a folder below")]
    assert checked.services[0].name == "orders.a"
