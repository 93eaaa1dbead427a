"""Reference pages: what is generated is what the code says, and what is written by hand names all there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.make_reference import pages
from tests.support.environments import ServerProcess, make_environment
from zato.core.envelope import ADMIN_INVOKE
from zato.server.http.addresses import LIVE, PING, READY
from zato.server.http.api import API_INVOKE, API_VERBS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PROGRAM = ROOT / "scripts" / "make_reference.py"
FIRST_CELL = re.compile(r"^\| `([^`]+)`", re.MULTILINE)


def run_program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the generator."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, cwd=ROOT, text=True, timeout=50)


@pytest.mark.parametrize("name", sorted(pages()))
def test_page_is_what_the_code_says(name: str) -> None:
    """A change of the code that shows in the reference is not forgotten there."""
    assert (REFERENCE / name).read_text("utf-8") == pages()[name]


def test_page_that_is_out_of_date_is_named_and_written_anew(tmp_path: Path) -> None:
    """The check ends with 1 and says what to do; the generator does it."""
    for name, text in pages().items():
        (tmp_path / name).write_text(text, "utf-8")
    page = tmp_path / "settings.md"
    current = page.read_text("utf-8")
    page.write_text(current.replace("11223", "8000"), "utf-8")

    check = run_program("--check", tmp_path)
    assert (check.returncode, check.stdout.count("\n"), page.name in check.stdout) == (1, 1, True)
    assert "8000" in page.read_text("utf-8")

    assert run_program(tmp_path).stdout == f"Written: {page}\n"
    assert page.read_text("utf-8") == current


def test_a_server_has_the_services_and_fields_that_the_pages_list(tmp_path: Path) -> None:
    """Each built-in service of a running server has its section, and each field of a record its row."""
    with ServerProcess(make_environment(tmp_path / "env")) as server, server.client() as client:
        deployed = [item["name"] for item in client.invoke("zato.service.get-list").data["items"]]
        record = client.result(client.invoke_async("zato.ping").data, wait=10).record

    services = (REFERENCE / "services.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", services, re.MULTILINE) == deployed
    assert FIRST_CELL.findall((REFERENCE / "record.md").read_text("utf-8")) == list(record)


def test_every_builtin_says_what_it_takes_and_returns() -> None:
    """A section without input or output would leave its reader to guess."""
    sections = pages()["services.md"].split("\n## ")[1:]

    assert not [text for text in sections if "- **Input:**" not in text or "- **Output:**" not in text]


def test_every_error_says_what_to_do() -> None:
    """Each row of the page has a code, two numbers, a class, a cause and a remedy."""
    rows = [line.split(" | ") for line in pages()["errors.md"].splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 6 or not row[4].endswith(".") or not row[5].endswith(". |")] == []


def test_every_address_is_described() -> None:
    """The page about HTTP has a row for each door, with the methods it takes."""
    page = (REFERENCE / "http.md").read_text("utf-8")

    addresses = {cell for cell in FIRST_CELL.findall(page) if cell.startswith("/")}

    assert addresses == {ADMIN_INVOKE, API_INVOKE + "{service}", PING, LIVE, READY}
    assert f"| {', '.join(API_VERBS)} |" in page


def test_every_page_is_in_the_index() -> None:
    """A page that nothing leads to is not found."""
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text("utf-8")

    assert not [
        page for page in docs.rglob("*.md") if page.name != "index.md" and f"({page.relative_to(docs)})" not in index
    ]
