"""How long a client waits, and how often it tries to connect: the same for every transport."""

from dataclasses import dataclass

__all__ = ["BACKOFF", "CONNECT_RETRIES", "CONNECT_TIMEOUT", "READ_TIMEOUT", "Limits", "pauses"]

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 600.0

CONNECT_RETRIES = 4
BACKOFF = 0.1

# How much longer to listen than the server was asked to take, in seconds.
GRACE = 15.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client was given, in seconds; None is for ever."""

    connect: float | None = CONNECT_TIMEOUT
    read: float | None = READ_TIMEOUT

    def of_call(self, patience: float) -> tuple[float | None, float | None]:
        """Return the connect and read timeouts of one request.

        Args:
            patience: seconds the server is asked to take at most; the read timeout is longer than that.
        """
        if self.read is None or not patience:
            return self.connect, self.read
        return self.connect, max(self.read, patience + GRACE)


def pauses() -> tuple[float, ...]:
    """Return the seconds before each further attempt to connect: 0, 0.2, 0.4, 0.8."""
    return (0.0, *(BACKOFF * 2**attempt for attempt in range(1, CONNECT_RETRIES)))
