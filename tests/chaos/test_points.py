"""A process killed at each step of a call's way loses nothing, and records nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.breakings import GROUPS, break_at_each, table

TOGETHER = 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_at_each_point(tmp_path: Path) -> None:
    """Whether a worker or the whole server dies there: what was accepted is done once, and so is its callback."""
    folders = [tmp_path / points[0] for points in GROUPS]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(TOGETHER) as pool:
        rows = [row for group in pool.map(break_at_each, GROUPS, folders) for row in group]

    print(f"\n{table(rows)}")
    assert {row.point: row.faults for row in rows if row.faults} == {}
