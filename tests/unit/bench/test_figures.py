"""The table of the benchmark: medians, ratios, targets."""

import json

import pytest

from bench.figures import Row, below, median, quantile, ratio_row, table, to_json

SLOW = Row(name="start", ours="2.00 s", target="under 1.00 s", reached=False)
PLAIN = Row(name="celery", ours="1,500/s")


def test_ratio_is_the_median_of_pairs() -> None:
    """A pair disturbed on either side moves neither the ratio nor the medians beside it."""
    row = ratio_row("rate", [100, 10, 900], [50, 100, 90], "{:.0f}", 2)

    assert row.cells() == ("rate", "100", "90", "2.00", "at least 2 times theirs", "yes")


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        pytest.param(2.0, True, id="equal"),
        pytest.param(2.1, False, id="above"),
        pytest.param(None, None, id="no-target"),
    ],
)
def test_ratio_against_its_target(target: float | None, reached: bool | None) -> None:
    """A target is reached by being equalled; a row without one says nothing."""
    assert ratio_row("rate", [4], [2], "{}", target).reached is reached


@pytest.mark.parametrize(
    ("values", "reached"), [pytest.param([1, 2, 9], True, id="under"), pytest.param([1, 3, 9], False, id="at")]
)
def test_limit(values: list[float], reached: bool) -> None:
    """What must stay below a limit is judged by its median, and the limit itself is too much."""
    assert below("start", values, "{:.0f} s", 3).reached is reached


def test_missed_target_stands_out() -> None:
    """A row that missed its target says NO; one without a target says nothing."""
    lines = table([SLOW, PLAIN], markdown=False).splitlines()

    assert lines[1].endswith("under 1.00 s  NO")
    assert lines[2] == "celery  1,500/s"


def test_markdown_table_is_ready_to_paste() -> None:
    """Every line has the same number of cells, and the second is the rule."""
    lines = table([SLOW, PLAIN], markdown=True).splitlines()

    assert lines[1] == "|---|---|---|---|---|---|"
    assert {line.count("|") for line in lines} == {7}


@pytest.mark.parametrize(
    ("share", "value"),
    [pytest.param(0.5, 51, id="p50"), pytest.param(0.99, 100, id="p99"), pytest.param(1, 100, id="most")],
)
def test_quantile(share: float, value: int) -> None:
    """A quantile is one of the values, whatever their order."""
    assert quantile(range(100, 0, -1), share) == value


def test_median_of_an_even_number() -> None:
    """Between two middle values lies their mean."""
    assert median([1, 2, 4, 9]) == 3


def test_json_holds_rows_and_the_run() -> None:
    """The file says what was measured and where."""
    parsed = json.loads(to_json([SLOW], {"pairs": 8}))

    assert parsed["pairs"] == 8
    assert parsed["rows"][0]["name"] == "start"
    assert parsed["rows"][0]["reached"] is False
