"""What this process does with memory that it needs no more: the system gets it back."""

import contextlib
import ctypes

__all__ = ["give_back_large_blocks"]

# Of mallopt(3). Setting either also keeps the C library from raising them by itself, which it does after the first
# large block, and then keeps tens of megabytes for good.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGE = 131_072


def give_back_large_blocks() -> None:
    """Have large blocks, such as a response of some megabytes, go back to the system when they are freed.

    Without a C library that knows how, as that of Alpine Linux, nothing changes.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE)
