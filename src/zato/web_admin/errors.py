"""What may come back instead of an answer, when a page asks the server."""

from zato.core.errors import ZatoError

__all__ = ["BadAddress", "Refused", "ServerAway", "SessionOver"]


class ServerAway(ZatoError):
    """No server answers. The page says so, and tries again."""

    code = "server_away"
    status = 503


class SessionOver(ZatoError):
    """The log-in has ended, or there was none."""

    code = "session_over"
    status = 401


class BadAddress(ZatoError):
    """The address of a page, or a form, says something that makes no sense."""

    code = "bad_address"
    status = 400


class Refused(ZatoError):
    """The server answered, and the answer is no.

    Attributes:
        http_status: of the answer.
        cid: of the request, for the server's log.
        retry_after: seconds after which it may be different, or None.
    """

    code = "refused"

    def __init__(self, message: str, *, status: int, cid: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.http_status = status
        self.cid = cid
        self.retry_after = retry_after
