"""How many refusals are written down."""

from zato.server.people.allowance import Allowance


def test_flood_is_counted_and_not_written() -> None:
    """Twenty at once are, then one each second, which says how many were left out."""
    now = [1000.0]
    allowance = Allowance(clock=lambda: now[0])
    at_once = [allowance.take() for _ in range(25)]
    now[0] += 1
    later = [allowance.take() for _ in range(3)]
    now[0] += 3600
    assert (at_once, later) == ([0] * 20 + [None] * 5, [5, None, None])
    assert [allowance.take() for _ in range(21)] == [2, *[0] * 19, None]
