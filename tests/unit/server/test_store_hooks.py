"""What a class does when it is deployed: `before_add_to_store` and `after_add_to_store`."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import imports_undone
from zato.server.loader import Loaded, Loading, load_folder
from zato.server.store_hooks import after_add, before_add

SERVICE = """from zato.server.service import {kind}

class {name}({kind}):
{hook}
    {word} handle(self):
        pass
"""
HOOK = "    @{kind}method\n    def {hook}({takes}):\n        {does}\n"
BEFORE, AFTER = "before_add_to_store", "after_add_to_store"
# A call of a hook is written to the log, by the logger that it is given or by its own.
SAYS = "__import__('logging').getLogger('hook').warning('called')"
WRONG = [
    pytest.param("    def {}(self, logger): pass", "Sync.{} is called on the class. Put '@classmethod'", id="method"),
    pytest.param("    @classmethod\n    async def {}(cls): pass", "Sync.{} is a coroutine, and nobody", id="coroutine"),
    pytest.param(
        "    @staticmethod\n    def {}(logger, store): pass",
        "Sync.{} takes a logger, or nothing; it was",
        id="arguments",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A services folder whose imports are undone."""
    with imports_undone():
        yield tmp_path


def hook(name: str, does: str = SAYS, *, kind: str = "static", takes: str = "logger") -> str:
    """Return the text of a hook."""
    return HOOK.format(hook=name, does=does, kind=kind, takes=takes)


def deployed(folder: Path, text: str, how: Loading | None = None, *, kind: str = "Service") -> Loaded:
    """Deploy a service with some hooks beside one without, and return what came of it."""
    word = "async def" if kind == "AsyncService" else "def"
    (folder / "crm.py").write_text(SERVICE.format(name="Sync", kind=kind, hook=text, word=word))
    (folder / "erp.py").write_text(SERVICE.format(name="Sync", kind="Service", hook="", word="def"))
    how = how or Loading()
    loaded = load_folder(folder, how)
    before_add(loaded, how)
    after_add(loaded, how)
    return loaded


def names(loaded: Loaded) -> list[str]:
    """Return what is deployed."""
    return [service.name for service in loaded.services]


@pytest.mark.parametrize("name", [BEFORE, AFTER])
@pytest.mark.parametrize(
    ("decorator", "takes"),
    [("static", "logger"), ("static", ""), ("class", "cls, logger"), ("class", "cls"), ("static", "*args")],
    ids=["static", "static-without", "class", "class-without", "any"],
)
def test_hook_is_called_once(
    folder: Path, name: str, decorator: str, takes: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A class or static method, with or without a logger; what it returns, False apart, does not matter."""
    loaded = deployed(folder, hook(name, kind=decorator, takes=takes))
    assert (names(loaded), loaded.errors) == (["crm.sync", "erp.sync"], [])
    assert caplog.messages.count("called") == 1


def test_hook_of_an_asynchronous_service(folder: Path) -> None:
    """It is called as that of a blocking one, and is none of its coroutines."""
    assert names(deployed(folder, hook(BEFORE, "return False"), kind="AsyncService")) == ["erp.sync"]


def test_logger_is_the_services_own(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its level is set where that of the service is."""
    caplog.set_level(logging.INFO)
    deployed(folder, hook(BEFORE, "logger.info('ready for %s', 'it')"))
    assert ("crm.sync", logging.INFO, "ready for it") in caplog.record_tuples


def test_hook_is_inherited(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is called for each class, by the class."""
    child = "\nclass Child(Sync): pass\n"
    (folder / "zoo.py").write_text("from crm import Sync" + child)
    loaded = deployed(folder, hook(AFTER, "logger.warning(cls.__name__)", kind="class", takes="cls, logger"))
    assert names(loaded) == ["crm.sync", "erp.sync", "zoo.child"]
    assert caplog.messages == ["Sync", "Child"]


def test_false_keeps_a_class_from_being_deployed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """That is its own decision and no error; the log has it. Nothing is called afterwards."""
    caplog.set_level(logging.INFO)
    loaded = deployed(folder, hook(BEFORE, "return False") + hook(AFTER))
    assert (names(loaded), loaded.errors) == (["erp.sync"], [])
    assert caplog.messages == ["Not deployed: crm.sync, because its before_add_to_store returned False"]


@pytest.mark.parametrize("answer", ["None", "True", "0", "''"])
def test_other_answers_do_not(folder: Path, answer: str) -> None:
    """A hook that returns nothing wants its class deployed."""
    assert names(deployed(folder, hook(BEFORE, f"return {answer}"))) == ["crm.sync", "erp.sync"]


@pytest.mark.parametrize("does", ["raise ValueError('no')", "raise SystemExit('no')"])
def test_error_before_is_why_a_class_is_not_deployed(folder: Path, does: str, caplog: pytest.LogCaptureFixture) -> None:
    """File, line and error are reported, and the others are deployed."""
    loaded = deployed(folder, hook(BEFORE, does))
    (error,) = loaded.errors
    kind = does.partition("(")[0].removeprefix("raise ")
    assert names(loaded) == ["erp.sync"]
    assert str(error) == f"{folder / 'crm.py'}:6: Sync.before_add_to_store raised {kind}: no"
    assert caplog.messages == [f"Not deployed: {error}"]


def test_error_afterwards_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The class stays deployed, and the log has the traceback."""
    loaded = deployed(folder, hook(AFTER, "1 / 0"))
    (error,) = loaded.errors
    assert names(loaded) == ["crm.sync", "erp.sync"]
    assert str(error).endswith("crm.py:6: Sync.after_add_to_store raised ZeroDivisionError: division by zero")
    assert (caplog.messages, "1 / 0" in caplog.text) == ([f"Deployed, but {error}"], True)


def test_hook_that_hangs(folder: Path) -> None:
    """It has as long as an import."""
    loaded = deployed(folder, hook(BEFORE, "__import__('time').sleep(50)"), Loading(limit=0.1))
    (error,) = loaded.errors
    words = "Sync.before_add_to_store has not ended after 0.1 s and was given up (setting import_timeout)."
    assert (error.line, error.reason) == (6, words)


@pytest.mark.parametrize(("text", "reason"), WRONG)
@pytest.mark.parametrize("name", [BEFORE, AFTER])
def test_hook_that_cannot_be_called(folder: Path, text: str, reason: str, name: str) -> None:
    """The message names the method and the remedy, the line is that of the class."""
    (error,) = deployed(folder, text.format(name)).errors
    assert (error.line, error.reason.startswith(reason.format(name))) == (3, True)


def test_interrupt_is_no_error_of_a_hook(folder: Path) -> None:
    """Ctrl-C ends the server's start."""
    with pytest.raises(KeyboardInterrupt):
        deployed(folder, hook(BEFORE, "raise KeyboardInterrupt"))


def test_file_whose_hook_runs_is_told(folder: Path) -> None:
    """Should it end the process, it is known which one it was."""
    said: list[str] = []
    deployed(folder, hook(BEFORE), Loading(now_at=lambda file: said.append(Path(file).name)))
    assert said == ["crm.py", "erp.py", "", "crm.py", "", ""]
