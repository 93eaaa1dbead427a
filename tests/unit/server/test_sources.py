"""How a service is written, as it was loaded."""

import os
from pathlib import Path

import pytest

from zato.server.loader import load_folder
from zato.server.registry import Deployed
from zato.server.service import Service
from zato.server.sources import Source, source_of

HEAD = "from zato.server.service import Service\n\n\n"
CLASS = 'class Hello(Service):\n    """Says hello."""\n\n    def handle(self):\n        return "Jürgen"\n'
MADE = 'Made = type("Made", (Service,), {"handle": lambda self: 1, "__module__": __name__})\n'


def loaded(folder: Path, text: str) -> Deployed:
    """Return the service that a file deploys."""
    (folder / "sourced_api.py").write_text(text, encoding="utf-8")
    [service] = load_folder(folder).services
    return service


def test_source_is_the_class_alone(tmp_path: Path) -> None:
    """Nothing of what stands around it in the file is shown."""
    service = loaded(tmp_path, HEAD + CLASS + "\n\nother = 1\n")
    assert source_of(service) == Source(CLASS, 4)


def test_changed_file_is_not_shown(tmp_path: Path) -> None:
    """What it has now is not what runs: the text may be of another size, or newer, or gone."""
    service = loaded(tmp_path, HEAD + CLASS)
    file = Path(str(service.file))
    before = file.stat()
    found = []
    file.write_text("# new\n" + HEAD + CLASS, encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    found.append(source_of(service))
    file.write_text(HEAD + CLASS.replace("hello", "howdy"), encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    found.append(source_of(service))
    file.unlink()
    found.append(source_of(service))

    assert found == [Source(has_changed=True)] * 3


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + MADE, id="made-by-a-call"),
        pytest.param(HEAD + CLASS + '\nHello.__qualname__ = "Other"\n', id="under-another-name"),
    ],
)
def test_class_without_a_text(tmp_path: Path, text: str) -> None:
    """What no class statement of its file made has no text, and that is no error."""
    assert source_of(loaded(tmp_path, text)) == Source()


def test_text_of_another_file_is_not_shown(tmp_path: Path) -> None:
    """Not even if the class says that it is of that one's module."""
    (tmp_path / "apart_api.py").write_text(HEAD + CLASS.replace("Service):", "Service):\n    name = 'apart'\n"))
    (tmp_path / "sourced_api.py").write_text(HEAD + CLASS)
    apart, service = load_folder(tmp_path).services
    service.kind.__module__ = apart.kind.__module__
    assert (source_of(service), source_of(apart).line) == (Source(), 4)


def test_service_without_a_file() -> None:
    """A built-in one has no text to show."""

    class BuiltIn(Service):
        def handle(self) -> None:
            pass

    assert source_of(Deployed.builtin(BuiltIn, BuiltIn)) == Source()
