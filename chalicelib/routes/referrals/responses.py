"""Domain values as the API tells them. Times are RFC 3339 in UTC, days are dates."""

from collections.abc import Sequence
from typing import Any

from chalicelib import catalog, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE
from chalicelib.domain.referrals.monitoring_window import MILESTONE_LABELS, MonitoringWindow
from chalicelib.domain.referrals.packet import REQUIRED_ITEMS, build_packet, list_missing_items
from chalicelib.domain.referrals.reason_codes import describe_outcome
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS
from chalicelib.domain.referrals.worklists import ListViewer, StageSummary, summarize_stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.journey_responses import (
    list_reportable_events,
    to_actions_response,
    to_journey_response,
)
from chalicelib.services.notices.planned_list import PlannedNotice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.event_writes import load_decision_context
from chalicelib.store.identity.members_and_tenants import Center
from chalicelib.store.referrals.items import ReferralSummary


def build_referral_etag(referral: Referral) -> dict[str, str]:
    """The version as HTTP spells it."""
    return {"ETag": f'"{referral.version}"'}


def to_referral_response(
    referral: Referral,
    member: Member,
    *,
    viewer: ListViewer,
    notices: Sequence[PlannedNotice] = (),
    changed_since_seen: bool = False,
) -> dict[str, Any]:
    """A referral for a member who may see it."""
    facts = STAGE_FACTS[referral.stage]
    setting = load_decision_context(referral, context=RunContext(wiring.get_stores(), viewer.now))
    response: dict[str, Any] = {
        "referral_id": referral.referral_id,
        "version": referral.version,
        "stage": referral.stage,
        "stage_label": facts.label,
        "phase": referral.phase,
        "stage_since": format_timestamp(referral.stage_since),
        "created_at": format_timestamp(referral.created_at),
        "updated_at": format_timestamp(referral.updated_at),
        "submitted_at": format_timestamp(referral.submitted_at) if referral.submitted_at else None,
        "changed_since_seen": changed_since_seen,
        "practice": _build_practice(referral.practice_id),
        "center": _build_center(referral.center_id),
        "alias": referral.alias,
        "patient": {**referral.details["patient"], "alias": referral.alias},
        "product_id": referral.product_id,
        "urgency": referral.urgency,
        "clock": _build_turnaround(summarize_stage(referral), viewer),
        "journey": to_journey_response(referral),
        "actions": to_actions_response(referral, member),
        "may_report": list_reportable_events(referral, member, setting),
        "packet": _build_packet(referral),
        "window": to_window_response(referral.window, notices) if referral.window else None,
        **_build_status(referral),
        "disclaimers": list(DISCLAIMERS),
        "emergency_note": EMERGENCY_NOTE,
    }
    sections = ("clinical", "insurance", "referring_provider", "consent_to_share", "note")
    return response | {name: referral.details.get(name) for name in sections}


def _build_turnaround(stage_summary: StageSummary, viewer: ListViewer) -> dict[str, Any]:
    """Whose move it is, since when, and how that stands against what is usual."""
    clock = stage_summary.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone)
    dates = {"expected_by": clock.expected_by, "amber_on": clock.amber_on, "red_on": clock.red_on}
    return {
        "owner": stage_summary.owner,
        "since": format_timestamp(clock.since),
        **{name: day.isoformat() if day else None for name, day in dates.items()},
        "level": clock.level,
        "unit": clock.unit,
        "source": clock.source,
    }


