"""`zato service new`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.subprocesses import unmeasured_environment
from zato.environment import Credentials, Environment

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def test_written_tests_pass(zato: Zato, tmp_path: Path) -> None:
    """Whoever runs them next sees that they pass, for either kind of service."""
    blocking = zato("service", "new", "crm.get-customer", "--folder", tmp_path)
    on_loop = zato("service", "new", "echo", "--async", "--folder", tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "zato.pytest_plugin"],
        cwd=tmp_path,
        env={**unmeasured_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
        text=True,
        timeout=50,
    )

    assert (blocking.code, on_loop.code, done.returncode) == (0, 0, 0), done.stdout
    assert "4 passed" in done.stdout
    assert "class Echo(AsyncService):" in (tmp_path / "echo.py").read_text("utf-8")


def test_documentation_shows_what_is_written(zato: Zato, tmp_path: Path) -> None:
    """The tutorial's files are those of the command."""
    zato("service", "new", "hello.farewell", "--folder", tmp_path)

    for file in ("hello_farewell.py", "tests/test_hello_farewell.py"):
        assert (EXAMPLES / file).read_text("utf-8") == (tmp_path / file).read_text("utf-8")


def test_next_steps(zato: Zato, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where the files are, and what to type, as it can be typed."""
    monkeypatch.chdir(tmp_path)

    done = zato("service", "new", "crm.sync", "--folder", "my services")

    assert done.out == (
        "Written: my services/crm_sync.py\n"
        "         my services/tests/test_crm_sync.py\n"
        "Test it: pytest 'my services/tests/test_crm_sync.py'\n"
        "Run it:  cp 'my services/crm_sync.py' PATH/services/ for the environment in PATH, and start its server\n"
    )


def test_next_steps_in_an_environment(zato: Zato, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the services folder of one, it says how to start the server."""
    monkeypatch.chdir(tmp_path)
    Environment(tmp_path / "try").create({}, Credentials.make())

    done = zato("service", "new", "crm.sync", "--folder", "try/services")

    assert done.out.splitlines()[-1] == "Run it:  zato start try, or zato restart try if its server runs"


@pytest.mark.parametrize("file", ["crm_sync.py", "tests/test_crm_sync.py"])
def test_file_that_is_there(zato: Zato, tmp_path: Path, file: str) -> None:
    """It is not overwritten, and the other one is not written either."""
    (tmp_path / "tests").mkdir()
    (tmp_path / file).write_text("mine", "utf-8")

    done = zato("service", "new", "crm.sync", "--folder", tmp_path)

    assert (done.code, done.out) == (6, "")
    assert done.err == (
        f"Error: {tmp_path / file} exists, so nothing was written. Take another name, or another --folder.\n"
    )
    assert [path.read_text("utf-8") for path in tmp_path.rglob("*.py")] == ["mine"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("zato.mine", "'zato.mine' cannot be the name: those that start with 'zato'", id="ours"),
        pytest.param("my service", "'my service' is no service name: use 1 to 200 printable characters", id="space"),
    ],
)
def test_name_that_is_not_legal(zato: Zato, tmp_path: Path, name: str, message: str) -> None:
    """It is refused for the reason that a server would have, and nothing is written."""
    done = zato("service", "new", name, "--folder", tmp_path)

    assert (done.code, message in done.err, list(tmp_path.iterdir())) == (1, True, [])


def test_folder_that_cannot_be_written(zato: Zato, tmp_path: Path) -> None:
    """The message says which path it is about, and why."""
    (tmp_path / "tests").write_text("no folder", "utf-8")

    done = zato("service", "new", "crm.sync", "--folder", tmp_path)

    assert (done.code, done.err) == (2, f"Error: {tmp_path / 'tests'} cannot be written: File exists.\n")
