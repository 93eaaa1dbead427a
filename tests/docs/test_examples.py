"""The documentation's examples: each one is a file, and each command is run as it stands there."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.docs.transcripts import REDIS, Step, blocks_of, clone, steps_of
from tests.support.redis import RedisServer

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PYTHON_PAGES = [page for page in PAGES if blocks_of(page, "python")]
CONSOLE_PAGES = [page for page in PAGES if blocks_of(page, "console")]


def place(redis: RedisServer | None) -> str:
    """Return host and port of a Redis."""
    return REDIS if redis is None else f"127.0.0.1:{redis.port}"


def page_id(page: Path) -> str:
    """Name a page in the tests' output."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=page_id)
def test_python_block_is_a_file(page: Path) -> None:
    """Every block of Python in the documentation is an example that stands in a file, to the letter."""
    files = {
        file.read_text("utf-8") for folder in ("docs/examples", "examples") for file in ROOT.glob(f"{folder}/**/*.py")
    }

    strangers = [block for block in blocks_of(page, "python") if block not in files]

    assert not strangers


@pytest.mark.parametrize("page", CONSOLE_PAGES, ids=page_id)
def test_page_can_be_followed_word_for_word(page: Path, tmp_path: Path) -> None:
    """Every command of a page prints what the page says, apart from CIDs, times and process numbers."""
    needs_redis = any(REDIS in step.command for step in steps_of(page))
    with (
        RedisServer() if needs_redis else nullcontext() as redis,
        clone(tmp_path / "clone", place(redis)) as transcript,
    ):
        for step in steps_of(page):
            printed = transcript.play(step)
            assert transcript.agrees(step.shown, printed), f"$ {step.command}\n{printed}"


def test_readme_and_tutorial_are_among_the_pages() -> None:
    """The pages that newcomers follow are found, and have commands."""
    assert {"README.md", "docs/tutorial.md"} <= set(map(page_id, CONSOLE_PAGES)) & set(map(page_id, PYTHON_PAGES))


def test_every_example_is_shown_or_linked() -> None:
    """No example lies about that no page speaks of."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    shown = {block for page in PAGES for block in blocks_of(page, "python")}

    forgotten = [
        file.name
        for file in (ROOT / "docs" / "examples").glob("*.py")
        if file.name not in text and file.read_text("utf-8") not in shown
    ]

    assert not forgotten


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        pytest.param("Hello\n", "Hallo\n", id="other-words"),
        pytest.param("CID e8bb4716a8ca4d8d1bb0e0b2\n", "CID 17\n", id="no-cid"),
        pytest.param("done\n", "done\nand more\n", id="more-lines"),
    ],
)
def test_other_output_is_noticed(shown: str, printed: str, tmp_path: Path) -> None:
    """A page that shows something else than what is printed does not pass."""
    with clone(tmp_path / "clone") as transcript:
        assert not transcript.agrees(shown, printed)


def test_cid_of_the_page_stands_for_the_real_one(tmp_path: Path) -> None:
    """A command that names a CID the page has shown before is run with the CID of this run."""
    shown, real = "e8bb4716a8ca4d8d1bb0e0b2", "a00000000000000000000001"
    with clone(tmp_path / "clone") as transcript:
        transcript.agrees(f"{shown}\n", f"{real}\n")
        printed = transcript.play(Step(f"echo {shown}", ""))

    assert printed == f"{real}\n"
