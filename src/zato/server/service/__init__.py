"""What users subclass.

A `Service` blocks and runs on a thread; an `AsyncService` runs on the event loop. Both have the same
attributes while `handle` runs. How calls travel is the business of `zato.server.dispatcher` and
`zato.server.publisher`, which a service reaches through its `Runtime`.
"""

from zato.core.absent import say_what_is_absent
from zato.core.elements import (
    CSV,
    UTC,
    UUID,
    AsIs,
    Bool,
    Boolean,
    Date,
    DateTime,
    Decimal,
    Dict,
    DictList,
    Float,
    Int,
    Integer,
    List,
    ListOfDicts,
    Model,
    Nested,
    Opaque,
    Secret,
    Text,
    Unicode,
)
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
    "CSV",
    "SHADOW_PACKAGE",
    "UTC",
    "UUID",
    "AsIs",
    "AsyncService",
    "BadRequest",
    "Bool",
    "Boolean",
    "Channel",
    "Conflict",
    "Date",
    "DateTime",
    "Decimal",
    "Dict",
    "DictList",
    "Float",
    "Forbidden",
    "Int",
    "Integer",
    "InvocationTimeout",
    "List",
    "ListOfDicts",
    "LockTimeout",
    "MethodNotAllowed",
    "Model",
    "Nested",
    "NotFound",
    "Opaque",
    "Priority",
    "Request",
    "Response",
    "Retry",
    "Runtime",
    "Secret",
    "Service",
    "ServiceBase",
    "ServiceError",
    "ServiceUnavailable",
    "Text",
    "TooManyRequests",
    "Unauthorized",
    "Unicode",
    "UnknownService",
    "ZatoError",
]

say_what_is_absent(__name__)
