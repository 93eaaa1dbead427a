"""A disk that takes nothing more, for this process or for a command."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NO_ROOM", "no_room"]

# Before the words of a command, which must not measure its coverage. What it writes to a file fails with EFBIG, as it
# would on a full disk with ENOSPC.
NO_ROOM = ("sh", "-c", 'ulimit -f 0; exec "$0" "$@"')


@contextmanager
def no_room() -> Iterator[None]:
    """Let this process write nothing to files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
