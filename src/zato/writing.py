"""Files and folders that are made whole, or of which nothing stays behind, on a full disk for instance.

Used where an environment is made, and wherever a file is replaced while others may read it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

__all__ = ["alone_in", "make_folder", "removed", "replace_private", "replacing", "write_new"]


def make_folder(folder: Path, mode: int, undoing: ExitStack) -> None:
    """Make a folder, which goes again if `undoing` ends and it is empty then."""
    folder.mkdir(mode)
    undoing.callback(removed, folder)


def removed(path: Path) -> None:
    """Remove a file or an empty folder, if that can be."""
    with suppress(OSError):
        path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def replacing(path: Path, draft: Path) -> Iterator[None]:
    """Have a draft that is written in the context take a file's place at once; of one that cannot, nothing stays."""
    try:
        yield
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def write_new(path: Path, text: str, *, mode: int = 0o600, like: Path | None = None) -> None:
    """Write a new file, whole or not at all.

    Args:
        path: the file.
        text: all that is in it.
        mode: its rights, less those that the umask takes away.
        like: another file, whose owner is to have this one too, if root writes it.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            if like is not None and os.geteuid() == 0:
                owner = like.stat()
                os.fchown(handle, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(handle)
    except OSError:
        removed(path)
        raise


def replace_private(path: Path, text: str) -> None:
    """Replace a file at once by one that its owner alone can read."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with replacing(path, draft):
        write_new(draft, text, like=path)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for whoever else changes a file of a folder in this way."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        # What was renamed in it survives a loss of power.
        os.fsync(handle)
    finally:
        os.close(handle)
