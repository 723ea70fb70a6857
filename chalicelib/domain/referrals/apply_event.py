"""Decides what every type of event does to a referral: to its stage and to its status.

A late event, one that was true before the current state, is kept in the history and does not
move the referral. An event that is not legal yet is parked. A correction replays the history.
Stage changes themselves are decided in `stage_changes`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.referrals.care_events import CARE_EVENTS, decide_adverse_event, decide_bridging, decide_relapse
from chalicelib.domain.referrals.care_reports import NO_REPORTS
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    Corrected,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    RelapseReported,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.monitoring_window import WindowExtension
from chalicelib.domain.referrals.referral import Hold, Referral, ReferralStatus
from chalicelib.domain.referrals.stage_changes import (
    REJECTED_CLOSED,
    STAGES_BEFORE_HANDBACK,
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    decide_stage_change,
    find_last_open_stage,
    reopen_monitoring_if_extended,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_transitions_from

_REJECTED_OTHER_SIDE = Rejected("not_your_move", "Only the other organization can record this.")
_STAGES_WITH_OPEN_WINDOW = STAGES_BEFORE_HANDBACK | {Stage.INFUSED}


def decide_event(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: Sequence[ReferralEvent] = ()
) -> Decision:
    """Decide what `event` does to `referral`.

    Args:
        referral: The current state.
        event: The reported event.
        context: The product's monitoring profile, the center's time zone, and the time.
        history: The events so far; required if `needs_history` returns true.
    """
    if isinstance(event, Corrected):
        return _decide_correction(referral, event, context, history)
    decision: Decision = _DECIDE_BY_TYPE[type(event)](referral, event, context)
    if referral.status.corrected and isinstance(decision, Applied | Recorded):
        # An event that a correction made illegal may be legal again after this event.
        return type(decision)(_replay_with_event(referral, event, context, history))
    return decision


def needs_history(referral: Referral, event: ReferralEvent) -> bool:
    """Whether the decision needs all earlier events of the referral."""
    return isinstance(event, Corrected) or referral.status.corrected


def _find_reason_to_stop(
    referral: Referral, event: ReferralEvent, context: DecisionContext, *, by: frozenset[Actor]
) -> Rejected | Recorded | None:
    """Find why an event changes nothing: the wrong actor, or a referral that has ended.

    On an ended referral a late event is kept in the history; a later one is rejected.
    """
    if event.actor not in by:
        return _REJECTED_OTHER_SIDE
    if referral.stage not in TERMINAL_STAGES:
        return None
    return Recorded(with_next_version(referral, event, context)) if _is_late(referral, event) else REJECTED_CLOSED


def _is_late(referral: Referral, event: ReferralEvent) -> bool:
    """Whether this is a late event: it was true before the last event that moved the referral."""
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


def _decide_extension(referral: Referral, event: WindowExtended, context: DecisionContext) -> Decision:
    """Extend the monitoring window; a window that was confirmed as complete opens again."""
    if event.actor not in _CENTER:
        return _REJECTED_OTHER_SIDE
    window = referral.window
    if window is None:
        return REJECTED_CLOSED if referral.stage in TERMINAL_STAGES else Pending()
    is_late = _is_late(referral, event)
    if referral.stage not in _STAGES_WITH_OPEN_WINDOW and not is_late:
        return Rejected("window_over", "Monitoring has ended. It can no longer be extended.")
    if event.ends_on <= window.infused_on:
        return Rejected("ends_before_infusion", "The end date must be after the infusion date.")
    extension = WindowExtension(ends_on=event.ends_on, order=event.order, reason_code=event.reason_code)
    extended = reopen_monitoring_if_extended(replace(referral, window=window.with_extension(extension)))
    updated = with_next_version(extended, event, context)
    return Recorded(updated) if is_late else Applied(updated)


def _decide_withdrawal_request(referral: Referral, event: WithdrawalRequested, context: DecisionContext) -> Decision:
    """Record the practice's request to the center, once the practice can no longer withdraw alone."""
    stop = _find_reason_to_stop(referral, event, context, by=_PRACTICE)
    if stop:
        return stop
    if Stage.WITHDRAWN in list_transitions_from(referral.stage):
        return Rejected("withdraw_directly", "You can withdraw this referral yourself. Use “Withdraw the referral.”")
    first_requested_at = min(referral.status.withdrawal_requested_at or event.occurred_at, event.occurred_at)
    return _with_status(referral, event, context, withdrawal_requested_at=first_requested_at)


def _decide_reopening(referral: Referral, event: Reopened, context: DecisionContext) -> Decision:
    """Return to the last open stage; allowed for an actor who may end the referral that way."""
    if not event.reason_code and not event.note:
        return Rejected("reason_needed", "Enter a reason for reopening the referral.")
    if _is_late(referral, event):
        return Recorded(with_next_version(referral, event, context))
    if referral.stage not in TERMINAL_STAGES:
        return Pending()
    if event.actor not in list_actors_for(referral.stage):
        return _REJECTED_OTHER_SIDE
    if referral.status.continued_by:
        return Rejected("continued", "A newer referral replaces this one. Make changes there.")
    reopened = replace(
        referral,
        stage=find_last_open_stage(referral),
        stage_since=event.occurred_at,
        last_applied_order=event.order,
        status=replace(referral.status, reason_code=None),
    )
    return Applied(with_next_version(reopened, event, context))


