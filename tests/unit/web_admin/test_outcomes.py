"""What is kept of calls for a while."""

import tempfile
from pathlib import Path

import pytest

from zato.web_admin.errors import Refused
from zato.web_admin.outcomes import Outcome, Outcomes, Whole

TEXT = "é" * 100_000


def outcome(text: str) -> Outcome:
    """Return an outcome with a long response."""
    whole = Whole.of(text.encode())
    assert whole is not None
    return Outcome("ada", wholes={"response": whole})


def test_long_response_is_read_whole() -> None:
    """It comes back byte for byte, in blocks."""
    outcomes = Outcomes()
    outcomes.keep("c1", outcome(TEXT))
    found = outcomes.get("c1")
    assert found is not None
    blocks = list(found.wholes["response"].blocks())
    assert b"".join(blocks).decode() == TEXT
    assert max(map(len, blocks)) <= 65_536
    outcomes.close()


def test_older_ones_go_when_there_are_many() -> None:
    """As many stay as may."""
    outcomes = Outcomes(most=2)
    for cid in ("c1", "c2", "c3"):
        outcomes.keep(cid, Outcome("ada"))
    assert [outcomes.get(cid) is not None for cid in ("c1", "c2", "c3")] == [False, True, True]


def test_older_ones_go_when_they_are_large() -> None:
    """The room on disk is bounded."""
    outcomes = Outcomes(most_bytes=300_000)
    outcomes.keep("c1", outcome(TEXT))
    outcomes.keep("c2", outcome(TEXT))
    assert outcomes.get("c1") is None
    assert outcomes.get("c2") is not None
    outcomes.close()


def test_what_is_being_read_can_be_read_to_its_end() -> None:
    """A download goes on even if the outcome is forgotten meanwhile."""
    outcomes = Outcomes()
    outcomes.keep("c1", outcome(TEXT))
    found = outcomes.get("c1")
    assert found is not None
    blocks = found.wholes["response"].blocks()
    first = next(blocks)
    outcomes.close()
    assert (first + b"".join(blocks)).decode() == TEXT


def test_no_room_on_disk_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is not kept then, which the page says."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert Whole.of(b"x") is None


def test_calls_that_are_waited_for_are_counted() -> None:
    """Too many at once would leave no thread for pages; one that has ended makes room."""
    outcomes = Outcomes(most_waiting=1)
    with outcomes.waiting(), pytest.raises(Refused, match="in the background") as caught, outcomes.waiting():
        pass
    assert caught.value.http_status == 503
    with outcomes.waiting():
        pass
