"""Why a file of the services folder is not deployed, in words that say where, what and what to do."""

import getpass
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zato.core.errors import ServiceDefinitionError
from zato.server.alarm import TookTooLong
from zato.server.failures import from_service, message_of
from zato.server.python2 import MODULES, NAMES, is_python_2
from zato.server.source_bytes import line_of_declaration, undecodable_at

__all__ = ["LoadError", "class_error", "culprit_of", "hook_error", "import_error"]

# Characters of a line that are shown.
MOST = 80
# Characters of what a file raised. All reports of a server go through one line, and people read them.
MOST_OF_MESSAGE = 1_000
CUT = " ... cut"
# What Python calls the code of a module in a traceback.
MODULE = "<module>"
PYTHON_2 = "This is Python 2: 'zato migrate check' lists what to change"

Frames = list[traceback.FrameSummary]
Explanation = Callable[[Path, BaseException, Frames], str]


@dataclass(frozen=True, slots=True)
class LoadError:
    """Why a file, or a class in it, is not deployed.

    Attributes:
        line: where, counted from 1, or None if it is no matter of one line.
        cause: what the file raised, or None if the reason says it all.
    """

    file: str
    line: int | None
    reason: str
    cause: BaseException | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"


def import_error(file: Path, error: BaseException) -> LoadError:
    """Say what the import of a file raised, and at which of its own lines."""
    frames = _frames(file, error)
    line = _last_line(file, error)
    if isinstance(error, SyntaxError) and (error.filename == str(file) or line is None):
        return _syntax_error(file, error)
    explain = _explanation(error)
    if explain is not None and (reason := explain(file, error, frames)):
        return LoadError(str(file), line, reason)
    return LoadError(str(file), line, f"{_told(error)}{_elsewhere(file, frames)}", from_service(error))


def hook_error(file: Path, line: int | None, hook: str, error: BaseException) -> LoadError:
    """Say what a method raised that a class has for its deployment.

    Args:
        line: that of the class, if what was raised does not pass through the file.
        hook: the method, with its class.
    """
    if isinstance(error, ServiceDefinitionError):
        return LoadError(str(file), line, str(error))
    if isinstance(error, TookTooLong):
        what = f"{hook} has not ended after {error.seconds:g} s and was given up (setting import_timeout)."
    else:
        what = f"{hook} raised {_told(error)}"
    return LoadError(str(file), _last_line(file, error) or line, what, from_service(error))


def class_error(file: Path, line: int | None, name: str, error: BaseException) -> LoadError:
    """Say what was raised where a class was only looked at: by its `get_name`, its metaclass, a property of that."""
    what = f"{name} cannot be deployed, because looking at it raised {_told(error)}"
    return LoadError(str(file), _last_line(file, error) or line, what, from_service(error))


def culprit_of(error: BaseException, file: Path) -> Path:
    """Return the file of the folder that was being imported when an error was raised in the import of another."""
    names = [frame.filename for frame in _frames(file, error) if frame.name == MODULE]
    return Path(names[-1]) if names else file


def _last_line(file: Path, error: BaseException) -> int | None:
    """Return the line of a file that an error came through last, or None if it did not."""
    lines = [frame.lineno for frame in _frames(file, error) if frame.filename == str(file)]
    return lines[-1] if lines else None


