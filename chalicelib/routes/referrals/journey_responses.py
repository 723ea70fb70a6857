"""The journey and what may come next, as a page shows them."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.allowed_reports import offered
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.reason_codes import NEEDED_FOR
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Setting
from chalicelib.domain.referrals.stages import FACTS, MAIN_LINE, TERMINAL, Phase, Place, Stage
from chalicelib.domain.referrals.transitions import movers_to, moves_from
from chalicelib.routes.platform.timestamps import instant

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


def journey_told(referral: Referral) -> list[dict[str, Any]]:
    """The phases with their steps; a referral that ended early ends its journey there."""
    steps = [_step(stage, referral) for stage in _line(referral)]
    phases = dict.fromkeys(step["phase"] for step in steps)
    return [
        {
            "phase": phase,
            "label": PHASE_LABELS[phase],
            "stages": [
                {k: v for k, v in step.items() if k != "phase"}
                for step in steps
                if step["phase"] is phase
            ],
        }
        for phase in phases
    ]


def _line(referral: Referral) -> list[Stage]:
    """The main line, with the detour or the ending that the referral is at put where it belongs."""
    line = list(MAIN_LINE)
    if FACTS[referral.stage].place is not Place.ASIDE:
        return line
    reached = [stage for stage in line if stage in referral.reached]
    after = line.index(reached[-1]) + 1 if reached else 0
    ahead = [] if referral.stage in TERMINAL else line[after:]
    return [*line[:after], referral.stage, *ahead]


def _step(stage: Stage, referral: Referral) -> dict[str, Any]:
    at = referral.reached.get(stage)
    line = _line(referral)
    if stage is referral.stage:
        state = "current"
    elif line.index(stage) > line.index(referral.stage):
        state = "ahead"
    else:
        state = "done" if at else "not_reported"
    shown = at if state != "ahead" else None
    return {
        "phase": FACTS[stage].phase,
        "stage": stage,
        "label": FACTS[stage].label,
        "state": state,
        "at": instant(shown) if shown else None,
    }


_ASKED: Mapping[Stage, tuple[str, ...]] = {
    Stage.INFUSED: ("part", "of", "local_date"),
    Stage.DEFERRED: ("revisit_on",),
    Stage.REDIRECTED: ("suggested_center_id",),
    Stage.HANDED_BACK: ("first_visit_on",),
}
"""What a page asks for with a move, beside its time, its reason and a note."""


def may_report(referral: Referral, member: Member, setting: Setting) -> list[EventType]:
    """The kinds of events beside the moves that this member may report now."""
    return offered(referral, actor=member.actor, setting=setting) if member.cares else []


def actions_told(referral: Referral, member: Member) -> list[dict[str, Any]]:
    """What may happen next: what this member may do, and whose move the rest is."""
    told = []
    for stage, actors in moves_from(referral.stage).items():
        allowed = member.cares and member.actor in actors
        told.append(
            {
                "stage": stage,
                "label": FACTS[stage].action,
                "allowed": allowed,
                "why_not": None if allowed else _why_not(stage, member),
                "needs": list(_ASKED.get(stage, ())),
                "reasons": sorted(NEEDED_FOR.get(stage, ())),
                "ends": stage in TERMINAL,
            }
        )
    return sorted(told, key=lambda action: (not action["allowed"], action["ends"]))


def _why_not(stage: Stage, member: Member) -> str:
    if not member.cares:
        return "Only people who care for patients move a referral."
    theirs = TenantKind.CENTER if member.kind is TenantKind.PRACTICE else TenantKind.PRACTICE
    side = "center" if theirs is TenantKind.CENTER else "practice"
    by_system = not {member.actor.value, side} & {actor.value for actor in movers_to(stage)}
    return "This happens by itself." if by_system else f"This is the {side}'s move."
