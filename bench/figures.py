"""The results: rows of figures, and how they are printed."""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Row", "Skipped", "at_least", "below", "median", "quantile", "ratio_row", "table", "to_json"]

HEADS = ("what", "ours", "theirs", "ratio", "target", "reached")


class Skipped(Exception):
    """Something cannot be measured here; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        ours: what was measured of us.
        theirs: what was measured of somebody else in the same run, or an empty text.
        ratio: ours to theirs, the median of pairs, or None.
        target: what is to be reached, in words; empty for a row that only informs.
        reached: whether it was, or None.
    """

    name: str
    ours: str
    theirs: str = ""
    ratio: float | None = None
    target: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        reached = "" if self.reached is None else "yes" if self.reached else "NO"
        return (self.name, self.ours, self.theirs, ratio, self.target, reached)


def ratio_row(name: str, ours: Sequence[float], theirs: Sequence[float], show: str, target: float | None = None) -> Row:
    """Return a row of interleaved pairs: medians of both, and the median of their ratios."""
    ratio = median([mine / other for mine, other in zip(ours, theirs, strict=True)])
    return Row(
        name=name,
        ours=show.format(median(ours)),
        theirs=show.format(median(theirs)),
        ratio=ratio,
        target="" if target is None else f"at least {target:g} times theirs",
        reached=None if target is None else ratio >= target,
    )


def below(
    name: str, values: Sequence[float], show: str, limit: float, *, of: Callable[..., float] | None = None
) -> Row:
    """Return a row of one figure that must stay below a limit."""
    figure = (of or median)(values)
    return Row(name=name, ours=show.format(figure), target=f"under {show.format(limit)}", reached=figure < limit)


def at_least(name: str, values: Sequence[float], show: str, limit: float) -> Row:
    """Return a row of one figure that must reach a limit."""
    figure = median(values)
    return Row(name=name, ours=show.format(figure), target=f"at least {show.format(limit)}", reached=figure >= limit)


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(rows: Sequence[Row], *, markdown: bool) -> str:
    """Return rows as text in columns, or as a Markdown table."""
    lines = [HEADS, *(row.cells() for row in rows)]
    if markdown:
        rule = "|".join(["", *["---"] * len(HEADS), ""])
        shown = [f"| {' | '.join(line)} |" for line in lines]
        return "\n".join([shown[0], rule, *shown[1:]])
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def to_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """Return rows, and what the run was, as a JSON text."""
    return json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2)
