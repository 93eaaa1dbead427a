"""What is deployed for a test: classes, modules, files and folders, by the rules of the services folder."""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType

from zato.core.errors import ServiceDefinitionError
from zato.server.definitions import check_class, classes_of, is_service
from zato.server.imports import Watch, import_file
from zato.server.load_errors import LoadError, import_error
from zato.server.loader import Loaded, Loading
from zato.server.registry import Deployed, stamp_of
from zato.server.service import ServiceBase
from zato.server.store_hooks import after_add, before_add

__all__ = ["Deployable", "Deployment"]

Deployable = type[ServiceBase] | ModuleType | Path | str

# No limits of time: a debugger may stop anywhere.
HOW = Loading()


class Deployment:
    """What a test has deployed.

    Attributes:
        by_name: the services by their names.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Deployed] = {}

    def add(self, what: Sequence[Deployable], put_in_force: Callable[[], None]) -> None:
        """Deploy, with the hooks that classes have for that. What is deployed already is left alone.

        Raises:
            ServiceDefinitionError: something cannot be deployed; the message has every reason.
            InvalidName: the name of a class is not legal.
            TypeError: something is nothing that can be deployed.
        """
        new: dict[str, Deployed] = {}
        for deployed in chain.from_iterable(map(_deployed_of, what)):
            if self._is_new(deployed, new.get(deployed.name) or self.by_name.get(deployed.name)):
                new[deployed.name] = deployed
        loaded = Loaded(list(new.values()))
        before_add(loaded, HOW)
        _raise_if_any(loaded.errors)
        self.by_name |= {deployed.name: deployed for deployed in loaded.services}
        put_in_force()
        after_add(loaded, HOW)
        _raise_if_any(loaded.errors)

    def has(self, kind: type[ServiceBase]) -> bool:
        """Tell whether a class is deployed."""
        known = self.by_name.get(kind.get_name())
        return known is not None and known.kind is kind

    @staticmethod
    def _is_new(deployed: Deployed, known: Deployed | None) -> bool:
        if known is not None and known.impl_name != deployed.impl_name:
            raise ServiceDefinitionError(
                f"{deployed.impl_name} is named {deployed.name!r}, as is {known.impl_name}, which is deployed. To have "
                "one stand in for the other, use 'replace'."
            )
        return known is None or known.kind is not deployed.kind


def _raise_if_any(errors: Sequence[LoadError]) -> None:
    if errors:
        raise ServiceDefinitionError("\n".join(map(str, errors))) from errors[0].cause


def _deployed_of(what: Deployable) -> Iterator[Deployed]:
    """Yield what a class, a module, a file or a folder deploys.

    A file that is imported already is not imported again: what the test has of it is what runs.
    """
    given: object = what
    if isinstance(given, str | Path):
        yield from _from_path(Path(given))
    elif isinstance(given, ModuleType):
        yield from _from_module(given)
    elif isinstance(given, type) and issubclass(given, ServiceBase):
        yield _from_class(given)
    else:
        raise TypeError(f"{given!r:.100} cannot be deployed: give a service class, a module, a file or a folder.")


def _from_class(kind: type[ServiceBase]) -> Deployed:
    if not is_service(kind):
        raise ServiceDefinitionError(f"{kind.__name__} has no 'handle', so it cannot be deployed.")
    check_class(kind)
    file = _file_of(kind)
    return Deployed.of(kind, file=file, stamp=None if file is None else stamp_of(file))


def _from_module(module: ModuleType) -> Iterator[Deployed]:
    yield from (_from_class(kind) for kind in classes_of(module) if is_service(kind))


def _from_path(path: Path) -> Iterator[Deployed]:
    path = path.resolve()
    if not path.exists():
        raise ServiceDefinitionError(f"{path} does not exist, so nothing in it can be deployed.")
    folder = path if path.is_dir() else path.parent
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    modules = [_imported(file) for file in (_files_of(folder) if path.is_dir() else [path])]
    _raise_if_any([module for module in modules if isinstance(module, LoadError)])
    for module in modules:
        if isinstance(module, ModuleType):
            yield from _from_module(module)


def _files_of(folder: Path) -> list[Path]:
    """Return the files that a server would load of a folder."""
    return sorted(file for file in folder.glob("*.py") if file.is_file() and not file.name.startswith("."))


def _imported(file: Path) -> ModuleType | LoadError:
    try:
        return import_file(file, Watch(file.parent, _nobody))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return import_error(file, error)


def _file_of(kind: type[ServiceBase]) -> str | None:
    return getattr(sys.modules.get(kind.__module__), "__file__", None)


def _nobody(_: str) -> None:
    """Tell nobody which file is imported."""
