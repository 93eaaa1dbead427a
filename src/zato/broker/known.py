"""Which brokers there are, for those who only ask that: no backend is loaded for it."""

from zato.core.errors import InvalidSetting

__all__ = ["check_known", "is_shared", "unknown"]

SHARED = ("redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://")


def is_shared(broker: str) -> bool:
    """Tell whether a setting names a broker that several servers can share."""
    return broker.startswith(SHARED)


def check_known(broker: str) -> None:
    """Check that a backend is known, without opening anything.

    Raises:
        InvalidSetting: nothing is known by that name.
    """
    if broker != "sqlite" and not is_shared(broker):
        raise unknown(broker)


def unknown(broker: str) -> InvalidSetting:
    """Return what is wrong with a setting that names no broker."""
    return InvalidSetting(f"broker = {broker!r} is not known. Use 'sqlite', or a URL such as 'redis://host:6379'.")
