"""Doing something with the rights of an ordinary user, whoever runs the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["not_as_root"]

NOBODY = 65534


@contextmanager
def not_as_root() -> Iterator[None]:
    """Give up the rights of root, to whom nothing is forbidden, and take them back."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
