"""Which class of error a code or an HTTP status stands for, so that what another process raised can be raised again."""

from zato.core.errors import ServiceError

__all__ = ["error_called", "error_of"]


def error_called(code: str) -> type[ServiceError]:
    """Return the class of the errors that services and doors raise which has a code, else the root of these."""
    kinds = [ServiceError]
    for kind in kinds:
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return ServiceError


def error_of(status: int) -> type[ServiceError]:
    """Return the class of error that an HTTP status stands for, so that a caller can raise what the server did."""
    kinds = {kind.status: kind for kind in reversed(ServiceError.__subclasses__())}
    return ServiceError if status == ServiceError.status else kinds.get(status, ServiceError)
