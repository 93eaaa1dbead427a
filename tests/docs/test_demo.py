"""The demo that `make run` serves: it is made once, kept as users change it, and survives `kill -9`."""

import csv
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import PASSWORD, ServerProcess, free_port
from tests.support.waiting import wait_until
from zato.environment import Environment

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
EXPECTED = {"rows": 3000, "added": 2940, "failed": 60, "waiting": 0, "credit": "14587900.00"}
REASONS = {
    51: "'Atlantis' is no country we sell to: DE, FR, IT, PL, SE, TR, US.",
    101: "'2021-02-30' is no date: day is out of range for month.",
    151: "A credit of '-12.50' is not possible: 0 or more, with two decimals at most.",
    201: "The name is empty.",
    251: "'nobody at example.com' is no e-mail address.",
}
# Runs a service with text as its payload, as the server does with a callback.
AGAIN = """
from zato.server.service import Service

class Again(Service):
    name = "again"

    def handle(self):
        self.invoke(self.request.payload["service"], self.request.payload["payload"])
"""
# A small file that has one of each, for the tests that do not need thousands of rows.
FEW = (
    "id,name,email,country,since,credit\nC1,Ada,ada@example.com,DE,2024-01-31,0.10\nC2,,x@example.com,FR,2024-01-31,1\n"
)


