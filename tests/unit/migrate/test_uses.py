"""What old services use of the server that is not here, or is otherwise here."""

from pathlib import Path

import pytest

from tests.unit.migrate.reading import found_in, in_handle, report_on


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("self.outgoing.sql.get('x')", "self.outgoing.sql"),
        ("self.out.rest['x'].conn.get(self.cid)", "self.out.rest"),
        ("self.outgoing.stomp.get('x')", "self.outgoing"),
        ("self.cache.get('x').set(1)", "self.cache"),
        ("self.request.payload.xpath('//x')", "self.request.payload.xpath"),
        ("f(self.pubsub)", "self.pubsub"),
        ("self.kvdb.translate('a')", "self.kvdb.translate"),
        ("self.server.worker_store", "self.server.worker_store"),
        ("self.request.http.user_agent", "self.request.http.user_agent"),
        ("self.response.status = 200", "self.response.status"),
        ("self.session.query(1)", "self.session"),
        ("self.invoke_async('x', pid=0)", "pid= of self.invoke_async"),
        ("self.invoke_async('x', colour='red')", "colour= of self.invoke_async"),
        ("self.invoke('zato.pubsub.publish')", "zato.pubsub.publish"),
        ("self.invoke(name='zato.pubsub.publish')", "zato.pubsub.publish"),
    ],
)
def test_missing(tmp_path: Path, line: str, what: str) -> None:
    """The finding names the longest part that has a rule of its own."""
    assert in_handle(tmp_path, line) == [(1, "missing", what)]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("self.kvdb.conn.get('x')", "self.kvdb"),
        ("self.crypto.decrypt(x)", "self.crypto.decrypt"),
        ("self.invoke('x', pid=1)", "pid= of self.invoke"),
        ("client.invoke_async('x', all_pids=True)", "all_pids="),
        ("self.invoke('x', data_format='xml')", "data_format of XML"),
        ("self.invoke('x', data_format=DATA_FORMAT.XML)", "data_format of XML"),
        ("return {'a': 1}", "return in handle"),
    ],
)
def test_changed(tmp_path: Path, line: str, what: str) -> None:
    """What runs and does something else is told from what is not here."""
    assert in_handle(tmp_path, line) == [(1, "changed", what)]


@pytest.mark.parametrize(
    "line",
    [
        "self.sql = open('x'); self.sql.read()",
        "return",
        "return None",
        "def inner(): return 1",
        "f(lambda: 1)",
        "self.invoke('zato.ping'); self.invoke('crm.zato.x'); f('zato.pubsub.x')",
        "self.server.name; self.server; self.request.http.params['x']; self.response.headers['x']",
        "self.time.utcnow(); self.crypto.encrypt('x'); self.request.payload.anything",
        "self.invoke_async('x', callback='y', delay=3, **options); self.invoke('x', customer_id=1)",
        "other.outgoing; cache.get('x')",
        "self._cached; self.__class__.__name__; hasattr(self, 'tracer') and self.tracer.begin()",
    ],
)
def test_nothing_to_say(tmp_path: Path, line: str) -> None:
    """What is here, or is the service's own, is left alone."""
    assert in_handle(tmp_path, line) == []


def test_attributes_of_a_base_class_are_the_services_own(tmp_path: Path) -> None:
    """A class may inherit what it calls `self.cache` from another file of the folder."""
    base = "from zato.server.service import Service\nclass Base(Service):\n    cache = {}\n"
    service = "from base import Base\nclass Get(Base):\n    def handle(self):\n        self.cache['x'] = self.out\n"
    checked = report_on(tmp_path, {"base.py": base, "crm.py": service}).files[1]

    assert [service.name for service in checked.services] == ["crm.get"]
    assert [finding.what for finding in checked.findings] == ["self.out"]


ATTRIBUTE_SET = {
    "by a class that inherits": "class B(A):\n    def session(self): return 1",
    "in a block of the class": "class A(A):\n    if True:\n        session = 1",
    "by an import in the class": "class A(A):\n    from db import session",
    "from outside": "def f(service):\n    service.session = 1",
    "by name": "setattr(A, 'session', 1)",
    "as a class of the class": "class A(A):\n    class session: pass",
}


