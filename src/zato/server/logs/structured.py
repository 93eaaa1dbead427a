"""structlog, for services that use it: its lines become records of `logging`, and join all others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

__all__ = ["structlog_joins"]

# Passed to `logging` as they are.
OPTIONS = ("exc_info", "stack_info", "stacklevel")
# Attributes of a record, which `logging` refuses as fields.
REFUSED = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime"})


@contextmanager
def structlog_joins() -> Iterator[None]:
    """Have structlog write to `logging` while the context lasts. A service may configure it differently."""
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


def _as_record(_: object, __: str, event: structlog.typing.EventDict) -> dict[str, Any]:
    """Return the arguments of `logging`'s methods; fields that they would refuse get another name."""
    options = {name: event.pop(name) for name in OPTIONS if name in event}
    message = event.pop("event", "")
    fields = {f"{name}_" if name in REFUSED else name: value for name, value in event.items()}
    return {"msg": message, "extra": fields, **options}
