"""structlog, for services that use it: its lines become records of `logging`, and join all others.

It is configured at the moment somebody imports it: most servers never do, and its import takes as long as half of ours.
"""

import logging
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["structlog_joins"]

# Passed to `logging` as they are.
OPTIONS = ("exc_info", "stack_info", "stacklevel")
# Attributes of a record, which `logging` refuses as fields.
REFUSED = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime"})


@contextmanager
def structlog_joins() -> Iterator[None]:
    """Have structlog write to `logging` while the context lasts. A service may configure it differently."""
    with ExitStack() as undone:
        if "structlog" in sys.modules:
            undone.enter_context(_configured(sys.modules["structlog"]))
        else:
            undone.enter_context(_once_imported("structlog", lambda it: undone.enter_context(_configured(it))))
        yield


@contextmanager
def _configured(structlog: ModuleType) -> Iterator[None]:
    before = structlog.get_config()
    was_configured = structlog.is_configured()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _as_record,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        if was_configured:
            structlog.configure(**before)
        else:
            structlog.reset_defaults()


@contextmanager
def _once_imported(name: str, then: Callable[[ModuleType], object]) -> Iterator[None]:
    finder = _Finder(name, then)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.leave()


class _Finder(MetaPathFinder):
    """Finds one module, once, where it is found anyway, and has something done right after its import."""

    def __init__(self, name: str, then: Callable[[ModuleType], object]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return where the module is, or None for others."""
        if fullname != self._name:
            return None
        self.leave()
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_then(module: ModuleType) -> None:
                execute(module)
                self._then(module)

            spec.loader.exec_module = execute_then  # type: ignore[method-assign]
        return spec

    def leave(self) -> None:
        """Be asked no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


def _as_record(_: object, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `logging`'s methods; fields that they would refuse get another name."""
    options = {name: event.pop(name) for name in OPTIONS if name in event}
    message = event.pop("event", "")
    fields = {f"{name}_" if name in REFUSED else name: value for name, value in event.items()}
    return {"msg": message, "extra": fields, **options}
