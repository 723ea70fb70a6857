"""Decides about events besides the stage: holds, withdrawal requests, planned dates, and reports about care."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.care_events import decide_adverse_event, decide_bridging, decide_relapse
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    ConsultationRequested,
    CoverageChanged,
    DocumentArrivalReported,
    DocumentDeleted,
    DocumentShared,
    FactsChanged,
    HoldEnded,
    HoldStarted,
    InformationAnswered,
    InformationClosed,
    MessageSent,
    PlanChanged,
    ReferralEvent,
    RelapseReported,
    ToxicityNoticed,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.information_requests import keep_in_history
from chalicelib.domain.referrals.planned_dates import decide_plan
from chalicelib.domain.referrals.referral import Hold, Referral
from chalicelib.domain.referrals.stage_changes import (
    REJECTED_CLOSED,
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from

REJECTED_OTHER_SIDE = Rejected("not_your_move", "Only the other organization can record this.")


def _find_reason_to_stop(
    referral: Referral, event: ReferralEvent, context: DecisionContext, *, by: frozenset[Actor]
) -> Rejected | Recorded | None:
    """Find why an event changes nothing: the wrong actor, or a referral that has ended.

    On an ended referral a late event is kept in the history; a later one is rejected.
    """
    if event.actor not in by:
        return REJECTED_OTHER_SIDE
    if referral.stage not in TERMINAL_STAGES:
        return None
    return (
        Recorded(with_next_version(referral, event, context))
        if _is_before_ending(referral, event)
        else (REJECTED_CLOSED)
    )


def _is_before_ending(referral: Referral, event: ReferralEvent) -> bool:
    return referral.last_applied_order is not None and event.order < referral.last_applied_order


_CENTER = frozenset({Actor.CENTER})
_PRACTICE = frozenset({Actor.PRACTICE})
_EITHER = _CENTER | _PRACTICE


def _decide_hold(referral: Referral, event: HoldStarted | HoldEnded, context: DecisionContext) -> Decision:
    """Start or end a hold; of two hold events, the one that was true later counts."""
    stop = _find_reason_to_stop(referral, event, context, by=_EITHER)
    if stop:
        return stop
    last_hold_order = referral.status.hold_head
    if last_hold_order is not None and event.order < last_hold_order:
        return Recorded(with_next_version(referral, event, context))
    hold = None
    if isinstance(event, HoldStarted):
        hold = Hold(since=event.occurred_at, reason_code=event.reason_code, until=event.until, by=event.actor)
    return _with_status(referral, event, context, hold=hold, hold_head=event.order)


def _decide_withdrawal_request(referral: Referral, event: WithdrawalRequested, context: DecisionContext) -> Decision:
    """Record the practice's request to the center, once the practice can no longer withdraw alone."""
    stop = _find_reason_to_stop(referral, event, context, by=_PRACTICE)
    if stop:
        return stop
    if Stage.WITHDRAWN in list_transitions_from(referral.stage):
        return Rejected("withdraw_directly", "You can withdraw this referral yourself. Use “Withdraw the referral.”")
    first_requested_at = min(referral.status.withdrawal_requested_at or event.occurred_at, event.occurred_at)
    return _with_status(referral, event, context, withdrawal_requested_at=first_requested_at)


def _decide_time_request(referral: Referral, event: ConsultationRequested, context: DecisionContext) -> Decision:
    """Accept the practice's question for a consultation time, on an open referral."""
    stop = _find_reason_to_stop(referral, event, context, by=_PRACTICE)
    if stop:
        return stop
    if referral.stage is Stage.DRAFT:
        return Pending()
    return Applied(with_next_version(referral, event, context))


def _with_status(referral: Referral, event: ReferralEvent, context: DecisionContext, **changes: Any) -> Applied:
    status = replace(referral.status, **changes)
    return Applied(with_next_version(replace(referral, status=status), event, context))


def _keep_change(referral: Referral, event: FactsChanged | CoverageChanged, context: DecisionContext) -> Decision:
    """Keep in the history that facts or the coverage changed. The status does not depend on them."""
    return Recorded(with_next_version(referral, event, context))


STATUS_DECIDERS: Mapping[type[ReferralEvent], Callable[..., Decision]] = {
    HoldStarted: _decide_hold,
    HoldEnded: _decide_hold,
    ToxicityNoticed: decide_adverse_event,
    AdverseEventReported: decide_adverse_event,
    RelapseReported: decide_relapse,
    BridgingReported: decide_bridging,
    WithdrawalRequested: _decide_withdrawal_request,
    InformationAnswered: keep_in_history,
    InformationClosed: keep_in_history,
    MessageSent: keep_in_history,
    DocumentShared: keep_in_history,
    DocumentDeleted: keep_in_history,
    DocumentArrivalReported: keep_in_history,
    FactsChanged: _keep_change,
    PlanChanged: decide_plan,
    ConsultationRequested: _decide_time_request,
    CoverageChanged: _keep_change,
}