@pytest.fixture(scope="module", autouse=True)
def no_web_admin() -> Iterator[None]:
    """The demo's port for the web admin is the same for all who test at once, and none of these tests looks at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZATO_WEB_ADMIN", "no")
        yield


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Make the demo, with a service of the tests in it."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make_demo(folder)
    (folder / "services" / "again.py").write_text(AGAIN, "utf-8")
    return Environment(folder)


@pytest.fixture(scope="module")
def server(demo: Environment) -> Iterator[ServerProcess]:
    """Run its server."""
    with ServerProcess(demo) as running:
        yield running


def test_import_survives_kill_9(tmp_path: Path) -> None:
    """A server killed in the middle of an import ends it after its next start, and no row counts twice."""
    make_demo(tmp_path / "demo")
    environment = Environment(tmp_path / "demo")
    with ServerProcess(environment) as first:
        cid = start_import(first)
        wait_until(lambda: report(first).get("added"), what="the first customer")
        first.kill()

    with ServerProcess(environment) as second, second.client() as client:
        importing = client.result(cid, wait=30)
        wait_until(lambda: report(second)["waiting"] == 0, 30, what="the end of the import")
        counted = report(second)
        failures = client.invoke("crm.import-failures").data

    assert (importing.status, importing.record["takeovers"]) == ("done", 1)
    assert counted.items() >= EXPECTED.items()
    assert len(failures) == 60
    assert {failure["line"]: failure["reason"] for failure in failures}.items() >= REASONS.items()


def test_the_sums_are_those_of_the_file(demo: Environment) -> None:
    """The figures that the other tests compare with come from the rows that are not broken."""
    with (demo.path / "crm" / "customers.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for number, row in enumerate(csv.DictReader(file), 1) if number % 50]

    cents = sum(int(row["credit"].replace(".", "")) for row in rows)

    assert (len(rows), f"{cents / 100:.2f}") == (EXPECTED["added"], EXPECTED["credit"])


def test_importing_the_same_file_again_changes_nothing(server: ServerProcess) -> None:
    """A second request for the same import is answered as the first, and counts no row twice."""
    query = imported(server, "few.csv", FEW)
    with server.client() as client:
        before = client.invoke("crm.import-report", query).data
        again = client.invoke("crm.import-customers", {"file": "few.csv"})
        after = client.invoke("crm.import-report", query).data

    assert again.data == {**query, "rows": 2}
    assert before == after
    assert (after["added"], after["failed"], after["credit"]) == (1, 1, "0.10")


def test_importing_the_same_file_again_runs_nothing(server: ServerProcess) -> None:
    """The rows of an import that is repeated have their keys, so none is checked a second time."""
    imported(server, "keys.csv", FEW.replace("Ada", "Di"))
    checks = count_of_failed_checks(server)

    with server.client() as client:
        client.invoke("crm.import-customers", {"file": "keys.csv"})
        # Waits in the same line, behind what the import may have asked for.
        last = client.invoke_async("crm.import-report").data
        client.result(last, wait=10)

    assert count_of_failed_checks(server) == checks


def test_a_second_run_of_the_callback_changes_nothing(server: ServerProcess) -> None:
    """What a crash makes the server do, call back once more, adds no customer and no credit."""
    row = {"id": "C1", "name": "Bo", "email": "b@example.com", "country": "SE", "since": "2024-01-31", "credit": "5"}
    with server.client() as client:
        query = imported(server, "callback.csv", FEW.replace("Ada", "Bo"))
        before = client.invoke("crm.import-report", query).data
        checked = client.invoke("crm.check-customer", {**query, "line": 2, "row": row}).inner_service_response
        again = client.invoke("again", {"service": "crm.add-customer", "payload": checked})
        after = client.invoke("crm.import-report", query).data

    assert again.ok, again.details
    assert before == after


def test_a_second_run_of_on_failure_changes_nothing(server: ServerProcess) -> None:
    """What a crash makes the server do, report a failure once more, counts no second failure."""
    with server.client() as client:
        query = imported(server, "failure.csv", FEW.replace("Ada", "Cy"))
        before = client.invoke("crm.import-report", query).data
        [failure] = client.invoke("crm.import-failures", query).data
        known = {"cid": failure["cid"], "error": {"message": "anything"}}
        again = client.invoke("crm.note-failure", known)
        after = client.invoke("crm.import-report", query).data

    assert again.ok, again.details
    assert before == after


def test_row_that_is_corrected_and_replayed_counts_as_added(server: ServerProcess) -> None:
    """What `make run` suggests to do: the failure is gone from the report and from the list."""
    with server.client() as client:
        query = imported(server, "mended.csv", FEW.replace("Ada", "Flo"))
        [failure] = client.invoke("crm.import-failures", query).data
        payload = client.invoke("zato.invocation.get", {"cid": failure["cid"]}).data["payload"]
        payload["row"]["name"] = "Eve"
        client.replay(failure["cid"], payload=payload)
        wait_until(lambda: client.invoke("crm.import-report", query).data["added"] == 2, what="the corrected row")
        client.invoke("crm.note-failure", {"cid": failure["cid"], "error": {"message": "told once more"}})
        after = client.invoke("crm.import-report", query).data
        failures = client.invoke("crm.import-failures", query).data

    assert (after["added"], after["failed"], after["waiting"], after["credit"]) == (2, 0, 0, "1.10")
    assert failures == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"id;name\n1;Ada\n", "The first line is id,name,email,country,since,credit", id="other-columns"),
        pytest.param(FEW.encode() + b"C3,Bo\n", "Line 4 does not have 6 columns.", id="short-row"),
        pytest.param(b"\xff\xfe", "The file is not UTF-8", id="not-utf-8"),
        pytest.param(None, "There is no file 'broken.csv'", id="missing"),
    ],
)
def test_file_that_is_no_list_of_customers_is_refused(
    content: bytes | None, message: str, server: ServerProcess
) -> None:
    """A broken file is refused as a whole, with what is wrong with it."""
    file = server.environment.path / "crm" / "broken.csv"
    file.unlink(missing_ok=True)
    if content is not None:
        file.write_bytes(content)

    with server.client() as client:
        response = client.invoke("crm.import-customers", {"file": "broken.csv"})

    assert not response.ok
    assert response.details.startswith(message)


@pytest.mark.parametrize("payload", [{"file": "../secrets.toml"}, {"file": ""}, "customers.csv", {"fil": "x"}])
def test_caller_names_a_file_in_the_folder_or_none(payload: object, server: ServerProcess) -> None:
    """A file elsewhere cannot be imported."""
    with server.client() as client:
        response = client.invoke("crm.import-customers", payload)

    assert response.inner.status_code == 400
    assert "without folders" in response.details


def test_every_command_that_make_run_suggests_works(tmp_path: Path) -> None:
    """What `make run` prints can be typed as it is; the last line kills the server."""
    lines = (ROOT / "examples" / "NEXT.txt").read_text("utf-8").splitlines()
    commands = [line for line in lines if line.startswith("  ")]
    (tmp_path / ".venv").symlink_to(BIN.parent)
    make_demo(tmp_path / "demo")

    with ServerProcess(Environment(tmp_path / "demo")) as server:
        done = subprocess.run(
            ["sh", "-ec", "\n".join(commands)], cwd=tmp_path, capture_output=True, check=False, text=True, timeout=50
        )
        status = server.process.wait(10)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(commands) == 12
    assert status == -signal.SIGKILL


def test_log_in_to_the_web_admin_is_said_at_every_start(tmp_path: Path) -> None:
    """The demo has its web admin on, and `make run` says where it is and how to log in, from a file of its owner's."""
    folder = tmp_path / "demo"
    make_demo(folder)
    make_demo(folder)
    kept = folder / "web-admin-login.txt"

    said = subprocess.run(
        ["sh", ROOT / "scripts" / "log_in.sh", folder], capture_output=True, check=True, text=True, timeout=30
    ).stdout

    assert Environment(folder).settings().web_admin
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text("utf-8").startswith("log in as admin with ")
    assert said.split()[:3] == ["Web", "admin", "http://127.0.0.1:8183"]
    assert kept.read_text("utf-8").strip() in said


