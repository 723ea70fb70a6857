"""Which steps must be recorded before an event can apply: what a parked update waits for."""

from collections.abc import Sequence
from functools import cache
from heapq import heappop, heappush

from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    ReferralEvent,
    RelapseReported,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, STAGE_FACTS, Stage
from chalicelib.domain.referrals.transitions import TRANSITIONS, list_reachable_stages

_EVENTS_AFTER_INFUSION = (AdverseEventReported, RelapseReported, ToxicityNoticed, WindowExtended)
_ORDER = {stage: place for place, stage in enumerate(Stage)}
_STAGES = tuple(Stage)


def list_missing_steps(referral: Referral, event: ReferralEvent) -> tuple[Stage, ...]:
    """List the steps that must come before `event`, in order; empty if the table of transitions does not tell.

    Args:
        referral: The current state, in which the event is not legal yet.
        event: The event that waits.
    """
    if isinstance(event, _EVENTS_AFTER_INFUSION):
        is_possible = Stage.INFUSED in list_reachable_stages(referral.stage)
        return (*find_steps_between(referral.stage, Stage.INFUSED), Stage.INFUSED) if is_possible else ()
    if not isinstance(event, StageChange):
        return ()
    if event.stage is not Stage.INFUSED or event.part == 1:
        return find_steps_between(referral.stage, event.stage)
    # A later dose waits for the dose before it, which has the same stage.
    is_infused = referral.stage is Stage.INFUSED
    before = () if is_infused else find_steps_between(referral.stage, Stage.INFUSED)
    return (*before, Stage.INFUSED)


@cache
def find_steps_between(start: Stage, target: Stage) -> tuple[Stage, ...]:
    """Find the shortest legal way from `start` to `target`, and list the steps between that cannot be skipped.

    Optional stages cost nothing, because a center's system may skip them. Empty if there is no way.
    """
    ways: list[tuple[int, int, int, tuple[Stage, ...]]] = [(0, 0, _ORDER[start], ())]
    seen: set[Stage] = set()
    while ways:
        cost, length, place, steps = heappop(ways)
        stage = _STAGES[place]
        if stage is target and length:
            return steps[:-1]
        if length and stage in seen:
            continue
        seen.add(stage)
        for following in TRANSITIONS[stage]:
            is_counted = following is target or following not in OPTIONAL_STAGES
            way = (*steps, following) if is_counted else steps
            heappush(ways, (cost + is_counted, length + 1, _ORDER[following], way))
    return ()


def describe_missing_steps(steps: Sequence[Stage]) -> str:
    """Say in one sentence what to record first."""
    if not steps:
        return "An earlier step is not recorded yet. Record it first."
    labels = "; ".join(STAGE_FACTS[stage].label for stage in steps)
    return f"Earlier steps are not recorded yet. Record these first: {labels}."
