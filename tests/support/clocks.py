"""A clock that stands still until a test turns it."""

__all__ = ["TurnableClock"]


class TurnableClock:
    """The two clocks of a machine, in milliseconds, which move only when they are told to."""

    def __init__(self, *, wall: int = 1_700_000_000_000, boot: int = 5_000_000, boot_id: str = "start-1") -> None:
        """Set both clocks."""
        self._wall = wall
        self._boot = boot
        self._boot_id = boot_id

    def wall(self) -> int:
        """Return Unix time."""
        return self._wall

    def boot(self) -> int:
        """Return the time since the machine started."""
        return self._boot

    def boot_id(self) -> str:
        """Return what tells one start of the machine from another."""
        return self._boot_id

    def turn(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._wall += round(seconds * 1000)
        self._boot += round(seconds * 1000)

    def set_wall(self, wall: int) -> None:
        """Set the wall clock, as an operator may; nobody can set the other one."""
        self._wall = wall

    def restart(self, boot_id: str = "start-2") -> None:
        """Start the machine again: the boot clock begins anew, the wall clock goes on."""
        self._boot = 1_000
        self._boot_id = boot_id
