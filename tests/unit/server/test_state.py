"""What a process tells of what it runs."""

from zato.core.call import Call
from zato.core.member import Running
from zato.server.state import MOST, longest

NOW = 1_700_000_000.0


def root(service: str, ago: float) -> tuple[Call, float]:
    """Return a call that began some seconds ago."""
    return Call(cid=f"c{ago:g}", service=service, channel="rest"), NOW - ago


def test_what_has_run_longest_comes_first() -> None:
    """With its CID, its door and when it began; without what has just begun, and without built-in services."""
    told = longest([root("a", 5), root("b", 50), root("c", 0.5), root("zato.ping", 9)], int(1000 * (NOW - 1)))

    assert told == (
        Running("b", "c50", "rest", int(1000 * (NOW - 50))),
        Running("a", "c5", "rest", int(1000 * (NOW - 5))),
    )


def test_only_so_many_are_told() -> None:
    """Those that have run longest."""
    told = longest([root("a", ago) for ago in range(MOST + 10)], int(1000 * NOW))
    assert [each.cid for each in told] == [f"c{ago}" for ago in range(MOST + 9, 9, -1)]
