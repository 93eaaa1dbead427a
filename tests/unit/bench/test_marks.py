"""What calls note of themselves while processes are killed: which ones ran twice, and how long nothing answered."""

from pathlib import Path

import pytest

from bench.deaths import longest_gap
from bench.marks import Mark, interrupted, marks_of


def test_no_file_means_that_nothing_began(tmp_path: Path) -> None:
    """The first call makes the file; before that there are no marks."""
    assert marks_of(tmp_path / "marks.txt") == []


def test_marks_are_read_in_the_order_in_which_calls_began(tmp_path: Path) -> None:
    """A line is a call's number, a time and a process."""
    file = tmp_path / "marks.txt"
    file.write_text("7 12.5 100\n3 12.75 200\n")

    assert marks_of(file) == [Mark(7, 12.5, 100), Mark(3, 12.75, 200)]


def test_what_begins_again_was_interrupted() -> None:
    """Only the second mark of a call counts, whichever process made it."""
    first, other, again, in_place = Mark(1, 1.0, 100), Mark(2, 2.0, 100), Mark(1, 3.0, 200), Mark(2, 4.0, 100)

    assert interrupted([first, other, again, in_place]) == [again, in_place]


@pytest.mark.parametrize(
    ("answers", "gap"),
    [
        pytest.param([1.0, 2.5, 3.0], 0.5, id="before-does-not-count"),
        pytest.param([1.0, 2.0, 5.0, 6.0], 3.0, id="the-longest"),
        pytest.param([2.0, 4.0], 2.0, id="across-the-moment"),
    ],
)
def test_time_without_an_answer(answers: list[float], gap: float) -> None:
    """It is the longest time between two answers, of which the second came after the death."""
    assert longest_gap(answers, since=2.75) == gap