def _with_status(referral: Referral, event: ReferralEvent, context: DecisionContext, **changes: Any) -> Applied:
    status = replace(referral.status, **changes)
    return Applied(with_next_version(replace(referral, status=status), event, context))


_DECIDE_BY_TYPE: Mapping[type[ReferralEvent], Callable[..., Decision]] = {
    StageChange: decide_stage_change,
    HoldStarted: _decide_hold,
    HoldEnded: _decide_hold,
    ToxicityNoticed: decide_adverse_event,
    AdverseEventReported: decide_adverse_event,
    RelapseReported: decide_relapse,
    BridgingReported: decide_bridging,
    WindowExtended: _decide_extension,
    WithdrawalRequested: _decide_withdrawal_request,
    Reopened: _decide_reopening,
}


# -------------------------------------------------------------------------- corrections


def _decide_correction(
    referral: Referral, event: Corrected, context: DecisionContext, history: Sequence[ReferralEvent]
) -> Decision:
    """Replay the history without the wrong event, and with its replacement if there is one."""
    wrong = next((e for e in history if e.event_id == event.supersedes), None)
    if wrong is None:
        return Pending()
    if wrong.actor is not event.actor:
        return _REJECTED_OTHER_SIDE
    if not isinstance(wrong, (StageChange, WindowExtended, *CARE_EVENTS)):
        return Rejected("not_correctable", "Only a status, an extension or a report about care can be corrected.")
    if isinstance(wrong, StageChange) and wrong.stage is Stage.SUBMITTED:
        return Rejected("not_correctable", "A submitted referral cannot be corrected. Withdraw it instead.")
    replayed = _replay_with_event(referral, event, context, history)
    if event.replacement and not _replacement_took_effect(event.replacement, replayed):
        return _reject_or_wait(event.replacement, replayed, context)
    return Applied(replayed)


def _reject_or_wait(replacement: StageChange, replayed: Referral, context: DecisionContext) -> Pending | Rejected:
    """Park the correction if its replacement may become legal.

    An event that must come before the replacement may be in the history only, because it was
    late when it arrived.
    """
    if isinstance(decide_stage_change(replayed, replacement, context), Pending):
        return Pending()
    return Rejected(
        "replacement_not_legal",
        "This date does not fit the other entries. Check the dates before and after it.",
    )


def _replacement_took_effect(replacement: StageChange, replayed: Referral) -> bool:
    """Whether the replay used the replacement; an infusion that is too early would open no window."""
    if replacement.stage is Stage.INFUSED:
        return replayed.doses_given >= replacement.part
    return replacement.stage in replayed.stage_entered_at


def _replay_with_event(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: Sequence[ReferralEvent]
) -> Referral:
    """Replay the history and one more event, starting from the draft; this counts as one write."""
    if referral.window:
        # Keep the figures that the window was opened with, even if the product catalog has changed since.
        context = replace(context, profile=referral.window.profile)
    replayed = replay(referral, [*history, event], context)
    return replace(with_next_version(replayed, event, context), version=referral.version + 1)


def replay(referral: Referral, history: Sequence[ReferralEvent], context: DecisionContext) -> Referral:
    """Compute the state that a history leads to, starting from the draft.

    Superseded events no longer count, and events that were never legal remain in the history
    only. The replay uses what each event reports, not what was decided when it arrived.
    """
    corrections = sorted((e for e in history if isinstance(e, Corrected)), key=lambda e: e.order)
    # If one event was corrected several times, the latest correction counts.
    latest_corrections = {e.supersedes: e for e in corrections}
    effective_events = [e for e in history if e.event_id not in latest_corrections and not isinstance(e, Corrected)]
    effective_events += [e.replacement for e in latest_corrections.values() if e.replacement]
    state = _reset_to_draft(referral, corrected=bool(corrections))
    pending_events: list[ReferralEvent] = []
    for event in sorted(effective_events, key=lambda e: e.order):
        decision = _DECIDE_BY_TYPE[type(event)](state, event, context)
        if isinstance(decision, Applied | Recorded):
            state = decision.referral
        elif isinstance(decision, Pending):
            pending_events.append(event)
        state, pending_events = _apply_pending_events(state, pending_events, context)
    return state


def _apply_pending_events(
    state: Referral, pending_events: list[ReferralEvent], context: DecisionContext
) -> tuple[Referral, list[ReferralEvent]]:
    """Apply the pending events that are legal now, and return those that are not."""
    for event in pending_events:
        decision = _DECIDE_BY_TYPE[type(event)](state, event, context)
        if isinstance(decision, Applied | Recorded):
            rest = [e for e in pending_events if e is not event]
            return _apply_pending_events(decision.referral, rest, context)
    return state, pending_events


def _reset_to_draft(referral: Referral, *, corrected: bool) -> Referral:
    """Reset the referral to before its first event; what counts arrivals stays unchanged."""
    status = referral.status
    kept_status = ReferralStatus(
        continues=status.continues,
        continued_by=status.continued_by,
        feed=status.feed,
        updates_lost=status.updates_lost,
        corrected=corrected,
    )
    return replace(
        referral,
        stage=Stage.DRAFT,
        stage_since=referral.created_at,
        last_applied_order=None,
        stage_entered_at={Stage.DRAFT: referral.created_at},
        window=None,
        doses_given=0,
        dose_total=1,
        status=kept_status,
        care=NO_REPORTS,
    )
