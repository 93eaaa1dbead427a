"""Copies of the embedded broker's file: whole or not there, and never in place of another file."""

import fcntl
import filecmp
import itertools
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

from zato.broker.connection import PATIENCE, Connection, FileError
from zato.core.errors import EnvironmentFault

__all__ = ["copy_beside", "copy_into", "draft_of", "scratch"]

# What nobody else calls a file, so that one of this name is ours, to use and to remove.
DRAFT = re.compile(r"zato-[0-9a-f]{16}\.draft")
OWNER_ONLY = 0o600


def copy_into(source: Path, draft: Path, *, to: Literal["use", "read"] = "use") -> None:
    """Write what a broker file holds at this moment into an empty file.

    Args:
        source: the broker file.
        draft: the empty one.
        to: what the rights to the source suffice for.

    Raises:
        EnvironmentFault: it cannot be read, or there is no room for it.
    """
    try:
        # A copy reads a snapshot; only the recovery of a file whose writer was killed can hold it up, for a moment.
        with closing(Connection(source, patience=PATIENCE, to=to)) as connection:
            connection.copy_to(draft)
    except (FileError, OSError) as error:
        raise EnvironmentFault(
            f"{source} cannot be copied to {draft.parent}: {error}. Nothing was changed; make room there, or check "
            f"the file."
        ) from error


@contextmanager
def copy_beside(path: Path, label: str) -> Iterator[Callable[[], Path]]:
    """Copy a broker file, and lend a function that gives the copy a name beside it and returns it.

    The name is one that nothing has, `PATH.LABEL` if that is free, or that of a copy that is the same to the
    last byte. If the block fails, nothing new stays: who tries again and again does not fill the disk.

    Raises:
        EnvironmentFault: it cannot be read, or there is no room for it.
    """
    named: list[Path] = []
    with scratch(path.parent) as draft:
        copy_into(path, draft)

        def keep() -> Path:
            target = _free_or_same(path.with_name(f"{path.name}.{label}"), draft)
            if not os.path.lexists(target):
                _publish(draft, target)
                named.append(target)
            return target

        try:
            yield keep
        except BaseException:
            for target in named:
                target.unlink(missing_ok=True)
            raise


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """Lend an empty file that becomes `target` when the block ends well, and goes if it does not.

    Raises:
        EnvironmentFault: `target` is there already, or it cannot be written.
    """
    if os.path.lexists(target):
        raise _taken(target)
    with scratch(target.parent) as draft:
        yield draft
        _publish(draft, target)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Lend an empty file in a folder, which only its owner may read and which goes when the block ends.

    What killed processes left of theirs there goes before.

    Raises:
        EnvironmentFault: it cannot be made.
    """
    _sweep(folder)
    try:
        path, handle = _claim(folder)
    except OSError as error:
        raise EnvironmentFault(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        yield path
    finally:
        _remove(path)
        os.close(handle)


def _claim(folder: Path) -> tuple[Path, int]:
    """Make a file, and return it with a handle whose lock says that it is in use."""
    while True:
        path = folder / f"zato-{secrets.token_hex(8)}.draft"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)
        try:
            if _is_locked(path, handle):
                return path, handle
        except OSError:
            _remove(path)
            os.close(handle)
            raise
        # Somebody who sweeps was quicker than the lock.
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove drafts that nobody uses any more. One that cannot be removed is no obstacle."""
    with suppress(OSError):
        for path in folder.iterdir():
            if DRAFT.fullmatch(path.name):
                with suppress(OSError):
                    _remove_unused(path)


def _remove_unused(path: Path) -> None:
    if not _is_private(path):
        return
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _is_locked(path, handle):
            _remove(path)
    finally:
        os.close(handle)


def _is_locked(path: Path, handle: int) -> bool:
    """Lock an open file, and tell whether that succeeded while it still had its name."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), path.lstat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _is_private(path: Path) -> bool:
    """Tell whether this is an ordinary file, no link, that its owner alone can use, and we are the owner."""
    found = path.lstat()
    return found.st_mode == stat.S_IFREG | OWNER_ONLY and found.st_uid == os.geteuid()


def _remove(path: Path) -> None:
    """Remove a draft and the journal of it; the draft last, since by it the journal is found."""
    for name in (path.with_name(f"{path.name}-journal"), path):
        name.unlink(missing_ok=True)


def _free_or_same(first: Path, draft: Path) -> Path:
    """Return the first name in a row that nothing has, or that a copy has which is like the draft."""
    for number in itertools.count(1):
        target = first if number == 1 else first.with_name(f"{first.name}-{number}")
        if not os.path.lexists(target) or (_is_private(target) and filecmp.cmp(draft, target, shallow=False)):
            return target
    raise AssertionError("unreachable")


def _publish(draft: Path, target: Path) -> None:
    """Give a finished file its name, when all of it is on the disk.

    Raises:
        EnvironmentFault: something has that name, or it cannot be written.
    """
    try:
        _force_to_disk(draft)
        _name(draft, target)
        _keep_name(target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        raise EnvironmentFault(f"{target} cannot be written: {error.strerror}.") from error


def _name(draft: Path, target: Path) -> None:
    """Give a file another name. A second name, unlike a new one, never takes the place of a file."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        # A file system without second names: an empty file holds the place of the new one.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
        draft.rename(target)


def _keep_name(target: Path) -> None:
    """Force the name of a new file to the disk. If that fails, there is no new file."""
    try:
        _force_to_disk(target.parent)
    except OSError:
        target.unlink()
        raise


def _force_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _taken(target: Path) -> EnvironmentFault:
    return EnvironmentFault(f"{target} is there already, and is not overwritten. Name a file that does not exist yet.")
