"""HTTP to a server: `AnyServiceInvoker` and its siblings, what they return, and what they raise.

`invoker.py` and `api.py` hold the clients, `response.py` and `result.py` what comes back, `errors.py` what goes wrong.
"""

from zato.client.api import APIClient
from zato.client.errors import (
    ConnectionFailed,
    ConnectionLost,
    ConnectTimedOut,
    InvalidAddress,
    NetworkError,
    ProxyFailed,
    ReadTimedOut,
    TLSFailed,
)
from zato.client.invoker import AnyServiceInvoker, JSONClient, JSONSIOClient, RawDataClient
from zato.client.response import (
    APIResponse,
    AsyncInvokeResponse,
    JSONResponse,
    JSONSIOResponse,
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
    "AttrDict",
    "ConnectTimedOut",
    "ConnectionFailed",
    "ConnectionLost",
    "InvalidAddress",
    "InvocationResult",
    "JSONClient",
    "JSONResponse",
    "JSONSIOClient",
    "JSONSIOResponse",
    "NetworkError",
    "ProxyFailed",
    "RawDataClient",
    "RawDataResponse",
    "ReadTimedOut",
    "Response",
    "Retry",
    "ServiceInvokeResponse",
    "TLSFailed",
]

warn_of_conflicts()
