"""The journey and what may come next, as a page shows them."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.allowed_reports import list_allowed_reports
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.reason_codes import REASONS_REQUIRED_BY_STAGE
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.stages import MAIN_PATH, STAGE_FACTS, TERMINAL_STAGES, Phase, Stage, StepKind
from chalicelib.domain.referrals.transitions import list_actors_for, list_transitions_from
from chalicelib.routes.platform.timestamps import format_timestamp

PHASE_LABELS: Mapping[Phase, str] = {
    Phase.ELIGIBILITY: "Potential eligibility",
    Phase.REFERRAL: "Referral",
    Phase.CONSULTATION: "Consultation",
    Phase.COLLECTION: "Leukapheresis",
    Phase.MANUFACTURING: "Manufacturing",
    Phase.TREATMENT: "Treatment",
    Phase.MONITORING: "Monitoring",
    Phase.FOLLOW_UP: "Follow-up",
    Phase.CLOSED: "Closed",
}


def to_journey_response(referral: Referral) -> list[dict[str, Any]]:
    """The phases with their steps; a referral that ended early ends its journey there."""
    steps = [_build_step(stage, referral) for stage in _list_journey_stages(referral)]
    phases = dict.fromkeys(step["phase"] for step in steps)
    return [
        {
            "phase": phase,
            "label": PHASE_LABELS[phase],
            "stages": [{k: v for k, v in step.items() if k != "phase"} for step in steps if step["phase"] is phase],
        }
        for phase in phases
    ]


def _list_journey_stages(referral: Referral) -> list[Stage]:
    """The main line, with the detour or the ending that the referral is at put where it belongs."""
    line = list(MAIN_PATH)
    if STAGE_FACTS[referral.stage].step_kind is not StepKind.DETOUR:
        return line
    reached = [stage for stage in line if stage in referral.stage_entered_at]
    after = line.index(reached[-1]) + 1 if reached else 0
    ahead = [] if referral.stage in TERMINAL_STAGES else line[after:]
    return [*line[:after], referral.stage, *ahead]


def _build_step(stage: Stage, referral: Referral) -> dict[str, Any]:
    at = referral.stage_entered_at.get(stage)
    line = _list_journey_stages(referral)
    if stage is referral.stage:
        state = "current"
    elif line.index(stage) > line.index(referral.stage):
        state = "ahead"
    else:
        state = "done" if at else "not_reported"
    shown = at if state != "ahead" else None
    return {
        "phase": STAGE_FACTS[stage].phase,
        "stage": stage,
        "label": STAGE_FACTS[stage].label,
        "state": state,
        "at": format_timestamp(shown) if shown else None,
    }


_FIELDS_BY_STAGE: Mapping[Stage, tuple[str, ...]] = {
    Stage.INFUSED: ("part", "of", "local_date"),
    Stage.DEFERRED: ("revisit_on",),
    Stage.REDIRECTED: ("suggested_center_id",),
    Stage.HANDED_BACK: ("first_visit_on",),
}
"""What a page asks for with a move, beside its time, its reason and a note."""


def list_reportable_events(referral: Referral, member: Member, context: DecisionContext) -> list[EventType]:
    """The kinds of events beside the moves that this member may report now."""
    return list_allowed_reports(referral, actor=member.actor, context=context) if member.has_clinical_access else []


def to_actions_response(referral: Referral, member: Member) -> list[dict[str, Any]]:
    """What may happen next: what this member may do, and whose move the rest is."""
    actions = []
    for stage, actors in list_transitions_from(referral.stage).items():
        allowed = member.has_clinical_access and member.actor in actors
        actions.append(
            {
                "stage": stage,
                "label": STAGE_FACTS[stage].action,
                "allowed": allowed,
                "why_not": None if allowed else _explain_not_allowed(stage, member),
                "needs": list(_FIELDS_BY_STAGE.get(stage, ())),
                "reasons": sorted(REASONS_REQUIRED_BY_STAGE.get(stage, ())),
                "ends": stage in TERMINAL_STAGES,
            }
        )
    return sorted(actions, key=lambda action: (not action["allowed"], action["ends"]))


def _explain_not_allowed(stage: Stage, member: Member) -> str:
    if not member.has_clinical_access:
        return "Only people who care for patients move a referral."
    theirs = TenantKind.CENTER if member.kind is TenantKind.PRACTICE else TenantKind.PRACTICE
    side = "center" if theirs is TenantKind.CENTER else "practice"
    by_system = not {member.actor.value, side} & {actor.value for actor in list_actors_for(stage)}
    return "This happens by itself." if by_system else f"This is the {side}'s move."
