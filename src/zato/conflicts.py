"""Whether distributions of the original system are installed over the same files as ours.

Installed distributions are known by the folders beside them (`zato_client-3.2.1.dist-info`). Looking for
those takes a millisecond; importing `importlib.metadata` to ask takes fifty, at the start of every command.
"""

import os
import re
import sys
import warnings
from collections.abc import Iterator

__all__ = ["conflict_message", "conflicting", "warn_of_conflicts"]

# Both install files under `zato/`; pip lets the last one win, file by file.
RIVALS = ("zato-client", "zato-common")
RIVAL_FOLDER = re.compile(r"(zato)[-_.]+(client|common)-.*\.(?:dist|egg)-info", re.IGNORECASE)


def conflicting() -> tuple[str, ...]:
    """Return the names of the installed distributions whose files overwrite ours, or ours theirs."""
    found = {name for folder in sys.path for name in _rivals_in(folder)}
    return tuple(name for name in RIVALS if name in found)


def conflict_message() -> str:
    """Return one line that says which distributions to uninstall, or an empty text if there are none."""
    names = " ".join(conflicting())
    if not names:
        return ""
    return (
        f"{names} and openzato install the same files. "
        f"Run 'pip uninstall {names}', then 'pip install --force-reinstall openzato'."
    )


def warn_of_conflicts() -> None:
    """Warn of them, or say nothing if there are none."""
    if message := conflict_message():
        warnings.warn(message, stacklevel=2)


def _rivals_in(folder: str) -> Iterator[str]:
    """Yield the names of the rivals that are installed in a folder of `sys.path`."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 -- pathlib is one more thing to import
    except OSError:
        return
    for name in names:
        if found := RIVAL_FOLDER.fullmatch(name):
            yield f"{found[1]}-{found[2]}".lower()
