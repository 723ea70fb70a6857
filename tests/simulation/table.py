"""Formats the results of the simulation, and keeps the last ones of each section in a page."""

from collections.abc import Iterable, Sequence

from tests.simulation.section_processes import TimedResult

RESULTS = "## The last results"

HEADINGS = ("promise", "tried", "counterexamples", "seconds", "of CPU", "also")


def format_table(rows: Iterable[TimedResult]) -> str:
    """Format the rows as a Markdown table."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: TimedResult) -> Sequence[str]:
    found = row.result
    wrong = f"{len(found.counterexamples):,}" if found.tries else "not tried"
    return (
        found.claim,
        f"{found.tries:,}",
        wrong if found.holds else f"**{wrong}**",
        f"{row.seconds:.0f}",
        f"{row.cpu_seconds:.0f}",
        found.figures,
    )


def replace_results(page: str, section: str, results: str) -> str:
    """Replace the results of one section in a page, or add them after those of the other sections.

    A section takes minutes and all of them an hour, so each is kept when it ends, with its own day and revision.
    """
    before, _, kept = page.partition(f"{RESULTS}\n")
    introduction, *blocks = kept.split("\n### ")
    by_section = {block.partition("\n")[0]: block for block in blocks}
    by_section[section] = f"{section}\n\n{results}"
    return f"{before}{RESULTS}\n{introduction}" + "".join(f"\n### {block}" for block in by_section.values())
