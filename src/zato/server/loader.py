"""Importing the files of the services folder: what each one deploys, or why it does not.

A broken file is reported with its path, line and reason, and keeps no other from being loaded. What the reasons
are is said in `zato.server.load_errors`, which classes are refused in `zato.server.definitions`.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

from zato.core.errors import InvalidName, ServiceDefinitionError
from zato.server.alarm import TookTooLong, by_people, limited_to
from zato.server.definitions import check_class, classes_of, is_service, why_no_service
from zato.server.imports import Watch, forget, import_file, module_name, unused_folders
from zato.server.load_errors import LoadError, class_error, culprit_of, import_error
from zato.server.logs.kept import logging_kept
from zato.server.registry import Deployed, line_of
from zato.server.service import ServiceBase

__all__ = ["LoadError", "Loaded", "Loading", "load_folder"]

LEFT_OUT = "It is left out until the server is started again: see what it does at import, and when it is deployed."

UNUSED = (
    "It has Python files, and no file beside it imports one. Only what is directly in the folder of services is "
    "loaded: move files with services there."
)

logger = logging.getLogger("zato.server")


def _nobody(file: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How files are loaded.

    Attributes:
        limit: seconds that the import of a file may take, and each of its hooks; 0 is for ever.
        now_at: told the file before it is loaded, so that whoever outlives this process knows which one ended it.
        ended_by: files that ended an earlier process, and how; they are left out.
    """

    limit: float = 0.0
    now_at: Callable[[str], None] = _nobody
    ended_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Loaded:
    """What a folder deploys.

    Attributes:
        errors: what is not deployed, and why.
        notes: classes that may have been meant to be services, and why they are none.
    """

    services: list[Deployed] = field(default_factory=list)
    errors: list[LoadError] = field(default_factory=list)
    notes: list[LoadError] = field(default_factory=list)


def load_folder(folder: Path, how: Loading | None = None) -> Loaded:
    """Import every `*.py` of a folder, in the order of their names.

    The folder is appended to `sys.path`, so that its files can import each other; each runs once. Files
    whose names start with a dot belong to editors.
    """
    folder = Path(os.path.realpath(folder))
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    forget(folder)
    loader = _Loader(folder, how or Loading())
    loader.load()
    return loader.loaded


class _Loader:
    """One load of one folder."""

    def __init__(self, folder: Path, how: Loading) -> None:
        self.loaded = Loaded()
        self._folder = folder
        self._how = how
        self._names: dict[str, Deployed] = {}
        self._bases: dict[type[ServiceBase], Path] = {}
        self._given_up: dict[str, LoadError] = {}
        self._watch = Watch(folder, how.now_at)

    def load(self) -> None:
        """Load every file."""
        for path, end in self._how.ended_by.items():
            self._give_up(LoadError(path, None, f"{end} {LEFT_OUT}"))
        with self._watch.on():
            for file in self._files():
                self._load(file)
        for path in self._given_up:
            sys.modules.pop(module_name(Path(path)), None)
        self._note_bases()
        self._note_folders()

    def _files(self) -> Iterator[Path]:
        try:
            files = sorted(self._folder.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            self.loaded.errors.append(import_error(self._folder, error))
            return
        yield from (file for file in files if file.suffix == ".py" and not file.name.startswith("."))

    def _load(self, file: Path) -> None:
        module = self._given_up.get(str(file)) or _not_a_file(file) or self._imported(file)
        if isinstance(module, LoadError):
            self.loaded.errors.append(module)
            return
        try:
            classes = [(cls, is_service(cls)) for cls in classes_of(module)]
        except Exception as error:
            self.loaded.errors.append(class_error(file, None, "What it defines", error))
            return
        for cls, deploys in classes:
            if deploys:
                self._deploy(cls, file)
            else:
                self._bases[cls] = file

    def _imported(self, file: Path) -> ModuleType | LoadError:
        try:
            with logging_kept(str(file)):
                return limited_to(self._how.limit, partial(import_file, file, self._watch))
        except BaseException as error:
            if by_people(error):
                raise
            if isinstance(error, TookTooLong):
                late = import_error(culprit_of(error, file), error)
                # Said at once: whoever waits for the start looks into the log.
                logger.warning("Left out of what is loaded: %s", late)
                self._give_up(late)
            return import_error(file, error)

    def _give_up(self, error: LoadError) -> None:
        """Have a file that does not end imported by no other: Python refuses to import what is None."""
        self._given_up[error.file] = error
        sys.modules[module_name(Path(error.file))] = None  # type: ignore[assignment]

    def _deploy(self, cls: type[ServiceBase], file: Path) -> None:
        try:
            check_class(cls)
            self._check_unique(cls)
            deployed = Deployed.of(cls, file=str(file), stamp=self._watch.stamps.get(str(file)))
        except (ServiceDefinitionError, InvalidName) as error:
            self.loaded.errors.append(LoadError(str(file), line_of(cls), str(error)))
        except Exception as error:
            self.loaded.errors.append(class_error(file, line_of(cls), cls.__name__, error))
        else:
            self._names[deployed.name] = deployed
            self.loaded.services.append(deployed)

    def _check_unique(self, cls: type[ServiceBase]) -> None:
        name = cls.get_name()
        if other := self._names.get(name):
            raise ServiceDefinitionError(
                f"{cls.__name__} is named {name!r}, as is {other.impl_name} in {other.file}. Give one of them "
                "another 'name'."
            )

    def _note_bases(self) -> None:
        for cls, file in self._bases.items():
            if reason := why_no_service(cls):
                self.loaded.notes.append(LoadError(str(file), line_of(cls), reason))

    def _note_folders(self) -> None:
        for folder in unused_folders(self._folder):
            self.loaded.notes.append(LoadError(str(folder), None, UNUSED))


def _not_a_file(file: Path) -> LoadError | None:
    """Refuse what is called like a file and is none: a folder, or a pipe, which would be read for ever."""
    if file.is_file() or not file.exists():
        return None
    kind = "a folder" if file.is_dir() else "no regular file"
    return LoadError(str(file), None, f"It is {kind}. Only files are loaded: move it away, or rename it.")
