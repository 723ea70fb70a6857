"""Writes `docs/journey.md` from the tables that the product enforces: `python -m infra.journey_page`.

A test fails when the page is out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.referrals.reason_codes import REASON_FACTS, REASONS_REQUIRED_BY_STAGE, ReasonCode
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, STAGE_FACTS, TERMINAL_STAGES, Actor, Phase, Stage
from chalicelib.domain.referrals.transitions import TRANSITIONS, list_transitions
from chalicelib.domain.referrals.turnaround import STAGES_WITH_OWN_DATE, TURNAROUND_LIMITS
from chalicelib.routes.referrals.phase_labels import PHASE_LABELS

PAGE = Path(__file__).parent.parent / "docs" / "journey.md"

_INTRODUCTION = """\
# Stages of a referral

Do not edit this page. `python -m infra.journey_page` writes it from the tables in
`chalicelib/domain/`, which also decide what the API accepts and what it offers as `actions[]`.

P is the practice, C is the center, S is the product itself. Stages with a dashed frame are
optional: a center's system does not have to report them. The diagram shows only stages that
continue. The table also shows the final stages.
"""


def build_page() -> str:
    """Build the whole page, in Markdown."""
    parts = [
        _INTRODUCTION,
        "```mermaid\n" + "\n".join(_build_diagram()) + "\n```\n",
        "## Stages\n",
        "\n".join(_build_stage_table()) + "\n",
        "## Reasons\n",
        (
            "A stage that ends or pauses a referral, or moves it back, has one of these codes. The"
            " referring team sees it together with a next step.\n"
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
    yield "| stage | label | next action by | possible next stages | typical, amber, red | source |"
    yield "|---|---|---|---|---|---|"
    for stage in Stage:
        transitions = ", ".join(f"`{end}` {_format_actors(actors)}" for end, actors in TRANSITIONS[stage].items())
        name = f"`{stage}`" + (" (optional)" if stage in OPTIONAL_STAGES else "")
        facts = STAGE_FACTS[stage]
        limits, source = _format_limits(stage)
        yield f"| {name} | {facts.label} | {facts.owner} | {transitions or '-'} | {limits} | {source} |"


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
    yield "| code | label | next step | stages |"
    yield "|---|---|---|---|"
    for reason, facts in REASON_FACTS.items():
        stages = ", ".join(
            f"`{stage}`" for stage in REASONS_REQUIRED_BY_STAGE if reason in REASONS_REQUIRED_BY_STAGE[stage]
        )
        other_use = _OTHER_USES.get(reason, "a hold, or a repeated step")
        yield f"| `{reason}` | {facts.label} | {facts.next_step} | {stages or other_use} |"


_OTHER_USES = {ReasonCode.DRAFT_DISCARDED: f"`{Stage.WITHDRAWN}`, only of a draft"}
"""Where a reason is used that no stage offers in its list, if it is not a hold or a repeated step."""


def _format_actors(actors: frozenset[Actor]) -> str:
    return "".join(actor.value[0].upper() for actor in Actor if actor in actors)


if __name__ == "__main__":
    PAGE.write_text(build_page(), "utf-8")
