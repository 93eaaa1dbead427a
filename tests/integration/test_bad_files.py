"""A real server whose folder has files that hang, end the process, or crash it: all others are deployed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import ServerProcess, make_environment

pytestmark = pytest.mark.usefixtures("unmeasured")

FINE = (
    "from zato.server.service import Service\nclass Fine(Service):\n    def handle(self):\n        return self.name\n"
)
FILES = {
    "first.py": FINE,
    "hangs.py": "\nimport time\ntime.sleep(600)\n",
    "imports_one_that_exits.py": "import exits\n",
    "exits.py": "import os\nos._exit(3)\n",
    "crashes.py": "import os\nos.abort()\n",
    "hooked.py": FINE + "    @staticmethod\n    def before_add_to_store():\n        __import__('os')._exit(5)\n",
    "logs.py": "import logging.config\nlogging.config.dictConfig({'version': 1, 'root': {'handlers': []}})\n",
    "secret.py": "password = 'hunter2\n",
    "last.py": FINE + "    @staticmethod\n    def after_add_to_store():\n        raise ValueError('late')\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server, when it is ready. It stops as ever: no timer of an import is left."""
    path = tmp_path_factory.mktemp("bad") / "env"
    with ServerProcess(make_environment(path, FILES, import_timeout=0.3)) as running:
        yield running
        assert running.stop() == 0


def test_all_others_are_deployed(server: ServerProcess) -> None:
    """Before the bad ones and after them."""
    with server.client() as client:
        items = client.invoke("zato.service.get-list").data["items"]
    assert [item["name"] for item in items if not item["is_internal"]] == ["first.fine", "last.fine"]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("hangs.py:3", "Its import has not ended after 0.3 s and was given up."),
        ("exits.py", "The process that loaded it ended with status 3. It is left out"),
        ("imports_one_that_exits.py:1", "It imports exits.py, which could not be loaded either."),
        ("crashes.py", "The process that loaded it was killed by SIGABRT. It is left out"),
        ("hooked.py", "The process that loaded it ended with status 5. It is left out"),
    ],
)
def test_each_bad_file_is_reported(server: ServerProcess, file: str, reason: str) -> None:
    """With its line, if it is known, and the reason."""
    services = Path(server.environment.services)
    server.logged(f"Not deployed: {services / file}: {reason}")


def test_what_a_hook_raises_afterwards_is_reported(server: ServerProcess) -> None:
    """The class is deployed, as the test of all others has it."""
    file = Path(server.environment.services) / "last.py"
    server.logged(f"Deployed, but {file}:7: Fine.after_add_to_store raised ValueError: late")


def test_log_outlives_a_file_that_configures_logging(server: ServerProcess) -> None:
    """It says who did it, and goes on."""
    file = Path(server.environment.services) / "logs.py"
    server.logged(f"{file} configures logging, which removed the server's own: it was put back")


def test_what_is_printed_has_no_secret(server: ServerProcess) -> None:
    """Neither the line that is no Python, nor what it is in."""
    printed = server.output.read_text()
    assert "secret.py:1: SyntaxError: unterminated string literal" in printed
    assert "hunter2" not in printed
