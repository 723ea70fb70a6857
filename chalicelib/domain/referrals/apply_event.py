"""One door for every event: moves of the stage, and what lies over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.referrals.events import (
    Corrected,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.monitoring_window import WindowExtension
from chalicelib.domain.referrals.referral import Hold, Referral, ReferralStatus
from chalicelib.domain.referrals.stage_changes import (
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

_REJECTED_OTHER_SIDE = Rejected("not_your_move", "This belongs to the other side.")
_REJECTED_CLOSED = Rejected("referral_closed", "The referral is closed.")
_STAGES_WITH_OPEN_WINDOW = STAGES_BEFORE_HANDBACK | {Stage.INFUSED}


def decide_event(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: Sequence[ReferralEvent] = ()
) -> Decision:
    """Say what `event` does to `referral`.

    Args:
        referral: As it stands.
        event: What is reported.
        setting: The product's figures, the center's zone, and the time.
        history: The events so far; needed where `needs_history` says so.
    """
    if isinstance(event, Corrected):
        return _decide_correction(referral, event, context, history)
    verdict: Decision = _DECIDE_BY_TYPE[type(event)](referral, event, context)
    if referral.status.corrected and isinstance(verdict, Applied | Recorded):
        # What a correction left hanging may fit again behind this event.
        return type(verdict)(_replay_with_event(referral, event, context, history))
    return verdict


def needs_history(referral: Referral, event: ReferralEvent) -> bool:
    """Whether a decision has to know all that happened so far."""
    return isinstance(event, Corrected) or referral.status.corrected


def _find_reason_to_stop(
    referral: Referral, event: ReferralEvent, context: DecisionContext, *, by: frozenset[Actor]
) -> Rejected | Recorded | None:
    """Why an event changes nothing: whose it is not, or an ending that was true before it."""
    if event.actor not in by:
        return _REJECTED_OTHER_SIDE
    if referral.stage not in TERMINAL_STAGES:
        return None
    return Recorded(with_next_version(referral, event, context)) if _is_late(referral, event) else _REJECTED_CLOSED


def _is_late(referral: Referral, event: ReferralEvent) -> bool:
    return referral.last_applied_order is not None and event.order < referral.last_applied_order


_CENTER = frozenset({Actor.CENTER})
_PRACTICE = frozenset({Actor.PRACTICE})
_EITHER = _CENTER | _PRACTICE


def _decide_hold(referral: Referral, event: HoldStarted | HoldEnded, context: DecisionContext) -> Decision:
    """Start or end a pause; of two hold events the one that was true later counts."""
    stop = _find_reason_to_stop(referral, event, context, by=_EITHER)
    if stop:
        return stop
    head = referral.status.hold_head
    if head is not None and event.order < head:
        return Recorded(with_next_version(referral, event, context))
    hold = None
    if isinstance(event, HoldStarted):
        hold = Hold(since=event.occurred_at, reason_code=event.reason_code, until=event.until, by=event.actor)
    return _with_status(referral, event, context, hold=hold, hold_head=event.order)


def _decide_toxicity(referral: Referral, event: ToxicityNoticed, context: DecisionContext) -> Decision:
    if event.actor not in _CENTER:
        return _REJECTED_OTHER_SIDE
    if Stage.INFUSED not in referral.stage_entered_at:
        return Pending() if referral.stage not in TERMINAL_STAGES else _REJECTED_CLOSED
    known = referral.status.toxicity_at
    at = max(known, event.occurred_at) if known else event.occurred_at
    return _with_status(referral, event, context, toxicity_at=at)


def _decide_extension(referral: Referral, event: WindowExtended, context: DecisionContext) -> Decision:
    """Move the day of hand-back; a window that was confirmed as complete opens again."""
    if event.actor not in _CENTER:
        return _REJECTED_OTHER_SIDE
    window = referral.window
    if window is None:
        return _REJECTED_CLOSED if referral.stage in TERMINAL_STAGES else Pending()
    late = _is_late(referral, event)
    if referral.stage not in _STAGES_WITH_OPEN_WINDOW and not late:
        return Rejected("window_over", "The monitoring window is over.")
    if event.ends_on <= window.infused_on:
        return Rejected("ends_before_infusion", "The window cannot end before the infusion.")
    extension = WindowExtension(ends_on=event.ends_on, order=event.order, reason_code=event.reason_code)
    longer = reopen_monitoring_if_extended(replace(referral, window=window.with_extension(extension)))
    updated = with_next_version(longer, event, context)
    return Recorded(updated) if late else Applied(updated)


def _decide_withdrawal_request(referral: Referral, event: WithdrawalRequested, context: DecisionContext) -> Decision:
    """Ask the center, where the practice can no longer withdraw by itself."""
    stop = _find_reason_to_stop(referral, event, context, by=_PRACTICE)
    if stop:
        return stop
    if Stage.WITHDRAWN in list_transitions_from(referral.stage):
        return Rejected("withdraw_directly", "Withdraw the referral; the center need not be asked.")
    asked = min(referral.status.withdrawal_requested_at or event.occurred_at, event.occurred_at)
    return _with_status(referral, event, context, withdrawal_requested_at=asked)


def _decide_reopening(referral: Referral, event: Reopened, context: DecisionContext) -> Decision:
    """Go on where it stood before it ended; for whoever may end it that way."""
    if not event.reason_code and not event.note:
        return Rejected("reason_needed", "Say why it is opened again.")
    if _is_late(referral, event):
        return Recorded(with_next_version(referral, event, context))
    if referral.stage not in TERMINAL_STAGES:
        return Pending()
    if event.actor not in list_actors_for(referral.stage):
        return _REJECTED_OTHER_SIDE
    if referral.status.continued_by:
        return Rejected("continued", "Another referral goes on from this one.")
    again = replace(
        referral,
        stage=find_last_open_stage(referral),
        stage_since=event.occurred_at,
        last_applied_order=event.order,
        status=replace(referral.status, reason_code=None),
    )
    return Applied(with_next_version(again, event, context))


def _with_status(referral: Referral, event: ReferralEvent, context: DecisionContext, **changes: Any) -> Applied:
    overlay = replace(referral.status, **changes)
    return Applied(with_next_version(replace(referral, status=overlay), event, context))


_DECIDE_BY_TYPE: Mapping[type[ReferralEvent], Callable[..., Decision]] = {
    StageChange: decide_stage_change,
    HoldStarted: _decide_hold,
    HoldEnded: _decide_hold,
    ToxicityNoticed: _decide_toxicity,
    WindowExtended: _decide_extension,
    WithdrawalRequested: _decide_withdrawal_request,
    Reopened: _decide_reopening,
}


# -------------------------------------------------------------------------- corrections


def _decide_correction(
    referral: Referral, event: Corrected, context: DecisionContext, history: Sequence[ReferralEvent]
) -> Decision:
    """Leave an earlier event out, put its replacement in, and fold the history anew."""
    wrong = next((e for e in history if e.event_id == event.supersedes), None)
    if wrong is None:
        return Pending()
    if wrong.actor is not event.actor:
        return _REJECTED_OTHER_SIDE
    if not isinstance(wrong, StageChange | WindowExtended):
        return Rejected("not_correctable", "Only a stage or an extension is corrected.")
    if isinstance(wrong, StageChange) and wrong.stage is Stage.SUBMITTED:
        return Rejected("not_correctable", "A submission is withdrawn, not corrected.")
    folded = _replay_with_event(referral, event, context, history)
    if event.replacement and not _replacement_took_effect(event.replacement, folded):
        return _reject_or_wait(event.replacement, folded, context)
    return Applied(folded)


def _reject_or_wait(replacement: StageChange, replayed: Referral, context: DecisionContext) -> Pending | Rejected:
    """Whether it may fit later: what lies before it can have been history when it arrived."""
    if isinstance(decide_stage_change(replayed, replacement, context), Pending):
        return Pending()
    return Rejected("replacement_not_legal", "The replacement does not fit the history.")


def _replacement_took_effect(replacement: StageChange, replayed: Referral) -> bool:
    """Whether the fold made something of it; an infusion too early would leave no window."""
    if replacement.stage is Stage.INFUSED:
        return replayed.doses_given >= replacement.part
    return replacement.stage in replayed.stage_entered_at


def _replay_with_event(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: Sequence[ReferralEvent]
) -> Referral:
    """The state after one more event, folded from the draft on; one write later."""
    if referral.window:
        # The figures that the window was opened with, whatever the catalogue says today.
        context = replace(context, profile=referral.window.profile)
    folded = replay(referral, [*history, event], context)
    return replace(with_next_version(folded, event, context), version=referral.version + 1)


def replay(referral: Referral, history: Sequence[ReferralEvent], context: DecisionContext) -> Referral:
    """The state that a history leads to, from the draft on.

    Events that are superseded count no more, and those that were never legal stay history. The
    fold looks at what each event says, not at what was made of it when it arrived.
    """
    corrections = sorted((e for e in history if isinstance(e, Corrected)), key=lambda e: e.order)
    # Of several corrections of one event the last word counts.
    latest_corrections = {e.supersedes: e for e in corrections}
    effective_events = [e for e in history if e.event_id not in latest_corrections and not isinstance(e, Corrected)]
    effective_events += [e.replacement for e in latest_corrections.values() if e.replacement]
    state = _reset_to_draft(referral, corrected=bool(corrections))
    pending_events: list[ReferralEvent] = []
    for event in sorted(effective_events, key=lambda e: e.order):
        verdict = _DECIDE_BY_TYPE[type(event)](state, event, context)
        if isinstance(verdict, Applied | Recorded):
            state = verdict.referral
        elif isinstance(verdict, Pending):
            pending_events.append(event)
        state, pending_events = _apply_waiting_events(state, pending_events, context)
    return state


def _apply_waiting_events(
    state: Referral, waiting: list[ReferralEvent], context: DecisionContext
) -> tuple[Referral, list[ReferralEvent]]:
    for event in waiting:
        verdict = _DECIDE_BY_TYPE[type(event)](state, event, context)
        if isinstance(verdict, Applied | Recorded):
            rest = [e for e in waiting if e is not event]
            return _apply_waiting_events(verdict.referral, rest, context)
    return state, waiting


def _reset_to_draft(referral: Referral, *, corrected: bool) -> Referral:
    """The referral before anything happened to it; what counts arrivals stays as it is."""
    overlay = referral.status
    kept_status = ReferralStatus(
        continues=overlay.continues,
        continued_by=overlay.continued_by,
        feed=overlay.feed,
        updates_lost=overlay.updates_lost,
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
    )
