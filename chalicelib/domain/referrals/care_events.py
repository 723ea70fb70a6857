"""Decides what reports about the patient's care do: adverse events, relapse, and bridging therapy.

They never change the stage. Either side reports them, also late and after the referral has ended.
What is known is computed from all reports, so the order of arrival does not matter.
"""

from datetime import timedelta

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.adverse_events import AdverseEventStatus, parse_kind
from chalicelib.domain.referrals.care_reports import AdverseEventReport, BridgingReport, CareReports, RelapseReport
from chalicelib.domain.referrals.care_terms import RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    EventSource,
    ReferralEvent,
    RelapseReported,
    ToxicityNoticed,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage

CARE_EVENTS = (ToxicityNoticed, AdverseEventReported, RelapseReported, BridgingReported)
"""The events that this module decides. A correction can take each of them back."""

REPEATED_WITHIN = timedelta(hours=36)
"""A system that sends its current data every night repeats itself within this time. This product's choice."""

_REJECTED_OTHER_ACTOR = Rejected(
    "not_your_move", "Only the treatment center or the referring practice can report this."
)
_REPORTERS = frozenset({Actor.CENTER, Actor.PRACTICE})


def decide_adverse_event(
    referral: Referral, event: AdverseEventReported | ToxicityNoticed, context: DecisionContext
) -> Decision:
    """Record an adverse event at any time after the infusion; parked until the infusion is known.

    A repeat by a center's system without any change notifies no one, and neither does a report about
    a patient who has died.
    """
    if event.actor not in _REPORTERS:
        return _REJECTED_OTHER_ACTOR
    if not _is_infused(referral):
        return Pending()
    report = to_adverse_event_report(event)
    updated = _with_care(referral, event, context, referral.care.with_adverse_event(report))
    is_silent = referral.stage is Stage.DECEASED or _is_nightly_repeat(referral.care, report, event)
    return Recorded(updated) if is_silent else Applied(updated)


def decide_relapse(referral: Referral, event: RelapseReported, context: DecisionContext) -> Decision:
    """Record a relapse at any time after the infusion; parked until the infusion is known."""
    if event.actor not in _REPORTERS:
        return _REJECTED_OTHER_ACTOR
    if not _is_infused(referral):
        return Pending()
    report = RelapseReport(order=event.order, by=event.actor, status=event.status or RelapseStatus.CONFIRMED)
    updated = _with_care(referral, event, context, referral.care.with_relapse(report))
    return Recorded(updated) if referral.stage is Stage.DECEASED else Applied(updated)


def decide_bridging(referral: Referral, event: BridgingReported, context: DecisionContext) -> Decision:
    """Record bridging therapy from the submission on; parked until the submission is known.

    It bridges the time until lymphodepletion. A report after that, or after the referral has ended,
    is history.
    """
    if event.actor not in _REPORTERS:
        return _REJECTED_OTHER_ACTOR
    if referral.submitted_at is None:
        return Pending()
    report = BridgingReport(
        order=event.order,
        by=event.actor,
        status=event.status,
        given_by=event.by,
        regimen=event.regimen,
        response=event.response,
    )
    updated = _with_care(referral, event, context, referral.care.with_bridging(report))
    is_over = referral.stage in TERMINAL_STAGES or _is_infused(referral) or _is_lymphodepleted(referral)
    return Recorded(updated) if is_over else Applied(updated)


def to_adverse_event_report(event: AdverseEventReported | ToxicityNoticed) -> AdverseEventReport:
    """Convert either form of the event to what the state keeps of it."""
    if isinstance(event, ToxicityNoticed):
        return AdverseEventReport(order=event.order, by=event.actor, kind=parse_kind(event.kind), grade=event.grade)
    return AdverseEventReport(
        order=event.order,
        by=event.actor,
        kind=event.kind,
        grade=event.grade,
        status=event.status or (AdverseEventStatus.RESOLVED if event.resolved_on else AdverseEventStatus.ONGOING),
        resolved_on=event.resolved_on,
    )


def _is_nightly_repeat(care: CareReports, report: AdverseEventReport, event: ReferralEvent) -> bool:
    """Whether a center's system says again what it said less than two nights before."""
    previous = care.find_report_before(report)
    if previous is None or event.source is not EventSource.CENTER_FEED or event.note:
        return False
    is_unchanged = replace(previous, order=report.order) == report
    return is_unchanged and report.order.occurred_at - previous.order.occurred_at <= REPEATED_WITHIN


def _is_infused(referral: Referral) -> bool:
    return Stage.INFUSED in referral.stage_entered_at


def _is_lymphodepleted(referral: Referral) -> bool:
    return Stage.LYMPHODEPLETION_STARTED in referral.stage_entered_at


def _with_care(referral: Referral, event: ReferralEvent, context: DecisionContext, care: CareReports) -> Referral:
    return with_next_version(replace(referral, care=care), event, context)
