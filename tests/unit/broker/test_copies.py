"""Copies of files: whole or not there, and never in place of another file."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from zato.broker.copies import copy_into, draft_of, scratch
from zato.core.errors import EnvironmentFault

LEFT = "zato-0123456789abcdef.draft"
# Is killed while it has a file, and a journal of it.
LEND_AND_DIE = """
import os, signal, sys
from pathlib import Path
from zato.broker.copies import scratch

with scratch(Path(sys.argv[1])) as lent:
    lent.write_text("left behind")
    lent.with_name(f"{lent.name}-journal").touch(0o600)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """What a draft is to become."""
    return tmp_path / "copy.db"


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_draft_becomes_the_target_when_it_is_complete(target: Path) -> None:
    """Until then nothing has that name, and afterwards nothing else is left."""
    with draft_of(target) as draft:
        draft.write_text("whole")
        during = _names(target.parent)

    assert (during, _names(target.parent), target.read_text()) == ([draft.name], ["copy.db"], "whole")
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_draft_that_fails_is_gone(target: Path) -> None:
    """Half of it is of no use."""
    with pytest.raises(ZeroDivisionError), draft_of(target):
        _ = 1 / 0

    assert _names(target.parent) == []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_file_is_never_overwritten(target: Path, when: str) -> None:
    """Whoever has that name keeps it, also one who comes while the draft is made."""
    with ExitStack() as stack:
        caught = stack.enter_context(pytest.raises(EnvironmentFault, match="is there already, and is not overwritten"))
        if when == "before":
            target.write_text("mine")
        stack.enter_context(draft_of(target)).write_text("other")
        target.write_text("mine")

    assert str(target) in str(caught.value)
    assert (_names(target.parent), target.read_text()) == (["copy.db"], "mine")


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_system_without_second_names_will_do(target: Path, monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    """Where files can have one name alone, the draft is renamed, and still overwrites nothing."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with ExitStack() as stack:
        if taken:
            stack.enter_context(pytest.raises(EnvironmentFault, match="is there already"))
        stack.enter_context(draft_of(target)).write_text("other")
        if taken:
            target.write_text("mine")

    assert (_names(target.parent), target.read_text()) == (["copy.db"], "mine" if taken else "other")


def test_two_who_write_one_target_do_not_mix(target: Path) -> None:
    """Each has a draft of its own; the second to end is told that the name is taken."""
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(EnvironmentFault, match="is there already, and is not overwritten"))
        late = stack.enter_context(draft_of(target))
        late.write_text("late")
        with draft_of(target) as early:
            early.write_text("early")

    assert (_names(target.parent), target.read_text()) == (["copy.db"], "early")


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_a_file_that_is_called_a_draft_is_left_alone(target: Path, link: bool) -> None:
    """Nobody's file is taken for ours because of its name, nor is one that such a name leads to."""
    theirs, victim = target.with_name("copy.db.draft"), target.with_name("victim.txt")
    victim.write_text("mine")
    if link:
        theirs.symlink_to(victim)
    else:
        theirs.write_text("mine")
        theirs.chmod(0o666)
    with draft_of(target) as draft:
        draft.write_text("whole")

    assert (theirs.read_text(), victim.read_text(), target.read_text()) == ("mine", "mine", "whole")
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["link", "mode", "folder", "other-name"])
def test_what_cannot_be_ours_is_not_swept_away(tmp_path: Path, kind: str) -> None:
    """Only an ordinary file of our name that only we may use was made by us."""
    theirs, victim = tmp_path / LEFT, tmp_path / "victim.txt"
    victim.touch(0o600)
    if kind == "link":
        theirs.symlink_to(victim)
    elif kind == "mode":
        theirs.touch(0o644)
    elif kind == "folder":
        theirs.mkdir(0o700)
    else:
        (tmp_path / f"{LEFT}.txt").touch(0o600)
    before = _names(tmp_path)
    with scratch(tmp_path):
        pass

    assert _names(tmp_path) == before


def test_a_name_that_leads_nowhere_is_taken(target: Path) -> None:
    """A link is not written through, whatever it is to."""
    target.symlink_to(target.with_name("nothing"))
    with pytest.raises(EnvironmentFault, match="is there already"), draft_of(target):
        raise AssertionError

    assert _names(target.parent) == ["copy.db"]


def test_a_target_that_is_not_on_the_disk_is_gone(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If its name cannot be forced to the disk, it is as if it had never been made."""
    force = os.fsync

    def fail_for_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(5, "Input/output error")
        force(handle)

    monkeypatch.setattr(os, "fsync", fail_for_folders)
    with pytest.raises(EnvironmentFault, match=r"copy\.db cannot be written: Input/output error"), draft_of(target):
        pass

    assert _names(target.parent) == []


def test_who_sweeps_in_the_moment_a_draft_is_made_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft that was taken away before it was locked is no draft: another one is made."""
    lock, swept = fcntl.flock, list[Path]()

    def sweep_first(handle: int, kind: int) -> None:
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].unlink()
        lock(handle, kind)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    with scratch(tmp_path) as lent:
        assert _names(tmp_path) == [lent.name]
        assert lent not in swept


def test_a_lock_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks is named, and what was begun on it is gone."""

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(EnvironmentFault, match=r"cannot be written: No locks available\.$"), scratch(tmp_path):
        raise AssertionError

    assert _names(tmp_path) == []


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    """The next one removes it and its journal, but nothing that is in use, and lends an empty file."""
    with scratch(tmp_path) as used:
        killed = subprocess.run([sys.executable, "-c", LEND_AND_DIE, str(tmp_path)], check=False, timeout=30)
        left = len(_names(tmp_path))
        with scratch(tmp_path) as lent:
            assert (killed.returncode, left) == (-signal.SIGKILL, 3)
            assert _names(tmp_path) == sorted([used.name, lent.name])
            assert (lent.stat().st_size, lent.stat().st_mode & 0o777) == (0, 0o600)
            lent.with_name(f"{lent.name}-journal").touch()

    assert _names(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """In one line that says where something was to be written."""
    with (
        pytest.raises(EnvironmentFault, match=r"/nowhere cannot be written: No such file or directory\.$"),
        draft_of(tmp_path / "nowhere" / "copy"),
    ):
        raise AssertionError


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """To copy nothing is an error."""
    (tmp_path / "draft").touch()
    with pytest.raises(EnvironmentFault, match=rf"none\.db cannot be copied to {tmp_path}: [^\n]*$"):
        copy_into(tmp_path / "none.db", tmp_path / "draft")

    assert _names(tmp_path) == ["draft"]
