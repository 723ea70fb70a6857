"""Domain values as the API tells them. Times are RFC 3339 in UTC, days are dates."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib import wiring
from chalicelib.domain.members import Member, TenantKind
from chalicelib.domain.moves import movers_to, moves_from
from chalicelib.domain.packet import NEEDED, missing, packet_of
from chalicelib.domain.referral import Referral
from chalicelib.domain.stages import FACTS, MAIN_LINE, TERMINAL, Phase, Place, Stage
from chalicelib.domain.statements import EMERGENCY_NOTE, STATEMENTS
from chalicelib.domain.window import LABELS, Window
from chalicelib.store.people import Center
from chalicelib.store.referral_items import LoggedEvent, Summary

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


def instant(at: datetime) -> str:
    """An instant, in UTC, to the second where it has no fraction."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def etag(referral: Referral) -> dict[str, str]:
    """The version as HTTP spells it."""
    return {"ETag": f'"{referral.version}"'}


def referral_told(
    referral: Referral, member: Member, notices: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """A referral for a member who may see it."""
    facts = FACTS[referral.stage]
    told: dict[str, Any] = {
        "referral_id": referral.referral_id,
        "version": referral.version,
        "stage": referral.stage,
        "stage_label": facts.label,
        "phase": referral.phase,
        "stage_since": instant(referral.stage_since),
        "created_at": instant(referral.created_at),
        "updated_at": instant(referral.updated_at),
        "submitted_at": instant(referral.submitted_at) if referral.submitted_at else None,
        "practice": _practice(referral.practice_id),
        "center": _center(referral.center_id),
        "alias": referral.alias,
        "patient": {**referral.details["patient"], "alias": referral.alias},
        "product_id": referral.product_id,
        "urgency": referral.urgency,
        "clock": {"owner": referral.owner, "since": instant(referral.stage_since)},
        "journey": _journey(referral),
        "actions": _actions(referral, member),
        "packet": _packet(referral),
        "window": window_told(referral.window, notices) if referral.window else None,
        "disclaimers": list(STATEMENTS),
        "emergency_note": EMERGENCY_NOTE,
    }
    sections = ("clinical", "insurance", "referring_provider", "consent_to_share", "note")
    return told | {name: referral.details.get(name) for name in sections}


def window_told(window: Window, notices: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """A monitoring window with its dated days."""
    return {
        "time_zone": window.time_zone,
        "infused_on": window.infused_on.isoformat(),
        "ends_on": window.ends_on.isoformat(),
        "label_as_of": window.profile.label_as_of.isoformat(),
        "milestones": [
            {
                "day": milestone.day,
                "on": milestone.on.isoformat(),
                "kind": milestone.kind,
                "label": LABELS[milestone.kind],
            }
            for milestone in window.milestones
        ],
        "extensions": [],
        "notices": list(notices),
    }


def summary_told(summary: Summary) -> dict[str, Any]:
    """A row of a list."""
    facts = FACTS[summary.stage]
    return {
        "referral_id": summary.referral_id,
        "alias": summary.alias,
        "patient": summary.patient,
        "stage": summary.stage,
        "stage_label": facts.label,
        "phase": facts.phase,
        "owner": facts.owner,
        "stage_since": instant(summary.stage_since),
        "product_id": summary.product_id,
        "disease": summary.disease,
        "urgency": summary.urgency,
        "practice": _practice(summary.practice_id),
        "center": _center(summary.center_id),
        "updated_at": instant(summary.updated_at),
        "version": summary.version,
    }


def event_told(event: LoggedEvent) -> dict[str, Any]:
    """A row of the timeline."""
    change = event.change
    return {
        "event_id": change.event_id,
        "type": "stage.changed",
        "stage": change.stage,
        "stage_label": FACTS[change.stage].label,
        "occurred_at": instant(change.occurred_at),
        "recorded_at": instant(change.recorded_at),
        "source": change.source,
        "actor_name": change.actor_name,
        "sequence": change.sequence,
        "part": change.part,
        "of": change.of,
        "local_date": change.local_date.isoformat() if change.local_date else None,
        "reason_code": change.reason_code,
        "note": change.note,
        "status": event.status,
    }


def center_told(center: Center) -> dict[str, Any]:
    """A center of the directory."""
    return {
        **center.facts,
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
    }


def _practice(practice_id: str) -> dict[str, Any]:
    tenant = wiring.practice(practice_id)
    return {"tenant_id": practice_id, "name": tenant.name if tenant else None}


def _center(center_id: str | None) -> dict[str, Any] | None:
    center = wiring.stores().tenants.center(center_id)
    if center is None:
        return None
    phones = {name: center.facts.get(name) for name in ("intake_phone", "after_hours_phone")}
    return {
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
        **phones,
    }


def _journey(referral: Referral) -> list[dict[str, Any]]:
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


def _actions(referral: Referral, member: Member) -> list[dict[str, Any]]:
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
                "needs": ["part", "of", "local_date"] if stage is Stage.INFUSED else [],
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


def _packet(referral: Referral) -> dict[str, Any]:
    absent = missing(packet_of(referral))
    return {
        "complete": not absent,
        "present": len(NEEDED) - len(absent),
        "needed": len(NEEDED),
        "missing": [{"pointer": item.pointer, "label": item.label} for item in absent],
    }