@pytest.mark.parametrize("text", ATTRIBUTE_SET.values(), ids=ATTRIBUTE_SET)
def test_attribute_that_may_be_set_somewhere(tmp_path: Path, text: str) -> None:
    """Nothing is said to be missing that any file of the folder may give to a service."""
    service = "from zato.server.service import Service\nclass A(Service):\n    def handle(self): self.session\n"
    files = {"crm.py": service, "other.py": f"from crm import A\n{text}\n"}

    assert [finding.what for file in report_on(tmp_path, files).files for finding in file.findings] == []


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import Base\nclass A(Service, Base):\n    def handle(self): self.session\n",
        "class A(Service):\n    def __getattr__(self, name): pass\n    def handle(self): self.session\n",
        "@with_session\nclass A(Service):\n    def handle(self): self.session\n",
    ],
)
def test_class_that_may_have_any_attribute(tmp_path: Path, text: str) -> None:
    """What comes from a base that is not here, from `__getattr__` or a decorator, cannot be told by reading."""
    assert found_in(tmp_path, f"from zato.server.service import Service\n{text}") == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("from zato.common.api import CHANNEL\nf(CHANNEL.SCHEDULER)", "CHANNEL.SCHEDULER"),
        ("from zato.common import DATA_FORMAT as DF\nf(DF.XML)", "DATA_FORMAT.XML"),
        ("from zato.common import exception\nraise exception.HTTPException()", "zato.common.exception.HTTPException"),
        ("import zato.common.api\nf(zato.common.api.PUBSUB.X)", "zato.common.api.PUBSUB"),
    ],
)
def test_what_is_reached_by_a_module_or_a_constant(tmp_path: Path, text: str, what: str) -> None:
    """A name that is not imported by itself is looked for where it is used."""
    assert [(line, said) for line, _, said in found_in(tmp_path, text)] == [(2, what)]


def test_what_is_reached_and_is_here(tmp_path: Path) -> None:
    """What a module has is no finding, nor is what the import of was one already."""
    text = """
        import zato.common.exception, zato.common.pubsub
        from zato.common import api as constants, typing_, SCHEDULER
        from zato.common import api
        from zato.common.typing_ import Any
        f(constants.CHANNEL.INVOKE.upper(), zato.common.exception.NotFound, typing_.Any, constants.__doc__)
        f(zato.common.pubsub.X, SCHEDULER.JOB)
        def f(api): api.anything
        """
    assert [line for line, _, _ in found_in(tmp_path, text)] == [2, 3]


def test_what_is_no_service_may_have_any_attribute(tmp_path: Path) -> None:
    """The rules of `self` are those of services."""
    text = (
        "import threading\nclass A:\n    def handle(self): return self.outgoing, self.invoke_async('x', colour=1)\n"
        "class B(threading.Thread, A): pass"
    )
    assert found_in(tmp_path, text) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("from zato.common.pubsub import X", "zato.common.pubsub"),
        ("import zato.common.pubsub.api", "zato.common.pubsub.api"),
        ("import zato.nowhere", "zato.nowhere"),
        ("from zato.common import KVDB, ZATO_OK", "zato.common.KVDB"),
        ("from zato.broker.client import BrokerClient", "zato.broker.client"),
        ("from zato.server.service import Service, Serivce", "zato.server.service.Serivce"),
        ("from .crm import X", "relative import"),
    ],
)
def test_import(tmp_path: Path, line: str, what: str) -> None:
    """Modules and names that are not here are told one from the other."""
    assert found_in(tmp_path, line) == [(1, "missing", what)]


def test_imports_that_work(tmp_path: Path) -> None:
    """What is here, what the file can do without, and modules of other packages are no findings."""
    text = """
        from zato.common.typing_ import *
        from zato.common import exception, api
        from zato.common.marshal_.api import Model
        import zato.common.exception, zatorade, os
        try:
            from zato.common.pubsub import X
        except ImportError:
            X = None
        """
    assert found_in(tmp_path, text) == []


def test_misspelt_name_has_a_hint(tmp_path: Path) -> None:
    """The nearest name there is stands in the remedy."""
    [checked] = report_on(tmp_path, {"crm.py": "from zato.server.service import Serivce\n"}).files
    assert checked.findings[0].remedy == "`zato.server.service` has no such name here. Did you mean 'Service'?"


def test_module_without_rule_points_to_the_page(tmp_path: Path) -> None:
    """Nobody is left with a name alone."""
    [checked] = report_on(tmp_path, {"crm.py": "import zato.nowhere\n"}).files
    assert "docs/howto/move-from-zato.md" in checked.findings[0].remedy


def test_works(tmp_path: Path) -> None:
    """What a service uses that is here is listed, each once; its own attributes are not."""
    text = """
        from zato.server.service import Int, Service
        class A(Service):
            def handle(self):
                self.mine = self.request.http.params
                self.invoke('zato.ping', self.request.payload, self.request.payload['x'])
                self.mine, self.outgoing, self.kvdb
        """
    [checked] = report_on(tmp_path, {"crm.py": text}).files
    assert checked.works == ("Int", "Service", "self.invoke", "self.request.http", "self.request.payload", "zato.ping")
