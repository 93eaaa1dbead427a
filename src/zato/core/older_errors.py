"""Errors that older services raise by these names, and that nothing here raises by itself."""

from zato.core.errors import ServiceError, ServiceUnavailable

__all__ = ["Inactive", "InternalServerError"]


class Inactive(ServiceUnavailable):
    """A service says that what it works on is switched off for now.

    Have it switched on, then send the request again.
    """

    code = "inactive"


class InternalServerError(ServiceError):
    """A service says that it failed, in words of its own.

    Look for the call's CID in the server's log.
    """

    code = "internal_server_error"
    status = 500
