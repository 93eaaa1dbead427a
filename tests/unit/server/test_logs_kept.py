"""Logging that outlives a file which configures it as its own."""

import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest

from zato.server.logs.kept import logging_kept

WHOLE = {"version": 1, "root": {"handlers": [], "level": "ERROR"}}
SERVER = logging.getLogger("zato.server")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the logging of the tests as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], SERVER.disabled = handlers, False
    root.setLevel(level)


@pytest.mark.parametrize(
    "configures",
    [
        pytest.param(lambda: logging.config.dictConfig(WHOLE), id="dict-config"),
        pytest.param(lambda: logging.config.dictConfig({"version": 1}), id="only-silences"),
        pytest.param(lambda: logging.basicConfig(force=True, handlers=[logging.NullHandler()]), id="force"),
    ],
)
def test_what_was_removed_is_put_back(configures: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    """Handlers, level and loggers; the log says who did it."""
    caplog.set_level("INFO")
    root = logging.getLogger()
    before = list(root.handlers), root.level
    with logging_kept("crm.py"):
        configures()
    assert ([each for each in root.handlers if each in before[0]], root.level) == before
    SERVER.info("still heard")
    assert caplog.messages == [
        "crm.py configures logging, which removed the server's own: it was put back",
        "still heard",
    ]


def test_what_is_added_stays(caplog: pytest.LogCaptureFixture) -> None:
    """So does a level, and the silence of one logger."""
    own, noisy = logging.NullHandler(), logging.getLogger("noisy")
    with logging_kept("crm.py"):
        logging.getLogger().addHandler(own)
        logging.getLogger().setLevel("ERROR")
        noisy.disabled = True
    assert (own in logging.getLogger().handlers, logging.getLogger().level) == (True, logging.ERROR)
    assert (noisy.disabled, caplog.messages) == (True, [])
