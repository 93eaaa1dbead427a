"""What passes through a service on its way to the test: Ctrl-C, and `pytest.fail()` in a function that stands in."""

from asyncio import CancelledError

from zato.server.failures import ServiceExited

__all__ = ["raise_if_meant_for_the_test"]


def raise_if_meant_for_the_test(error: BaseException) -> None:
    """Raise what a server would contain so that its process goes on, unless it is of the service's own doing.

    Raises:
        BaseException: what was contained.
    """
    cause = error.__cause__ if isinstance(error, ServiceExited) else error
    if cause is not None and not isinstance(cause, Exception | SystemExit | GeneratorExit | CancelledError):
        raise cause