def _build_status(referral: Referral) -> dict[str, Any]:
    """What lies over the stage: a hold, why it ended, what is missing, what it is linked to."""
    overlay, hold = referral.status, referral.status.hold
    asked, toxicity = overlay.withdrawal_requested_at, overlay.toxicity_at
    return {
        "hold": hold
        and {
            "since": format_timestamp(hold.since),
            "reason_code": hold.reason_code,
            "expected_until": hold.until.isoformat() if hold.until else None,
            "by": hold.by,
        },
        "outcome": describe_outcome(overlay.reason_code),
        "revisit_on": overlay.revisit_on.isoformat() if overlay.revisit_on else None,
        "suggested_center_id": overlay.suggested_center_id,
        "first_visit_on": overlay.first_visit_on.isoformat() if overlay.first_visit_on else None,
        "withdrawal_requested_at": format_timestamp(asked) if asked else None,
        "toxicity_noticed_at": format_timestamp(toxicity) if toxicity else None,
        "missing_updates": list(overlay.feed.missing),
        "updates_lost": overlay.updates_lost,
        "continues": overlay.continues,
        "continued_by": overlay.continued_by,
    }


def to_window_response(window: MonitoringWindow, notices: Sequence[PlannedNotice]) -> dict[str, Any]:
    """A monitoring window with its dated days, and what is told of them."""
    product = catalog.load_products().get(window.profile.product_id)
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
                "label": MILESTONE_LABELS[milestone.kind],
            }
            for milestone in window.milestones
        ],
        "extensions": [
            {
                "ends_on": e.ends_on.isoformat(),
                "told_at": format_timestamp(e.order.occurred_at),
                "reason_code": e.reason_code,
            }
            for e in window.extensions
        ],
        "late_effects": [each["text"] for each in product.facts["late_effects"]] if product else [],
        "notices": [
            {
                "rule": notice.rule,
                "title": NOTICE_SCHEDULE[notice.rule].title,
                "due_on": notice.due_on.isoformat(),
                "sides": list(notice.sides),
                "state": notice.state,
                "why": notice.skip_reason,
            }
            for notice in notices
        ],
    }


def to_summary_response(summary: ReferralSummary, viewer: ListViewer, *, changed_since_seen: bool) -> dict[str, Any]:
    """A row of a list."""
    standing = summary.stage_summary
    facts = STAGE_FACTS[standing.stage]
    clock = standing.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone)
    return {
        "referral_id": summary.referral_id,
        "alias": summary.alias,
        "patient": summary.patient,
        "stage": standing.stage,
        "stage_label": facts.label,
        "phase": facts.phase,
        "owner": standing.owner,
        "stage_since": format_timestamp(standing.since),
        "clock_level": clock.level,
        "expected_by": clock.expected_by.isoformat() if clock.expected_by else None,
        "window_ends_on": standing.window_ends_on.isoformat() if standing.window_ends_on else None,
        "missing_updates": standing.has_gap,
        "product_id": summary.product_id,
        "disease": summary.disease,
        "urgency": summary.urgency,
        "practice": _build_practice(summary.practice_id),
        "center": _build_center(summary.center_id),
        "updated_at": format_timestamp(summary.updated_at),
        "version": summary.version,
        "changed_since_seen": changed_since_seen,
    }


def to_center_response(center: Center) -> dict[str, Any]:
    """A center of the directory."""
    return {
        **center.listing,
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
    }


def _build_practice(practice_id: str) -> dict[str, Any]:
    tenant = wiring.get_stores().tenants.get_cached(TenantKind.PRACTICE, practice_id)
    return {"tenant_id": practice_id, "name": tenant.name if tenant else None}


def _build_center(center_id: str | None) -> dict[str, Any] | None:
    center = wiring.get_stores().tenants.get_center(center_id)
    if center is None:
        return None
    phones = {name: center.listing.get(name) for name in ("intake_phone", "after_hours_phone")}
    return {"center_id": center.center_id, "name": center.tenant.name, "time_zone": center.tenant.time_zone, **phones}


def _build_packet(referral: Referral) -> dict[str, Any]:
    absent = list_missing_items(build_packet(referral))
    return {
        "complete": not absent,
        "present": len(REQUIRED_ITEMS) - len(absent),
        "needed": len(REQUIRED_ITEMS),
        "missing": [{"pointer": item.pointer, "label": item.label} for item in absent],
    }
