"""Whether distributions of the original system are installed over the same files as ours."""

import warnings
from importlib import metadata

__all__ = ["conflict_message", "conflicting", "warn_of_conflicts"]

# Both install files under `zato/`; pip lets the last one win, file by file.
RIVALS = ("zato-client", "zato-common")


def conflicting() -> tuple[str, ...]:
    """Return the names of the installed distributions whose files overwrite ours, or ours theirs."""
    return tuple(name for name in RIVALS if _is_installed(name))


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


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
