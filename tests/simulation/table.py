"""Formats the results of the simulation as one table."""

from collections.abc import Iterable, Sequence

from tests.simulation.section_processes import TimedResult

HEADINGS = ("section", "promise", "tried", "counterexamples", "seconds", "of CPU", "also")


def format_table(rows: Iterable[TimedResult]) -> str:
    """Format the rows as a Markdown table."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: TimedResult) -> Sequence[str]:
    found = row.result
    wrong = f"{len(found.counterexamples):,}" if found.tries else "not tried"
    return (
        row.section,
        found.claim,
        f"{found.tries:,}",
        wrong if found.holds else f"**{wrong}**",
        f"{row.seconds:.0f}",
        f"{row.cpu_seconds:.0f}",
        found.figures,
    )
