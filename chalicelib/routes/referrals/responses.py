"""Referrals as the API returns them. Times are RFC 3339 in UTC, days are dates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib import catalog, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE
from chalicelib.domain.referrals.history_start import REFERRED_ON
from chalicelib.domain.referrals.monitoring_window import (
    MonitoringWindow,
    label_milestone,
    name_longest_minimum,
    to_local_day,
)
from chalicelib.domain.referrals.packet import REQUIRED_ITEMS, build_packet, list_missing_items
from chalicelib.domain.referrals.reason_codes import describe_outcome
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS
from chalicelib.domain.referrals.unfinished import list_unfinished
from chalicelib.domain.referrals.worklists import ListViewer, StageSummary, summarize_stage
from chalicelib.routes.coverage.summary_responses import (
    to_coverage_summary_response,
    to_warning_responses,
)
from chalicelib.routes.platform.label_responses import to_label_response
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.care_responses import list_open_adverse_events, to_care_response
from chalicelib.routes.referrals.change_responses import to_fact_state_response
from chalicelib.routes.referrals.journey_responses import (
    list_reportable_events,
    to_actions_response,
    to_journey_response,
)
from chalicelib.routes.referrals.plan_responses import to_plans_response
from chalicelib.routes.referrals.product_responses import to_product_response
from chalicelib.routes.referrals.referral_part_types import (
    ContradictionResponse,
    HoldResponse,
    MonitoringWindowResponse,
    OutcomeReasonResponse,
    PacketResponse,
    PlannedNoticeResponse,
    TurnaroundResponse,
    UnfinishedValueResponse,
)
from chalicelib.routes.referrals.response_types import (
    PossibleDuplicateResponse,
    ReferralResponse,
    ReportResultResponse,
)
from chalicelib.routes.referrals.tenant_responses import build_center, build_practice
from chalicelib.services.notices.planned_list import PlannedNotice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.services.referrals.routing_hints import find_hints_of_referral
from chalicelib.services.referrals.unread import NOTHING_UNREAD, UnreadCounts
from chalicelib.store.referrals.items import ReferralSummary


def build_referral_etag(referral: Referral) -> dict[str, str]:
    """The referral's version as an ETag."""
    return {"ETag": f'"{referral.version}"'}


def to_referral_response(
    referral: Referral,
    member: Member,
    *,
    viewer: ListViewer,
    notices: Sequence[PlannedNotice] = (),
    unread: UnreadCounts = NOTHING_UNREAD,
) -> ReferralResponse:
    """A referral for a member who can see it."""
    run_context = RunContext(wiring.get_stores(), viewer.now)
    context = load_decision_context(referral, context=run_context)
    details, status = referral.details, referral.status
    requested_at = status.withdrawal_requested_at
    practice, center = build_practice(referral.practice_id), build_center(referral.center_id)
    names = {TenantKind.PRACTICE: practice["name"], TenantKind.CENTER: center["name"] if center else None}
    today = get_practice_day(referral.practice_id, context=run_context)
    return {
        "referral_id": referral.referral_id,
        "version": referral.version,
        "stage": referral.stage,
        "stage_label": STAGE_FACTS[referral.stage].label,
        "phase": referral.phase,
        "stage_since": format_timestamp(referral.stage_since),
        "created_at": format_timestamp(referral.created_at),
        "updated_at": format_timestamp(referral.updated_at),
        "submitted_at": format_timestamp(referral.submitted_at) if referral.submitted_at else None,
        "referred_on": details.get(REFERRED_ON),
        "changed_since_seen": unread.has_changes,
        "requested_items": summarize_stage(referral).requested_items,
        "unread_messages": unread.messages,
        "practice": practice,
        "center": center,
        "alias": referral.alias,
        "patient": {**details["patient"], "alias": referral.alias},
        "product_id": referral.product_id,
        "product": to_product_response(referral),
        "urgency": referral.urgency,
        "clock": _build_turnaround(summarize_stage(referral), viewer),
        "journey": to_journey_response(referral),
        "actions": to_actions_response(referral, member, names),
        "may_report": [*list_reportable_events(referral, member, context)],
        "packet": _build_packet(referral),
        "coverage": to_coverage_summary_response(referral, today=today, time_zone=context.time_zone),
        "window": to_window_response(referral, referral.window, notices, now=viewer.now) if referral.window else None,
        "hold": _build_hold(referral),
        "outcome": _build_outcome(None if summarize_stage(referral).replanned else status.reason_code),
        "contradiction": _build_contradiction(referral),
        "revisit_on": status.revisit_on.isoformat() if status.revisit_on else None,
        "suggested_center_id": status.suggested_center_id,
        "first_visit_on": status.first_visit_on.isoformat() if status.first_visit_on else None,
        "withdrawal_requested_at": format_timestamp(requested_at) if requested_at else None,
        **to_care_response(referral),
        **to_plans_response(referral, context),
        "missing_updates": list(status.feed.missing),
        "updates_lost": status.updates_lost,
        "continues": status.continues,
        "continued_by": status.continued_by,
        "routing_hints": [
            {"kind": hint.kind, "pointer": hint.pointer, "message": hint.message}
            for hint in find_hints_of_referral(referral, context=run_context)
        ],
        "disclaimers": list(DISCLAIMERS),
        "emergency_note": EMERGENCY_NOTE,
        "clinical": details["clinical"],
        "insurance": details.get("insurance"),
        "referring_provider": details["referring_provider"],
        "consent_to_share": details.get("consent_to_share"),
        "none_because": details.get("none_because") or [],
        "center_contact": details.get("center_contact"),
        **to_fact_state_response(referral, member, today=today),
        "note": details.get("note"),
        "unfinished": [] if referral.submitted_at else [_to_unfinished(each) for each in list_unfinished(details)],
    }


