"""What users subclass.

A `Service` blocks and runs on a thread; an `AsyncService` runs on the event loop. Both have the same
attributes while `handle` runs. How calls travel is the business of `zato.server.dispatcher` and
`zato.server.publisher`, which a service reaches through its `Runtime`.
"""

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
from zato.core.exchange import Channel, Request, Response
from zato.core.invocation import Priority
from zato.core.retry import Retry
from zato.core.runtime import Runtime
from zato.server.service.asynchronous import AsyncService
from zato.server.service.base import SHADOW_PACKAGE, ServiceBase
from zato.server.service.blocking import Service

__all__ = [
    "SHADOW_PACKAGE",
    "AsyncService",
    "BadRequest",
    "Channel",
    "Conflict",
    "Forbidden",
    "InvocationTimeout",
    "LockTimeout",
    "MethodNotAllowed",
    "NotFound",
    "Priority",
    "Request",
    "Response",
    "Retry",
    "Runtime",
    "Service",
    "ServiceBase",
    "ServiceError",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnknownService",
    "ZatoError",
]
