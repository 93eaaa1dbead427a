"""HTTP to a server: `AnyServiceInvoker` and its siblings, what they return, and what they raise.

`invoker.py`, `async_invoker.py` and `api.py` hold the clients, `conversation.py` what they say to a server,
`response.py` and `result.py` what comes back, `errors.py` what goes wrong.
"""

from zato.client.api import APIClient
from zato.client.async_invoker import AsyncServiceInvoker
from zato.client.errors import (
    ConnectionFailed,
    ConnectionLost,
    ConnectTimedOut,
    InvalidAddress,
    InvalidType,
    MissingExtra,
    NetworkError,
    ProxyFailed,
    ReadTimedOut,
    ResponseMismatch,
    TLSFailed,
    WrongEventLoop,
)
from zato.client.invoker import AnyServiceInvoker, JSONClient, JSONSIOClient, RawDataClient
from zato.client.reply import HTTPReply
from zato.client.response import (
    APIResponse,
    AsyncInvokeResponse,
    JSONResponse,
    JSONSIOResponse,
    ManyInvokeResponse,
    RawDataResponse,
    Response,
    ServiceInvokeResponse,
)
from zato.client.result import InvocationResult
from zato.conflicts import warn_of_conflicts
from zato.core.attrdict import AttrDict
from zato.core.retry import Retry

__all__ = [
    "APIClient",
    "APIResponse",
    "AnyServiceInvoker",
    "AsyncInvokeResponse",
    "AsyncServiceInvoker",
    "AttrDict",
    "ConnectTimedOut",
    "ConnectionFailed",
    "ConnectionLost",
    "HTTPReply",
    "InvalidAddress",
    "InvalidType",
    "InvocationResult",
    "JSONClient",
    "JSONResponse",
    "JSONSIOClient",
    "JSONSIOResponse",
    "ManyInvokeResponse",
    "MissingExtra",
    "NetworkError",
    "ProxyFailed",
    "RawDataClient",
    "RawDataResponse",
    "ReadTimedOut",
    "Response",
    "ResponseMismatch",
    "Retry",
    "ServiceInvokeResponse",
    "TLSFailed",
    "WrongEventLoop",
]

warn_of_conflicts()
