"""The exceptions that services raise and callers catch."""

from zato.core.absent import say_what_is_absent
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
from zato.core.older_errors import Inactive, InternalServerError

__all__ = [
    "BadRequest",
    "Conflict",
    "Forbidden",
    "Inactive",
    "InternalServerError",
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
    "ZatoException",
]

# As older services raise it: `ZatoException(cid, message)`.
ZatoException = ServiceError

say_what_is_absent(__name__)
