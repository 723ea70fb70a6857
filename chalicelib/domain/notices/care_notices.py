"""The notices of reports about the patient's care: who is notified, how urgently, and with which details.

The other side is notified of what one side reported. Titles in stored notices are in clear text, so the
kind and the grade are in the details, which are stored encrypted.
"""

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.adverse_events import (
    ADVERSE_EVENT_FACTS,
    AdverseEventKind,
    AdverseEventStatus,
    format_adverse_event,
    is_urgent,
)
from chalicelib.domain.referrals.care_events import to_adverse_event_report
from chalicelib.domain.referrals.care_terms import BRIDGING_STATUS_LABELS, RELAPSE_STATUS_LABELS, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    ReferralEvent,
    RelapseReported,
    ToxicityNoticed,
)
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.stages import Actor

ADVERSE_EVENT_URGENT_RULE = "adverse_event.urgent"
"""A severe, ungraded or fast-worsening adverse event."""

ADVERSE_EVENT_RESOLVED_RULE = "adverse_event.resolved"

READMISSION_RULE = "readmission"
"""A readmission is a kind of adverse event. It has its own rule, so the other side is notified of it by name."""

_OTHER_SIDE = {Actor.CENTER: TenantKind.PRACTICE, Actor.PRACTICE: TenantKind.CENTER}


def find_side_to_notify(event: ReferralEvent) -> TenantKind | None:
    """The side that did not report; None if the event is not about the patient's care."""
    is_care = isinstance(event, ToxicityNoticed | AdverseEventReported | RelapseReported | BridgingReported)
    return _OTHER_SIDE.get(event.actor) if is_care else None


def find_adverse_event_rule(event: ReferralEvent) -> str | None:
    """The rule of an adverse event, by its kind, grade and status; None for the rule of its type."""
    if not isinstance(event, ToxicityNoticed | AdverseEventReported):
        return None
    report = to_adverse_event_report(event)
    if report.status is AdverseEventStatus.RESOLVED:
        return ADVERSE_EVENT_RESOLVED_RULE
    if report.kind is AdverseEventKind.READMISSION:
        return READMISSION_RULE
    if isinstance(event, ToxicityNoticed):
        # A system that sends the older form is notified of as before: always at once.
        return None if event.actor is Actor.CENTER else ADVERSE_EVENT_URGENT_RULE
    return ADVERSE_EVENT_URGENT_RULE if is_urgent(report.kind, report.grade) else None


def describe_care_event(event: ReferralEvent, *, time_zone: str) -> str:
    """What was reported, by whom, when it was true, and what to do first. Empty for other events."""
    what = _describe(event)
    if not what:
        return ""
    on = format_date(to_local_day(event.occurred_at, time_zone))
    return f"{what}, {on}. Reported by {event.actor_name}.{_describe_advice(event)}"


def _describe(event: ReferralEvent) -> str:
    match event:
        case ToxicityNoticed() | AdverseEventReported():
            report = to_adverse_event_report(event)
            is_resolved = report.status is AdverseEventStatus.RESOLVED
            return format_adverse_event(report.kind, report.grade) + (", resolved" if is_resolved else "")
        case RelapseReported():
            return RELAPSE_STATUS_LABELS[event.status or RelapseStatus.CONFIRMED]
        case BridgingReported():
            return BRIDGING_STATUS_LABELS[event.status]
    return ""


def _describe_advice(event: ReferralEvent) -> str:
    if not isinstance(event, ToxicityNoticed | AdverseEventReported):
        return ""
    report = to_adverse_event_report(event)
    advice = ADVERSE_EVENT_FACTS[report.kind].advice
    if advice is None or report.status is AdverseEventStatus.RESOLVED:
        return ""
    return f" {advice.text} Source: {advice.source}."