def _frames(file: Path, error: BaseException) -> Frames:
    """Return where the error was raised, as far as that is in files of the same folder."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if Path(frame.filename).parent == file.parent]


def _explanation(error: BaseException) -> Explanation | None:
    for kinds, explain in EXPLANATIONS:
        if isinstance(error, kinds):
            return explain
    return None


def _told(error: BaseException) -> str:
    message = message_of(error)
    if len(message) > MOST_OF_MESSAGE:
        message = message[:MOST_OF_MESSAGE] + CUT
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _elsewhere(file: Path, frames: Frames) -> str:
    """Say where it happened, if that was in another file of the folder, which this one imports."""
    innermost = frames[-1] if frames else None
    if innermost is None or innermost.filename == str(file):
        return ""
    return f" (in {Path(innermost.filename).name}:{innermost.lineno}, which it imports)"


def _too_long(file: Path, error: BaseException, frames: Frames) -> str:
    assert isinstance(error, TookTooLong)  # noqa: S101 -- for the type checker
    return (
        f"Its import has not ended after {error.seconds:g} s{_elsewhere(file, frames)} and was given up. What waits or "
        "computes for long belongs into 'handle'; or allow more (setting import_timeout)."
    )


def _exit(file: Path, error: BaseException, frames: Frames) -> str:
    return (
        f"{_told(error)}{_elsewhere(file, frames)}. A file of services is imported, not run: put what is for running "
        "it below 'if __name__ == \"__main__\":'."
    )


def _missing_module(file: Path, error: BaseException, frames: Frames) -> str:
    assert isinstance(error, ModuleNotFoundError)  # noqa: S101 -- for the type checker
    name = error.name or ""
    told = f"{_told(error)}{_elsewhere(file, frames)}"
    top = name.partition(".")[0]
    if (file.parent / f"{name}.py").exists():
        return f"It imports {name}.py, which could not be loaded either. Put that one right first."
    if name in MODULES:
        return f"{told}. {PYTHON_2}."
    if top == "zato":
        return f"{told}. 'zato migrate check' says what there is instead."
    if top in sys.modules or not top:
        return f"{told}. {top or 'What it imports'} is there: another version of it may have that module."
    return (
        f"{told}. Install it into the Python of this server, '{sys.executable} -m pip install {top}' (its distribution "
        "may have another name), and start the server again."
    )


def _import_error(file: Path, error: BaseException, frames: Frames) -> str:
    """Explain a circular or a relative import, between files that are beside each other."""
    told = f"{_told(error)}{_elsewhere(file, frames)}"
    circle = _circle(error, frames)
    if circle:
        return (
            f"A circular import: {', which imports '.join(circle)}. {_told(error)}. Write 'import MODULE' in one of "
            "them and use MODULE.NAME inside of methods only, or move what both need into a third file."
        )
    if "relative import" in message_of(error):
        return f"{told}. Files of the services folder import each other by their plain names: 'import other'."
    return ""


def _circle(error: BaseException, frames: Frames) -> list[str]:
    """Return the files that import each other, if a name was looked for in one whose own import had not ended."""
    module = getattr(error, "obj", None)
    file = error.path if isinstance(error, ImportError) else getattr(module, "__file__", None)
    running = list(dict.fromkeys(frame.filename for frame in frames if frame.name == MODULE))
    if file not in running:
        return []
    return [Path(name).name for name in (*running[running.index(file) :], file)]


def _name_error(file: Path, error: BaseException, frames: Frames) -> str:
    name = getattr(error, "name", None)
    return f"{_told(error)}{_elsewhere(file, frames)}. {PYTHON_2}." if name in NAMES else ""


def _os_error(file: Path, error: BaseException, frames: Frames) -> str:
    """Say why a file could not be read, unless it was read and raised this itself."""
    if any(frame.filename == str(file) for frame in frames):
        return ""
    if isinstance(error, PermissionError):
        return f"{_told(error)}. The server runs as {_user()}, who may not read it: 'chmod a+r' or 'chown' helps."
    return f"{_told(error)}. If it is a link, it leads nowhere, or in a circle."


def _user() -> str:
    try:
        return repr(getpass.getuser())
    except (KeyError, OSError):
        return "a user without a name"


EXPLANATIONS: tuple[tuple[type[BaseException], Explanation], ...] = (
    (TookTooLong, _too_long),
    (SystemExit, _exit),
    (ModuleNotFoundError, _missing_module),
    (ImportError, _import_error),
    (AttributeError, _import_error),
    (NameError, _name_error),
    (OSError, _os_error),
)


def _syntax_error(file: Path, error: SyntaxError) -> LoadError:
    """Say what is wrong with a file's text, and show the line."""
    data = file.read_bytes()
    undecodable = undecodable_at(data)
    if undecodable is not None:
        return LoadError(str(file), *undecodable)
    message = f"{type(error).__name__}: {error.msg}"
    text = (error.text or "").strip()
    shown = f" in {text[:MOST]!r}" if text else ""
    hint = f". {PYTHON_2}." if is_python_2(error.msg, text) else ""
    return LoadError(str(file), error.lineno or line_of_declaration(data), f"{message}{shown}{hint}")
