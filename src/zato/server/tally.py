"""What one service did in this process since it was deployed: counted where it runs, read by built-in services."""

__all__ = ["Tally"]


class Tally:
    """How often a service ran. Counted from any thread, by `+= 1`.

    An interpreter with one lock changes threads where something is called, or jumps back: not between reading a number
    and storing the next one. A lock of its own would take longer than all else that is counted here.

    Attributes:
        calls: runs that began: for a door, in the background, and for other services.
        errors: those of them that raised, or had not ended when their time was up. Who was stopped, because the call
            was cancelled or nobody waits for it any more, is not among them.
    """

    __slots__ = ("calls", "errors")

    def __init__(self) -> None:
        self.calls = 0
        self.errors = 0
