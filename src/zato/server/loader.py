"""Importing the files of the services folder: what each one deploys, or why it does not.

A broken file is reported with its path, line and reason, and keeps no other from being loaded.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from zato.core.errors import InvalidName, ServiceDefinitionError
from zato.core.names import RESERVED_PREFIX, check_name, is_reserved
from zato.server.failures import from_service, message_of
from zato.server.registry import Deployed, line_of
from zato.server.service import SHADOW_PACKAGE, AsyncService, Service, ServiceBase

__all__ = ["LoadError", "Loaded", "load_folder"]


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


@dataclass(slots=True)
class Loaded:
    """What a folder deploys."""

    services: list[Deployed] = field(default_factory=list)
    errors: list[LoadError] = field(default_factory=list)


def load_folder(folder: Path) -> Loaded:
    """Import every `*.py` of a folder, in the order of their names.

    The folder is appended to `sys.path`, so that its files can import each other; each runs once. Files
    whose names start with a dot belong to editors.
    """
    folder = folder.resolve()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    _forget(folder)
    loaded = Loaded()
    for file in sorted(folder.glob("[!.]*.py")):
        if not file.is_dir():
            _load_file(file, loaded)
    return loaded


def _forget(folder: Path) -> None:
    """Have files run again that an earlier load imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and Path(file).parent == folder:
            del sys.modules[name]
    importlib.invalidate_caches()


def _load_file(file: Path, loaded: Loaded) -> None:
    try:
        module = _import(file)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        loaded.errors.append(_import_error(file, error))
        return
    names = {service.name: service for service in loaded.services}
    for cls in _classes_of(module):
        try:
            _check(cls, names)
            deployed = Deployed.of(cls, file=str(file))
        except (ServiceDefinitionError, InvalidName) as error:
            loaded.errors.append(LoadError(str(file), line_of(cls), str(error)))
        else:
            names[deployed.name] = deployed
            loaded.services.append(deployed)


def _import(file: Path) -> ModuleType:
    """Import a file under its stem, or, where an installed module has that name, below a package of ours."""
    name = _module_name(file)
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    loader = SourceFileLoader(name, str(file))
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


def _module_name(file: Path) -> str:
    stem = file.stem
    known = sys.modules.get(stem)
    if known is not None:
        taken = getattr(known, "__file__", None) != str(file)
    else:
        taken = stem in sys.stdlib_module_names or _is_installed(stem, file)
    return SHADOW_PACKAGE + stem if taken else stem


def _is_installed(stem: str, file: Path) -> bool:
    try:
        spec = importlib.util.find_spec(stem)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin != str(file)


def _classes_of(module: ModuleType) -> Iterable[type[ServiceBase]]:
    """Yield the services a module defines, in the order they are written.

    A class without `handle` of its own or inherited from another service is a base for others.
    """
    classes = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, ServiceBase)]
    for cls in dict.fromkeys(classes):
        if cls.__module__ == module.__name__ and _handle_of(cls) not in (Service.handle, AsyncService.handle, None):
            yield cls


def _handle_of(cls: type) -> object:
    return getattr(cls, "handle", None)


def _check(cls: type[ServiceBase], names: dict[str, Deployed]) -> None:
    name = check_name(cls.get_name())
    if is_reserved(name):
        raise ServiceDefinitionError(
            f"{cls.__name__} is named {name!r}; names that start with {RESERVED_PREFIX!r} are reserved."
        )
    if name in names:
        raise ServiceDefinitionError(
            f"{cls.__name__} is named {name!r}, as is {names[name].impl_name} in {names[name].file}."
        )
    is_coroutine = inspect.iscoroutinefunction(cls.handle)  # type: ignore[attr-defined]
    if issubclass(cls, AsyncService) and not is_coroutine:
        raise ServiceDefinitionError(
            f"{cls.__name__}.handle is no coroutine. Write 'async def handle', or subclass Service."
        )
    if issubclass(cls, Service) and is_coroutine:
        raise ServiceDefinitionError(f"{cls.__name__}.handle is a coroutine. Subclass AsyncService instead of Service.")
    _check_arguments(cls.__name__, "handle", cls.handle, "self.request.payload has the input.")  # type: ignore[attr-defined]
    _check_arguments(cls.__name__, "__init__", cls.__init__, "An instance is made for each invocation.")


def _check_arguments(class_name: str, method: str, function: Callable[..., object], hint: str) -> None:
    """Refuse a method that cannot be called with nothing but `self`."""
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise ServiceDefinitionError(f"{class_name}.{method} takes nothing but self; {error}. {hint}") from error


def _import_error(file: Path, error: BaseException) -> LoadError:
    """Say what a file raised, and at which of its own lines."""
    message = message_of(error)
    reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return LoadError(str(file), error.lineno, f"{type(error).__name__}: {error.msg}")
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return LoadError(str(file), lines[-1] if lines else None, reason, from_service(error))
