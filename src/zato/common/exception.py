"""The exceptions that services raise and callers catch."""

from zato.core.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    InvocationTimeout,
    LockTimeout,
    MethodNotAllowed,
    NotFound,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnknownService,
    ZatoError,
)

__all__ = [
    "BadRequest",
    "Conflict",
    "Forbidden",
    "InvocationTimeout",
    "LockTimeout",
    "MethodNotAllowed",
    "NotFound",
    "ServiceError",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnknownService",
    "ZatoError",
]
