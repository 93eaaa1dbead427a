"""How a running service learns that it should stop: nobody waits for what it does any more."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["StopSign"]


class StopSign:
    """Set once, for good. A root call and the services that it invokes share one; `self.cancelled` reads it.

    A call that may be stopped before its caller is, because it has a timeout, has a sign of its own below
    the caller's: it is set when either of them is. From any thread.
    """

    __slots__ = ("_above", "_calls", "_is_set")

    def __init__(self, above: "StopSign | None" = None) -> None:
        """Take the sign of the caller, if there is one."""
        self._above = above
        self._calls: list[Callable[[], object]] = []
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether to stop."""
        return self._is_set or (self._above is not None and self._above.is_set)

    def set(self) -> None:
        """Say that whoever reads this should stop."""
        if self._is_set:
            return
        self._is_set = True
        for call in tuple(self._calls):
            call()

    @contextmanager
    def calling(self, call: Callable[[], object]) -> Iterator[None]:
        """Have something called if the sign is set while the `with` lasts.

        Not if it was set before: who knows that, and begins something all the same, is tidying up. It is
        called on the thread that sets the sign, and may be called twice.
        """
        known = self.is_set
        with ExitStack() as entered:
            sign: StopSign | None = self
            while sign is not None:
                sign._calls.append(call)
                entered.callback(sign._calls.remove, call)
                sign = sign._above
            # Whoever set it a moment ago has not seen this call.
            if self.is_set and not known:
                call()
            yield
