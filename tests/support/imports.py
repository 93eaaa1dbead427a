"""Imports of services folders, undone after a test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["imports_undone"]


@contextmanager
def imports_undone() -> Iterator[None]:
    """Take out of `sys.path` and `sys.modules` what was put there in the context."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
