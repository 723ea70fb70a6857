"""Formats the results of the benchmarks as one table."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from tests.bench.paired import PairedRounds

HEADINGS = ("metric", "this run", "spread", "target", "peers and floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric.

    Attributes:
        found: The figure with its unit.
        spread: Where four fifths of the paired runs are, or `exact`.
        target: The target in docs/benchmarks.md; empty where none is set.
        peers: What others need, or what no one can go below.
        missed: Whether it is worse than the target.
    """

    metric: str
    found: str
    spread: str = "exact"
    target: str = ""
    peers: str = ""
    missed: bool = False


def check_limit(value: float, limit: float | None, unit: str = "x") -> tuple[str, bool]:
    """Format a target, and say whether `value` misses it."""
    return ("", False) if limit is None else (f"<= {limit:g}{unit}", value > limit)


def build_ratio_row(
    metric: str, ratio: PairedRounds, *, limit: float | None = None, detail: str = "", peers: str = "", digits: int = 1
) -> MetricRow:
    """Build a row about a ratio."""
    target, missed = check_limit(ratio.median, limit)
    return MetricRow(
        metric=metric,
        found=f"{ratio.median:.{digits}f}x{detail}",
        spread=ratio.spread(digits),
        target=target,
        peers=peers,
        missed=missed,
    )


def format_table(rows: Iterable[MetricRow]) -> str:
    """Format the rows as a Markdown table that also reads well in a terminal."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(line, widths) for line in (HEADINGS, rule, *lines[1:]))


def _cells(row: MetricRow) -> tuple[str, ...]:
    metric, found, spread, target, peers, missed = astuple(row)
    return metric, found, spread, f"{target} MISSED" if missed else target, peers


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
