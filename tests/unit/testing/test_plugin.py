"""The plug-in of pytest, as it is installed with the package."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from tests.support.subprocesses import run_python, unmeasured_environment

USERS_TEST = '''
"""A user's test, typed as users type them."""

import logging
from typing import Any

import pytest

from zato.server.service import Service
from zato.testing import Zato


class Greet(Service):
    """Greets."""

    name = "greet"

    def handle(self) -> str:
        self.logger.info("Greeting")
        return f"Hello, {self.request.payload['name']}!"


def test_greeting(zato: Zato, caplog: pytest.LogCaptureFixture) -> None:
    """It greets."""
    caplog.set_level(logging.INFO)
    data: Any = zato.invoke(Greet, {"name": "Ada"}).data
    assert (data, caplog.messages) == ("Hello, Ada!", ["Greeting"])


def test_background(zato: Zato) -> None:
    """It greets later."""
    cid: str = zato.invoke_async(Greet, {"name": "Ada"}, delay=60, priority="high")
    assert zato.run_background(delayed=True)[0].cid == cid
    assert zato.result(cid).data == "Hello, Ada!"
'''


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder with nothing but the plug-ins that are named."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**unmeasured_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
        text=True,
        timeout=50,
    )


def test_entry_point_is_installed() -> None:
    """Pytest finds the plug-in by itself."""
    (found,) = entry_points(group="pytest11", name="zato")

    assert found.value == "zato.pytest_plugin"


def test_users_tests_run(tmp_path: Path) -> None:
    """With no other plug-in than ours, and warnings as errors."""
    (tmp_path / "test_greet.py").write_text(USERS_TEST, "utf-8")

    done = run_pytest(tmp_path, "-q", "-W", "error", "-p", "zato.pytest_plugin")

    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_plugin_loads_nothing_until_it_is_used() -> None:
    """A project that does not use it does not pay for it."""
    loaded = run_python("import pytest, zato.pytest_plugin, sys; print(*sys.modules)").split()

    assert [name for name in loaded if name.startswith("zato.") and name != "zato.pytest_plugin"] == []
