"""Domain values as the API tells them. Times are RFC 3339 in UTC, days are dates."""

from collections.abc import Sequence
from typing import Any

from chalicelib import catalogue, wiring
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_NOTE, STATEMENTS
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_schedule import SCHEDULE
from chalicelib.domain.referrals.monitoring_window import LABELS, Window
from chalicelib.domain.referrals.packet import NEEDED, missing, packet_of
from chalicelib.domain.referrals.reason_codes import outcome_of
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import FACTS
from chalicelib.domain.referrals.worklists import Reader, Standing, standing_of
from chalicelib.routes.platform.timestamps import instant
from chalicelib.routes.referrals.journey_responses import actions_told, journey_told, may_report
from chalicelib.services.notices.planned_list import PlannedNotice
from chalicelib.services.referrals.event_writes import setting_of
from chalicelib.store.identity.members_and_tenants import Center
from chalicelib.store.referrals.items import Summary


def etag(referral: Referral) -> dict[str, str]:
    """The version as HTTP spells it."""
    return {"ETag": f'"{referral.version}"'}


def referral_told(
    referral: Referral,
    member: Member,
    *,
    reader: Reader,
    notices: Sequence[PlannedNotice] = (),
    changed_since_seen: bool = False,
) -> dict[str, Any]:
    """A referral for a member who may see it."""
    facts = FACTS[referral.stage]
    setting = setting_of(referral, stores=wiring.stores(), now=reader.now)
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
        "changed_since_seen": changed_since_seen,
        "practice": _practice(referral.practice_id),
        "center": _center(referral.center_id),
        "alias": referral.alias,
        "patient": {**referral.details["patient"], "alias": referral.alias},
        "product_id": referral.product_id,
        "urgency": referral.urgency,
        "clock": _clock(standing_of(referral), reader),
        "journey": journey_told(referral),
        "actions": actions_told(referral, member),
        "may_report": may_report(referral, member, setting),
        "packet": _packet(referral),
        "window": window_told(referral.window, notices) if referral.window else None,
        **_overlay(referral),
        "disclaimers": list(STATEMENTS),
        "emergency_note": EMERGENCY_NOTE,
    }
    sections = ("clinical", "insurance", "referring_provider", "consent_to_share", "note")
    return told | {name: referral.details.get(name) for name in sections}


def _clock(standing: Standing, reader: Reader) -> dict[str, Any]:
    """Whose move it is, since when, and how that stands against what is usual."""
    clock = standing.clock(now=reader.now, time_zone=reader.time_zone)
    dates = {
        "expected_by": clock.expected_by,
        "amber_on": clock.amber_on,
        "red_on": clock.red_on,
    }
    return {
        "owner": standing.owner,
        "since": instant(clock.since),
        **{name: day.isoformat() if day else None for name, day in dates.items()},
        "level": clock.level,
        "unit": clock.unit,
        "source": clock.source,
    }


def _overlay(referral: Referral) -> dict[str, Any]:
    """What lies over the stage: a hold, why it ended, what is missing, what it is linked to."""
    overlay, hold = referral.overlay, referral.overlay.hold
    asked, toxicity = overlay.withdrawal_requested_at, overlay.toxicity_at
    return {
        "hold": hold
        and {
            "since": instant(hold.since),
            "reason_code": hold.reason_code,
            "expected_until": hold.until.isoformat() if hold.until else None,
            "by": hold.by,
        },
        "outcome": outcome_of(overlay.reason_code),
        "revisit_on": overlay.revisit_on.isoformat() if overlay.revisit_on else None,
        "suggested_center_id": overlay.suggested_center_id,
        "first_visit_on": overlay.first_visit_on.isoformat() if overlay.first_visit_on else None,
        "withdrawal_requested_at": instant(asked) if asked else None,
        "toxicity_noticed_at": instant(toxicity) if toxicity else None,
        "missing_updates": list(overlay.feed.missing),
        "updates_lost": overlay.updates_lost,
        "continues": overlay.continues,
        "continued_by": overlay.continued_by,
    }


def window_told(window: Window, notices: Sequence[PlannedNotice]) -> dict[str, Any]:
    """A monitoring window with its dated days, and what is told of them."""
    product = catalogue.products().get(window.profile.product_id)
    return {
        "time_zone": window.time_zone,
        "infused_on": window.infused_on.isoformat(),
        "ends_on": window.ends_on.isoformat(),
        "label_as_of": window.profile.label_as_of.isoformat(),
        "catalogue_version": window.profile.version,
        "milestones": [
            {
                "day": milestone.day,
                "on": milestone.on.isoformat(),
                "kind": milestone.kind,
                "label": LABELS[milestone.kind],
            }
            for milestone in window.milestones
        ],
        "extensions": [
            {
                "ends_on": e.ends_on.isoformat(),
                "told_at": instant(e.order.occurred_at),
                "reason_code": e.reason_code,
            }
            for e in window.extensions
        ],
        "late_effects": [each["text"] for each in product.facts["late_effects"]] if product else [],
        "notices": [
            {
                "rule": notice.rule,
                "title": SCHEDULE[notice.rule].title,
                "due_on": notice.due_on.isoformat(),
                "sides": list(notice.sides),
                "state": notice.state,
                "why": notice.why,
            }
            for notice in notices
        ],
    }


def summary_told(summary: Summary, reader: Reader, *, changed_since_seen: bool) -> dict[str, Any]:
    """A row of a list."""
    standing = summary.standing
    facts = FACTS[standing.stage]
    clock = standing.clock(now=reader.now, time_zone=reader.time_zone)
    return {
        "referral_id": summary.referral_id,
        "alias": summary.alias,
        "patient": summary.patient,
        "stage": standing.stage,
        "stage_label": facts.label,
        "phase": facts.phase,
        "owner": standing.owner,
        "stage_since": instant(standing.since),
        "clock_level": clock.level,
        "expected_by": clock.expected_by.isoformat() if clock.expected_by else None,
        "window_ends_on": standing.window_ends_on.isoformat() if standing.window_ends_on else None,
        "missing_updates": standing.has_gap,
        "product_id": summary.product_id,
        "disease": summary.disease,
        "urgency": summary.urgency,
        "practice": _practice(summary.practice_id),
        "center": _center(summary.center_id),
        "updated_at": instant(summary.updated_at),
        "version": summary.version,
        "changed_since_seen": changed_since_seen,
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
    tenant = wiring.stores().tenants.known(TenantKind.PRACTICE, practice_id)
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


def _packet(referral: Referral) -> dict[str, Any]:
    absent = missing(packet_of(referral))
    return {
        "complete": not absent,
        "present": len(NEEDED) - len(absent),
        "needed": len(NEEDED),
        "missing": [{"pointer": item.pointer, "label": item.label} for item in absent],
    }