def _to_unfinished(value: Mapping[str, Any]) -> UnfinishedValueResponse:
    return {"pointer": value["pointer"], "value": value["value"]}


def _build_turnaround(stage_summary: StageSummary, viewer: ListViewer) -> TurnaroundResponse:
    """Who acts next, since when, and how long that usually takes."""
    turnaround = stage_summary.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone)
    return {
        "owner": stage_summary.owner,
        "since": format_timestamp(turnaround.since),
        "expected_by": turnaround.expected_by.isoformat() if turnaround.expected_by else None,
        "amber_on": turnaround.amber_on.isoformat() if turnaround.amber_on else None,
        "red_on": turnaround.red_on.isoformat() if turnaround.red_on else None,
        "level": turnaround.level,
        "unit": turnaround.unit,
        "source": turnaround.source,
    }


def _build_hold(referral: Referral) -> HoldResponse | None:
    hold = referral.status.hold
    if hold is None:
        return None
    return {
        "since": format_timestamp(hold.since),
        "reason_code": hold.reason_code,
        "expected_until": hold.until.isoformat() if hold.until else None,
        "by": hold.by,
    }


def _build_contradiction(referral: Referral) -> ContradictionResponse | None:
    """An ending and a step after it that cannot both be right."""
    found = referral.status.contradiction
    if found is None:
        return None
    return {
        "ending": found.ending,
        "ending_label": STAGE_FACTS[found.ending].label,
        "ending_event_id": found.ending_id,
        "ended_at": format_timestamp(found.ended_at),
        "reported_by": found.reported_by,
        "step": found.step,
        "step_label": STAGE_FACTS[found.step].label,
        "step_at": format_timestamp(found.step_at),
        "is_ended": referral.stage is found.ending,
    }


def _build_outcome(reason_code: str | None) -> OutcomeReasonResponse | None:
    """Why the referral ended or waits."""
    if reason_code is None:
        return None
    outcome = describe_outcome(reason_code)
    return {"reason_code": outcome.reason_code, "label": outcome.label, "next_step": outcome.next_step}


def to_window_response(
    referral: Referral, window: MonitoringWindow, notices: Sequence[PlannedNotice], *, now: datetime
) -> MonitoringWindowResponse:
    """A referral's monitoring window with its dates, its open adverse events and its notices."""
    product = catalog.load_products().get(window.profile.product_id)
    ended_on = to_local_day(referral.ended_at, window.time_zone) if referral.ended_at else None
    return {
        "time_zone": window.time_zone,
        "infused_on": window.infused_on.isoformat(),
        "ends_on": window.ends_on.isoformat(),
        "ended_on": ended_on.isoformat() if ended_on else None,
        "label_as_of": window.profile.label_as_of.isoformat(),
        "catalogue_version": window.profile.version,
        "product_named": window.profile.is_product_named,
        "product_name": product.name if product else None,
        "milestones": [
            {
                "day": milestone.day,
                "on": milestone.on.isoformat(),
                "kind": milestone.kind,
                "label": label_milestone(milestone.kind, is_product_named=window.profile.is_product_named),
            }
            for milestone in window.milestones
            if not (referral.died_at and ended_on and milestone.on > ended_on)
        ],
        "extensions": [
            {
                "ends_on": extension.ends_on.isoformat(),
                "told_at": format_timestamp(extension.order.occurred_at),
                "reason_code": extension.reason_code,
            }
            for extension in window.extensions
        ],
        "late_effects": [effect["text"] for effect in product.facts["late_effects"]] if product else [],
        "label": to_label_response(product, "monitoring", "warnings", today=now.date()) if product else None,
        "open_adverse_events": list_open_adverse_events(referral),
        "notices": [_to_planned_notice_response(notice) for notice in notices],
    }


def _to_planned_notice_response(notice: PlannedNotice) -> PlannedNoticeResponse:
    return {
        "rule": notice.rule,
        "title": name_longest_minimum(
            NOTICE_SCHEDULE[notice.rule].title, is_product_named=notice.task.is_product_named
        ),
        "due_on": notice.due_on.isoformat(),
        "sides": list(notice.sides),
        "state": notice.state,
        "why": notice.skip_reason,
    }


def to_possible_duplicate_response(summary: ReferralSummary) -> PossibleDuplicateResponse:
    """A referral that may be about the same patient; without names, which the reader has already."""
    stage = summary.stage_summary.stage
    return {
        "referral_id": summary.referral_id,
        "alias": summary.alias,
        "stage": stage,
        "stage_label": STAGE_FACTS[stage].label,
        "practice": build_practice(summary.practice_id),
        "center": build_center(summary.center_id),
        "updated_at": format_timestamp(summary.updated_at),
    }


def to_report_response(result: ReportResult) -> ReportResultResponse:
    """What a reported event changed; the same for a member and for a center's system."""
    response: ReportResultResponse = {
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "stage": result.stage,
    }
    if result.contradiction:
        response["contradiction"] = True
    if result.waiting_for:
        response["waiting_for"] = list(result.waiting_for)
    if result.warnings:
        response["warnings"] = to_warning_responses(list(result.warnings))
    return response


def _build_packet(referral: Referral) -> PacketResponse:
    missing = list_missing_items(build_packet(referral))
    label_by_pointer = {item.pointer: item.label for item in REQUIRED_ITEMS}
    return {
        "complete": not missing,
        "present": len(REQUIRED_ITEMS) - len(missing),
        "needed": len(REQUIRED_ITEMS),
        "missing": [{"pointer": item.pointer, "label": item.label} for item in missing],
        "none_because": [
            {"pointer": answer["item"], "label": label_by_pointer[answer["item"]], "reason": answer["reason"]}
            for answer in referral.details.get("none_because") or ()
        ],
    }
