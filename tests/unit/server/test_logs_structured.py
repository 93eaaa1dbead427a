"""structlog joins the log when somebody imports it, and only then."""

import json
from pathlib import Path

from tests.support.subprocesses import run_python

LATE = """
import sys
from pathlib import Path
from zato.server.logs.root import Outlets, logging_to

with logging_to(Outlets(file=Path({file!r}))):
    assert "structlog" not in sys.modules
    import structlog
    structlog.get_logger("mylib").info("from structlog", order=7)
    assert structlog.is_configured()
assert not structlog.is_configured()
"""
NEVER = """
import sys
from pathlib import Path
from zato.server.logs.root import Outlets, logging_to
import zato.server.process, zato.server.supervisor

before = len(sys.meta_path)
with logging_to(Outlets(file=Path({file!r}))):
    pass
assert len(sys.meta_path) == before
print("structlog" in sys.modules, "rich" in sys.modules)
"""


def test_structlog_that_is_imported_late_joins_too(tmp_path: Path) -> None:
    """A service that imports it first of all finds it set up, as long as the server logs."""
    run_python(LATE.format(file=str(tmp_path / "server.log")), measured=True)

    [line] = map(json.loads, (tmp_path / "server.log").read_text("utf-8").splitlines())
    assert (line["event"], line["logger"], line["order"]) == ("from structlog", "mylib", 7)


def test_server_that_does_not_need_structlog_does_not_import_it(tmp_path: Path) -> None:
    """Its import, and that of rich with it, would take a third of the start of every process."""
    assert run_python(NEVER.format(file=str(tmp_path / "server.log"))) == "False False\n"
