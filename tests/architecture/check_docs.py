"""Check the repository's text: links in Markdown lead somewhere, and no file names a folder of one machine.

Run as a program; prints each finding as `file:line: what` and ends with 1 if there are any.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

__all__ = ["broken_links", "index_addresses", "machine_paths", "main"]

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$")
CODE_SPAN = re.compile(r"`[^`]*`")
FENCE = re.compile(r"\s*(```|~~~)")
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work|Users/\w+|home/\w+)/\w")


def broken_links(page: Path) -> Iterator[tuple[int, str]]:
    """Find the relative links of a page whose file or heading does not exist."""
    for number, line in _prose(page):
        for match in LINK.finditer(CODE_SPAN.sub("", line)):
            target = match[1] or match[2]
            if not ELSEWHERE.match(target) and not _resolves(page, target):
                yield number, f"link leads nowhere: {target}"


def machine_paths(text: str) -> Iterator[tuple[int, str]]:
    """Find paths that exist on one machine only."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := MACHINE_PATH.search(line):
            yield number, f"path of one machine: {match[0]}"


def index_addresses(text: str) -> Iterator[tuple[int, str]]:
    """Find lines of a lock file that say where to download from."""
    for number, line in enumerate(text.splitlines(), 1):
        if "://" in line or line.lstrip().startswith(("-i", "--index", "--extra-index", "--find-links")):
            yield number, "a lock file names no index"


def main(root: Path) -> int:
    """Check all files of the repository and return the exit code."""
    findings = [f"{path.relative_to(root)}:{line}: {what}" for path in _files(root) for line, what in _check(path)]
    print("\n".join([*findings, f"{len(findings)} findings"]) if findings else "Links, paths and locks are sound.")
    return 1 if findings else 0


def _check(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from machine_paths(text)
    if path.suffix == ".md":
        yield from broken_links(path)
    if path.suffix == ".lock":
        yield from index_addresses(text)


def _files(root: Path) -> list[Path]:
    """Return what git tracks, or would if it were added."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    return sorted({root / name for name in listed.split("\0") if name and (root / name).is_file()})


def _prose(page: Path) -> Iterator[tuple[int, str]]:
    """Return the numbered lines that stand outside of code blocks."""
    fence = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if match := FENCE.match(line):
            fence = "" if fence == match[1] else fence or match[1]
        elif not fence:
            yield number, line


def _resolves(page: Path, target: str) -> bool:
    name, _, anchor = unquote(target).partition("#")
    path = page.parent / name if name else page
    if not path.exists():
        return False
    return not anchor or path.suffix != ".md" or anchor in _anchors(path)


def _anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links."""
    anchors: set[str] = set()
    for _, line in _prose(page):
        if match := HEADING.match(line):
            name = NOT_IN_ANCHOR.sub("", match[1].lower()).replace(" ", "-")
            count = sum(1 for known in anchors if re.fullmatch(rf"{re.escape(name)}(-\d+)?", known))
            anchors.add(f"{name}-{count}" if count else name)
    return anchors


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
