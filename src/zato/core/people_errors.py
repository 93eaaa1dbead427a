"""What people are told who log in, or whose session is over."""

from typing import Self

from zato.core.errors import Overloaded, TooManyRequests, Unauthorized

__all__ = ["HashingBusy", "SessionEnded", "TooManyAttempts"]

SESSION_REALM = "Zato web admin"


class SessionEnded(Unauthorized):
    """A person's session is over: it expired, was closed, or the person, their password or role was changed.

    Log in again.
    """

    code = "session_ended"
    scheme = "Zato-Session"
    realm = SESSION_REALM

    @classmethod
    def now(cls) -> Self:
        """Say so; which of the reasons it is, is nobody's business who has no session."""
        return cls("The session is over, or there was none. Log in again.")


class TooManyAttempts(TooManyRequests):
    """Somebody tried too often to log in with a wrong name or password.

    Wait for the seconds that the message says.
    """

    code = "too_many_attempts"

    def __init__(self, cid_or_message: object = "", message: object = None) -> None:
        super().__init__(cid_or_message, message)
        self.retry_after = 1

    @classmethod
    def wait(cls, seconds: int) -> Self:
        """Say for how long."""
        error = cls(f"Too many attempts to log in failed. Try again in {seconds} s.")
        error.retry_after = seconds
        return error


class HashingBusy(Overloaded):
    """As many passwords as are allowed wait to be checked.

    Try again a little later.
    """

    code = "hashing_busy"

    @classmethod
    def now(cls) -> Self:
        """Say so."""
        return cls("Busy: too many passwords are being checked now. Try again in a moment.")