def test_demo_of_before_the_web_admin_gets_it(tmp_path: Path) -> None:
    """One that was made by an older version is completed: the setting is on, and the log-in is somebody's to make."""
    folder = tmp_path / "demo"
    make_demo(folder)
    (folder / "config.toml").write_text("port = 11223\n", "utf-8")
    (folder / "web-admin-login.txt").unlink()
    make_demo(folder)
    make_demo(folder)

    said = subprocess.run(
        ["sh", ROOT / "scripts" / "log_in.sh", folder], capture_output=True, check=True, text=True, timeout=30
    ).stdout

    assert Environment(folder).given() == {"port": 11223, "web_admin": True}
    assert f"'.venv/bin/zato user create {folder} admin --role admin'" in said


def test_second_run_keeps_what_the_user_changed(demo: Environment) -> None:
    """A changed service stays, and the user is told; a missing one comes back; nothing else is touched."""
    changed, missing = demo.services / "my_service.py", demo.services / "crm.py"
    secrets = (demo.path / "secrets.toml").read_text("utf-8")
    changed.write_text("# mine\n", "utf-8")
    missing.unlink()

    said = make_demo(demo.path)

    assert "my_service.py is not the same as docs/examples/my_service.py, and stays as it is." in said
    assert changed.read_text("utf-8") == "# mine\n"
    assert missing.read_text("utf-8") == (ROOT / "examples" / "crm.py").read_text("utf-8")
    assert (demo.path / "secrets.toml").read_text("utf-8") == secrets
    shutil.copy(ROOT / "docs" / "examples" / "my_service.py", changed)


def make_demo(folder: Path) -> str:
    """Make or complete the demo in a folder, and return what was said."""
    done = subprocess.run(
        ["sh", ROOT / "scripts" / "demo.sh", folder, "--port", str(free_port()), "--admin-invoke-password", PASSWORD],
        env={**os.environ, "BIN": str(BIN)},
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start_import(server: ServerProcess) -> str:
    """Start the import in the background and return its CID."""
    with server.client() as client:
        return str(client.invoke_async("crm.import-customers").data)


def report(server: ServerProcess) -> dict[str, Any]:
    """Return the sums so far, or nothing before there are any."""
    with server.client() as client:
        return client.invoke("crm.import-report").data or {}


def count_of_failed_checks(server: ServerProcess) -> int:
    """Return how often a row was found to be wrong."""
    return sum("crm.check-customer answered" in line["event"] for line in server.log())


def imported(server: ServerProcess, name: str, content: str) -> dict[str, str]:
    """Import a file of this content, wait for its last row, and return what the import is asked for by."""
    (server.environment.path / "crm" / name).write_text(content, "utf-8")
    with server.client() as client:
        query = {"import": client.invoke("crm.import-customers", {"file": name}).data["import"]}
        wait_until(lambda: client.invoke("crm.import-report", query).data["waiting"] == 0, what="the last row")
    return query
