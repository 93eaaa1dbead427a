"""The check of links, paths and lock files finds what it is there to find."""

from pathlib import Path

import pytest

from tests.architecture.check_docs import broken_links, index_addresses, machine_paths

PAGE = """# Start here

Two words, `[not a](link.md)`.

## Run it, now

## Run it, now

```
[in a](block.md)
```
"""


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("[a](page.md)", id="file"),
        pytest.param("[a](.)", id="folder"),
        pytest.param("[a](page.md#start-here)", id="heading"),
        pytest.param("[a](page.md#run-it-now-1)", id="heading-that-occurs-twice"),
        pytest.param("[a](https://example.com/nothing.md)", id="elsewhere"),
        pytest.param("[a]: mailto:a@example.com", id="definition"),
    ],
)
def test_sound_link_is_silent(tmp_path: Path, link: str) -> None:
    """Links to what exists, and to other sites, are no finding."""
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "index.md").write_text(link)

    assert list(broken_links(tmp_path / "index.md")) == []


@pytest.mark.parametrize(
    ("link", "target"),
    [
        pytest.param("[a](missing.md)", "missing.md", id="file"),
        pytest.param("[a](page.md#missing)", "page.md#missing", id="heading"),
        pytest.param("![a](missing.png 'title')", "missing.png", id="image"),
        pytest.param("[a]: missing.md", "missing.md", id="definition"),
    ],
)
def test_broken_link_is_found(tmp_path: Path, link: str, target: str) -> None:
    """A link to a file or heading that does not exist is named with its line."""
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "index.md").write_text(f"first line\n{link}\n")

    assert list(broken_links(tmp_path / "index.md")) == [(2, f"link leads nowhere: {target}")]


def test_code_holds_no_links(tmp_path: Path) -> None:
    """What looks like a link in a code block or between backticks is none."""
    (tmp_path / "page.md").write_text(PAGE)

    assert list(broken_links(tmp_path / "page.md")) == []


@pytest.mark.parametrize("folder", ["root", "work", "home/someone", "Users/someone"])
def test_path_of_one_machine_is_found(folder: str) -> None:
    """A path below a personal or temporary root is named with its line."""
    assert list(machine_paths(f"first line\nsee /{folder}/notes")) == [(2, f"path of one machine: /{folder}/n")]


@pytest.mark.parametrize("text", ["https://example.com/work/x", "./work/x", "at /work", "framework/x", "~/work/x"])
def test_other_paths_are_silent(text: str) -> None:
    """Addresses, relative paths and words that merely look alike are no finding."""
    assert list(machine_paths(text)) == []


@pytest.mark.parametrize("line", ["--index-url x", "-i x", "--find-links x", "a @ https://example.com/a.whl"])
def test_address_in_a_lock_file_is_found(line: str) -> None:
    """A lock file says which versions, never where they are."""
    assert list(index_addresses(f"a==1\n{line}\n")) == [(2, "a lock file names no index")]
