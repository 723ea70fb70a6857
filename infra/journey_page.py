"""The docs' page on the journey, drawn from the tables that the product enforces.

`python -m infra.journey_page` writes `docs/journey.md`; a test says when it is out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.referrals.reason_codes import REASON_FACTS, REASONS_REQUIRED_BY_STAGE
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, STAGE_FACTS, TERMINAL_STAGES, Actor, Phase, Stage
from chalicelib.domain.referrals.transitions import TRANSITIONS, list_transitions
from chalicelib.domain.referrals.turnaround import STAGES_WITH_OWN_DATE, TURNAROUND_LIMITS
from chalicelib.routes.referrals.journey_responses import PHASE_LABELS

PAGE = Path(__file__).parent.parent / "docs" / "journey.md"

_INTRODUCTION = """\
# The journey of a referral

Written by `python -m infra.journey_page` from the tables in `chalicelib/domain/`: what is
enforced, what a page offers as `actions[]` and this page are one and the same. Not for editing.

P is the practice, C the center, S the product itself. A dashed frame is a stage that a sparse
feed may leave out. The picture shows what goes on; what ends a referral stands in the table.
"""


def build_page() -> str:
    """The whole page, in Markdown."""
    parts = [
        _INTRODUCTION,
        "```mermaid\n" + "\n".join(_build_diagram()) + "\n```\n",
        "## Stages\n",
        "\n".join(_build_stage_table()) + "\n",
        "## Reasons\n",
        (
            "What ends, pauses or turns back a referral has one of these codes, and the"
            " referring team reads beside it what it may do next.\n"
        ),
        "\n".join(_build_reason_table()) + "\n",
    ]
    return "\n".join(parts)


def _build_diagram() -> Iterator[str]:
    yield "flowchart TD"
    for phase in (p for p in Phase if p is not Phase.CLOSED):
        yield f'  subgraph phase_{phase}["{PHASE_LABELS[phase]}"]'
        for stage in Stage:
            if STAGE_FACTS[stage].phase is phase:
                yield f'    {stage}["{STAGE_FACTS[stage].label}"]'
        yield "  end"
    for start, end, actors in list_transitions():
        if end not in TERMINAL_STAGES:
            yield f"  {start} -->|{_format_actors(actors)}| {end}"
    yield "  classDef optional stroke-dasharray: 5 4"
    yield f"  class {','.join(sorted(OPTIONAL_STAGES))} optional"


def _build_stage_table() -> Iterator[str]:
    yield "| stage | label | next move by | may go to | expected, amber, red | source |"
    yield "|---|---|---|---|---|---|"
    for stage in Stage:
        moves = ", ".join(f"`{end}` {_format_actors(who)}" for end, who in TRANSITIONS[stage].items())
        name = f"`{stage}`" + (" (optional)" if stage in OPTIONAL_STAGES else "")
        facts = STAGE_FACTS[stage]
        limits, source = _format_limits(stage)
        yield f"| {name} | {facts.label} | {facts.owner} | {moves or '-'} | {limits} | {source} |"


def _format_limits(stage: Stage) -> tuple[str, str]:
    if stage in STAGES_WITH_OWN_DATE:
        return "that day, the day after, a week after", STAGES_WITH_OWN_DATE[stage]
    limits = TURNAROUND_LIMITS.get(stage)
    if limits is None:
        return "-", "-"
    days = (limits.typical, limits.amber, limits.red)
    day_texts = ", ".join("-" if day is None else str(day) for day in days)
    return f"{day_texts} {limits.unit} days", limits.source


def _build_reason_table() -> Iterator[str]:
    yield "| code | reads | what may come next | fits |"
    yield "|---|---|---|---|"
    for reason, facts in REASON_FACTS.items():
        fits = ", ".join(
            f"`{stage}`" for stage in REASONS_REQUIRED_BY_STAGE if reason in REASONS_REQUIRED_BY_STAGE[stage]
        )
        yield f"| `{reason}` | {facts.label} | {facts.next_step} | {fits or 'a pause, a loop'} |"


def _format_actors(actors: frozenset[Actor]) -> str:
    return "".join(actor.value[0].upper() for actor in Actor if actor in actors)


if __name__ == "__main__":
    PAGE.write_text(build_page(), "utf-8")
