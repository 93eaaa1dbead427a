"""Importing files of a folder as modules, and telling at any moment which of them is being imported.

docs/decisions/0007-service-files-as-modules.md says under which names.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from zato.server.registry import Stamp, stamp_of
from zato.server.service import SHADOW_PACKAGE

__all__ = ["Watch", "forget", "import_file", "module_name", "unused_folders"]

NowAt = Callable[[str], None]


class Watch:
    """Tells which file of a folder is being imported, whoever imports it: the innermost one.

    It stands in front of Python's own search of `sys.path`, finds what that finds, and has what is in the folder
    announced.

    Attributes:
        stamps: of each file of the folder that was run, what it was like just before.
    """

    def __init__(self, folder: Path, now_at: NowAt) -> None:
        self.stamps: dict[str, Stamp | None] = {}
        self._folder = folder
        self._now_at = now_at
        self._open: list[str] = []

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch for a while."""
        finders = sys.meta_path
        finders.insert(finders.index(PathFinder) if PathFinder in finders else len(finders), self)
        try:
            yield
        finally:
            # A file may have taken us out, or put another list in its place.
            for changed in (finders, sys.meta_path):
                changed[:] = [finder for finder in changed if finder is not self]
        # Not in the end of a process that some file has brought about.
        self._now_at("")

    @contextmanager
    def at(self, file: str) -> Iterator[None]:
        """Tell of a file for as long as it runs, and afterwards of the one that imported it."""
        self._open.append(file)
        self._now_at(file)
        self.stamps[file] = stamp_of(file)
        try:
            yield
        finally:
            self._open.pop()
            if self._open:
                self._now_at(self._open[-1])

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return what Python's own search returns for a module that is in no package."""
        if path is not None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin and type(spec.loader) is SourceFileLoader and self._has(spec.origin):
            spec.loader = _Watched(fullname, spec.origin, self)
        return spec

    def _has(self, origin: str) -> bool:
        return Path(origin).parent == self._folder


class _Watched(SourceFileLoader):
    """Loads one file of the folder."""

    def __init__(self, name: str, path: str, watch: Watch) -> None:
        super().__init__(name, path)
        self._watch = watch

    def exec_module(self, module: ModuleType) -> None:
        with self._watch.at(str(self.path)):
            super().exec_module(module)


def forget(folder: Path) -> None:
    """Have files run again that an earlier load imported."""
    inside = str(folder / "_")[:-1]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(inside) and Path(file).parent == folder:
            del sys.modules[name]
    importlib.invalidate_caches()
    _names_on.cache_clear()


def unused_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder that have Python files of which none was imported."""
    try:
        inside = [each for each in sorted(folder.iterdir()) if each.is_dir() and each.name[0] not in "._"]
        with_files = [each for each in inside if next(each.glob("*.py"), None)]
    except OSError:
        return []
    imported = [str(vars(module).get("__file__")) for module in _modules()]
    return [each for each in with_files if not any(file.startswith(f"{each}/") for file in imported)]


def _modules() -> Iterator[ModuleType]:
    """Yield what is imported, without what users put in a module's place."""
    known: list[object] = list(sys.modules.values())
    return (module for module in known if isinstance(module, ModuleType))


def import_file(file: Path, watch: Watch) -> ModuleType:
    """Import a file under its stem, or, where an installed module has that name, below a package of ours."""
    name = module_name(file)
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    loader = _Watched(name, str(file), watch)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    assert spec is not None  # noqa: S101 -- there is one for any loader; for the type checker
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def module_name(file: Path) -> str:
    """Return the name under which a file is imported."""
    stem = file.stem
    known = sys.modules.get(stem)
    if known is not None:
        taken = getattr(known, "__file__", None) != str(file)
    else:
        taken = stem in sys.stdlib_module_names or _is_installed(stem, file)
    return SHADOW_PACKAGE + stem if taken else stem


def _is_installed(stem: str, file: Path) -> bool:
    try:
        spec = importlib.util.find_spec(stem) if _may_be_on_path(stem, file.parent) else _found_elsewhere(stem)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin != str(file)


def _may_be_on_path(stem: str, folder: Path) -> bool:
    """Tell whether it is worth while to search `sys.path`, which takes longer than all else for a small file."""
    names = _names_on(tuple(entry for entry in sys.path if entry != str(folder)))
    return names is None or stem in names


@lru_cache(maxsize=1)
def _names_on(path: tuple[str, ...]) -> frozenset[str] | None:
    """Return the first parts of all that lies in some folders, or None if there is an archive among them."""
    names: set[str] = set()
    for entry in path:
        try:
            names.update(each.name.partition(".")[0] for each in Path(entry).iterdir())
        except NotADirectoryError:
            return None
        except OSError:
            continue
    return frozenset(names)


def _found_elsewhere(stem: str) -> ModuleSpec | None:
    """Ask those who do not search `sys.path`: they know what is built in, or installed from where it is developed."""
    for finder in sys.meta_path:
        if finder is not PathFinder and not isinstance(finder, Watch):
            spec = finder.find_spec(stem, None)
            if spec is not None:
                return spec
    return None
