"""The docs' page on the journey, drawn from the tables that the product enforces.

`python -m infra.journey_page` writes `docs/journey.md`; a test says when it is out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.referrals.reason_codes import FACTS as REASON_FACTS
from chalicelib.domain.referrals.reason_codes import NEEDED_FOR
from chalicelib.domain.referrals.stages import FACTS, OPTIONAL, TERMINAL, Actor, Phase, Stage
from chalicelib.domain.referrals.transitions import MOVES, all_moves
from chalicelib.domain.referrals.turnaround import DATED, LIMITS
from chalicelib.routes.referrals.journey_responses import PHASE_LABELS

PAGE = Path(__file__).parent.parent / "docs" / "journey.md"

_INTRODUCTION = """\
# The journey of a referral

Written by `python -m infra.journey_page` from the tables in `chalicelib/domain/`: what is
enforced, what a page offers as `actions[]` and this page are one and the same. Not for editing.

P is the practice, C the center, S the product itself. A dashed frame is a stage that a sparse
feed may leave out. The picture shows what goes on; what ends a referral stands in the table.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [
        _INTRODUCTION,
        "```mermaid\n" + "\n".join(_diagram()) + "\n```\n",
        "## Stages\n",
        "\n".join(_stages()) + "\n",
        "## Reasons\n",
        (
            "What ends, pauses or turns back a referral has one of these codes, and the"
            " referring team reads beside it what it may do next.\n"
        ),
        "\n".join(_reasons()) + "\n",
    ]
    return "\n".join(parts)


def _diagram() -> Iterator[str]:
    yield "flowchart TD"
    for phase in (p for p in Phase if p is not Phase.CLOSED):
        yield f'  subgraph phase_{phase}["{PHASE_LABELS[phase]}"]'
        for stage in Stage:
            if FACTS[stage].phase is phase:
                yield f'    {stage}["{FACTS[stage].label}"]'
        yield "  end"
    for start, end, actors in all_moves():
        if end not in TERMINAL:
            yield f"  {start} -->|{_initials(actors)}| {end}"
    yield "  classDef optional stroke-dasharray: 5 4"
    yield f"  class {','.join(sorted(OPTIONAL))} optional"


def _stages() -> Iterator[str]:
    yield "| stage | label | next move by | may go to | expected, amber, red | source |"
    yield "|---|---|---|---|---|---|"
    for stage in Stage:
        moves = ", ".join(f"`{end}` {_initials(who)}" for end, who in MOVES[stage].items())
        name = f"`{stage}`" + (" (optional)" if stage in OPTIONAL else "")
        facts = FACTS[stage]
        limits, source = _limits(stage)
        yield f"| {name} | {facts.label} | {facts.owner} | {moves or '-'} | {limits} | {source} |"


def _limits(stage: Stage) -> tuple[str, str]:
    if stage in DATED:
        return "that day, the day after, a week after", DATED[stage]
    limits = LIMITS.get(stage)
    if limits is None:
        return "-", "-"
    days = (limits.typical, limits.amber, limits.red)
    told = ", ".join("-" if day is None else str(day) for day in days)
    return f"{told} {limits.unit} days", limits.source


def _reasons() -> Iterator[str]:
    yield "| code | reads | what may come next | fits |"
    yield "|---|---|---|---|"
    for reason, facts in REASON_FACTS.items():
        fits = ", ".join(f"`{stage}`" for stage in NEEDED_FOR if reason in NEEDED_FOR[stage])
        yield f"| `{reason}` | {facts.label} | {facts.next_step} | {fits or 'a pause, a loop'} |"


def _initials(actors: frozenset[Actor]) -> str:
    return "".join(actor.value[0].upper() for actor in Actor if actor in actors)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
