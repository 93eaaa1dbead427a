"""The image of docs/howto/run-in-a-container.md, as far as it goes without an engine that builds it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.proxies import EXAMPLES, ROOT
from tests.support.environments import PASSWORD, ServerProcess, free_port, run_zato
from tests.support.waiting import wait_until
from zato.environment import Environment

PING = (
    "from zato.server.service import Service\n\n\nclass Ping(Service):\n    def handle(self):\n        return 'here'\n"
)
LINES = re.sub(r"\\\n\s*", "", (EXAMPLES / "Containerfile").read_text("utf-8")).splitlines()


class Container(ServerProcess):
    """The start script of the image, with a folder in the place of the container's root."""

    def __init__(self, root: Path) -> None:
        """Start it. The environment's folder must stay empty until the script has made it."""
        script = (EXAMPLES / "container-start.sh").read_text("utf-8")
        for path in ("/srv/data", "/srv/services", "/run/secrets"):
            assert script.count(path) == 1
            script = script.replace(path, f"{root}{path}")
        (root / "start.sh").write_text(script, "utf-8")
        self.environment = Environment(root / "srv/data/env")
        self.output = root / "output.txt"
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        port = (root / "port").read_text("utf-8")
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["sh", str(root / "start.sh")],
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **variables(), "ZATO_PORT": port, "PATH": path},
            )

    def wait_ready(self) -> None:
        """Return when it answers."""
        wait_until((self.environment.path / "secrets.toml").exists, what="the environment")
        super().wait_ready()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make the folders that the image has, with a service."""
    for folder in ("srv/data", "srv/services", "run/secrets"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "srv/services/here.py").write_text(PING, "utf-8")
    (tmp_path / "port").write_text(str(free_port()), "utf-8")
    return tmp_path


def test_first_start_makes_the_environment_and_later_ones_keep_it(root: Path) -> None:
    """A start in an empty volume makes what is needed; the next one has the same passwords, and the same store."""
    with started(root) as first:
        password = first.environment.credentials().admin_invoke
    with started(root) as second:
        answer = run_zato("service", "invoke", str(second.environment.path), "here.ping").stdout
        again = second.environment.credentials().admin_invoke

    assert (answer, again) == ("here\n", password)


def test_server_listens_for_others_and_logs_as_json(root: Path) -> None:
    """The image's variables open the port to the container's network, and standard error is for machines."""
    with started(root) as server:
        host = server.environment.running().host
    logged = [line for line in server.output.read_text("utf-8").splitlines() if "stops" in line]

    assert host == "0.0.0.0"
    assert [json.loads(line)["level"] for line in logged] == ["info"]


def test_secret_of_the_container_counts(root: Path) -> None:
    """Passwords from outside take the place of random ones, in a file that only the server's user can read."""
    secret = root / "run/secrets/openzato"
    secret.write_text(f'admin_invoke = "{PASSWORD}"\npubapi = "{PASSWORD}"\n', "utf-8")
    secret.chmod(0o444)
    with started(root) as server, server.client() as client:
        answer = client.invoke("here.ping").data

    assert answer == "here"
    assert (server.environment.path / "secrets.toml").stat().st_mode & 0o777 == 0o600


def test_health_is_that_of_the_server(root: Path) -> None:
    """The check of the image passes while the server is ready, and fails when it is gone."""
    [health] = [line for line in LINES if line.startswith("HEALTHCHECK")]
    command = json.loads(health[health.index("[") :])
    arguments = ["0" if word == "5" else word.replace("/srv/data", f"{root}/srv/data") for word in command]
    with started(root):
        up = run_zato(*arguments[1:]).returncode
    down = run_zato(*arguments[1:]).returncode

    assert (command[0], up, down) == ("zato", 0, 3)


def test_files_that_are_copied_make_the_program(tmp_path: Path) -> None:
    """What the image copies from the clone is there, and is all that building the package needs."""
    for line in LINES:
        if line.startswith("COPY"):
            *sources, target = shlex.split(line)[1:]
            for source in sources:
                copied = tmp_path / target if (ROOT / source).is_dir() else tmp_path / Path(source).name
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile)(ROOT / source, copied)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation"]

    done = subprocess.run([*pip, "-q", "."], cwd=tmp_path, capture_output=True, check=False, text=True)

    assert (done.returncode, len([*tmp_path.glob("openzato-*.whl")])) == (0, 1), done.stderr


def test_process_1_is_told_to_stop() -> None:
    """No shell stands between the engine and the server: `docker stop` reaches it, and it runs as nobody special."""
    [entry] = [line for line in LINES if line.startswith("ENTRYPOINT")]
    users = [line for line in LINES if line.startswith("USER")]

    assert json.loads(entry.removeprefix("ENTRYPOINT "))[:2] == ["tini", "--"]
    assert (EXAMPLES / "container-start.sh").read_text("utf-8").splitlines()[-1].startswith("exec zato start")
    assert users == ["USER openzato"]


@contextmanager
def started(root: Path) -> Iterator[Container]:
    """Run the start script until it is told to stop, which it survives by no more than the server does."""
    with Container(root) as running:
        yield running
    assert running.process.returncode == 0


def variables() -> dict[str, str]:
    """Return the variables that the image sets."""
    [line] = [line for line in LINES if line.startswith("ENV")]
    return dict(pair.split("=", 1) for pair in shlex.split(line)[1:])
