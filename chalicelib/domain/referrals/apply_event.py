"""One door for every event: moves of the stage, and what lies over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.referrals.events import (
    Corrected,
    Event,
    HoldEnded,
    HoldStarted,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.monitoring_window import Extension
from chalicelib.domain.referrals.referral import Hold, Overlay, Referral
from chalicelib.domain.referrals.stage_changes import (
    BEFORE_HANDBACK,
    Applied,
    Never,
    NotYet,
    Recorded,
    Setting,
    Verdict,
    as_extended,
    move,
    stood_at,
    written,
)
from chalicelib.domain.referrals.stages import TERMINAL, Actor, Stage
from chalicelib.domain.referrals.transitions import movers_to, moves_from

_OTHER_SIDE = Never("not_your_move", "This belongs to the other side.")
_CLOSED = Never("referral_closed", "The referral is closed.")
_IN_THE_WINDOW = BEFORE_HANDBACK | {Stage.INFUSED}


def decide(
    referral: Referral, event: Event, setting: Setting, history: Sequence[Event] = ()
) -> Verdict:
    """Say what `event` does to `referral`.

    Args:
        referral: As it stands.
        event: What is reported.
        setting: The product's figures, the center's zone, and the time.
        history: The events so far; needed where `needs_history` says so.
    """
    if isinstance(event, Corrected):
        return _correct(referral, event, setting, history)
    verdict: Verdict = _DECIDERS[type(event)](referral, event, setting)
    if referral.overlay.corrected and isinstance(verdict, Applied | Recorded):
        # What a correction left hanging may fit again behind this event.
        return type(verdict)(_refolded(referral, event, setting, history))
    return verdict


def needs_history(referral: Referral, event: Event) -> bool:
    """Whether a decision has to know all that happened so far."""
    return isinstance(event, Corrected) or referral.overlay.corrected


def _stop(
    referral: Referral, event: Event, setting: Setting, *, by: frozenset[Actor]
) -> Never | Recorded | None:
    """Why an event changes nothing: whose it is not, or an ending that was true before it."""
    if event.actor not in by:
        return _OTHER_SIDE
    if referral.stage not in TERMINAL:
        return None
    return Recorded(written(referral, event, setting)) if _is_late(referral, event) else _CLOSED


def _is_late(referral: Referral, event: Event) -> bool:
    return referral.head is not None and event.order < referral.head


_CENTER = frozenset({Actor.CENTER})
_PRACTICE = frozenset({Actor.PRACTICE})
_EITHER = _CENTER | _PRACTICE


def _hold(referral: Referral, event: HoldStarted | HoldEnded, setting: Setting) -> Verdict:
    """Start or end a pause; of two hold events the one that was true later counts."""
    stop = _stop(referral, event, setting, by=_EITHER)
    if stop:
        return stop
    head = referral.overlay.hold_head
    if head is not None and event.order < head:
        return Recorded(written(referral, event, setting))
    hold = None
    if isinstance(event, HoldStarted):
        hold = Hold(
            since=event.occurred_at,
            reason_code=event.reason_code,
            until=event.until,
            by=event.actor,
        )
    return _laid(referral, event, setting, hold=hold, hold_head=event.order)


def _toxicity(referral: Referral, event: ToxicityNoticed, setting: Setting) -> Verdict:
    if event.actor not in _CENTER:
        return _OTHER_SIDE
    if Stage.INFUSED not in referral.reached:
        return NotYet() if referral.stage not in TERMINAL else _CLOSED
    known = referral.overlay.toxicity_at
    at = max(known, event.occurred_at) if known else event.occurred_at
    return _laid(referral, event, setting, toxicity_at=at)


def _extend(referral: Referral, event: WindowExtended, setting: Setting) -> Verdict:
    """Move the day of hand-back; a window that was confirmed as complete opens again."""
    if event.actor not in _CENTER:
        return _OTHER_SIDE
    window = referral.window
    if window is None:
        return _CLOSED if referral.stage in TERMINAL else NotYet()
    late = _is_late(referral, event)
    if referral.stage not in _IN_THE_WINDOW and not late:
        return Never("window_over", "The monitoring window is over.")
    if event.ends_on <= window.infused_on:
        return Never("ends_before_infusion", "The window cannot end before the infusion.")
    extension = Extension(
        ends_on=event.ends_on,
        order=event.order,
        reason_code=event.reason_code,
    )
    longer = as_extended(replace(referral, window=window.extended(extension)))
    told = written(longer, event, setting)
    return Recorded(told) if late else Applied(told)


def _ask_to_withdraw(referral: Referral, event: WithdrawalRequested, setting: Setting) -> Verdict:
    """Ask the center, where the practice can no longer withdraw by itself."""
    stop = _stop(referral, event, setting, by=_PRACTICE)
    if stop:
        return stop
    if Stage.WITHDRAWN in moves_from(referral.stage):
        return Never("withdraw_directly", "Withdraw the referral; the center need not be asked.")
    asked = min(referral.overlay.withdrawal_requested_at or event.occurred_at, event.occurred_at)
    return _laid(referral, event, setting, withdrawal_requested_at=asked)


def _reopen(referral: Referral, event: Reopened, setting: Setting) -> Verdict:
    """Go on where it stood before it ended; for whoever may end it that way."""
    if not event.reason_code and not event.note:
        return Never("reason_needed", "Say why it is opened again.")
    if _is_late(referral, event):
        return Recorded(written(referral, event, setting))
    if referral.stage not in TERMINAL:
        return NotYet()
    if event.actor not in movers_to(referral.stage):
        return _OTHER_SIDE
    if referral.overlay.continued_by:
        return Never("continued", "Another referral goes on from this one.")
    again = replace(
        referral,
        stage=stood_at(referral),
        stage_since=event.occurred_at,
        head=event.order,
        overlay=replace(referral.overlay, reason_code=None),
    )
    return Applied(written(again, event, setting))


def _laid(referral: Referral, event: Event, setting: Setting, **changes: Any) -> Applied:
    overlay = replace(referral.overlay, **changes)
    return Applied(written(replace(referral, overlay=overlay), event, setting))


_DECIDERS: Mapping[type[Event], Callable[..., Verdict]] = {
    StageChange: move,
    HoldStarted: _hold,
    HoldEnded: _hold,
    ToxicityNoticed: _toxicity,
    WindowExtended: _extend,
    WithdrawalRequested: _ask_to_withdraw,
    Reopened: _reopen,
}


# -------------------------------------------------------------------------- corrections


def _correct(
    referral: Referral, event: Corrected, setting: Setting, history: Sequence[Event]
) -> Verdict:
    """Leave an earlier event out, put its replacement in, and fold the history anew."""
    wrong = next((e for e in history if e.event_id == event.supersedes), None)
    if wrong is None:
        return NotYet()
    if wrong.actor is not event.actor:
        return _OTHER_SIDE
    if not isinstance(wrong, StageChange | WindowExtended):
        return Never("not_correctable", "Only a stage or an extension is corrected.")
    if isinstance(wrong, StageChange) and wrong.stage is Stage.SUBMITTED:
        return Never("not_correctable", "A submission is withdrawn, not corrected.")
    folded = _refolded(referral, event, setting, history)
    if event.replacement and not _fits(event.replacement, folded):
        return _unfitting(event.replacement, folded, setting)
    return Applied(folded)


def _unfitting(replacement: StageChange, folded: Referral, setting: Setting) -> NotYet | Never:
    """Whether it may fit later: what lies before it can have been history when it arrived."""
    if isinstance(move(folded, replacement, setting), NotYet):
        return NotYet()
    return Never("replacement_not_legal", "The replacement does not fit the history.")


def _fits(replacement: StageChange, folded: Referral) -> bool:
    """Whether the fold made something of it; an infusion too early would leave no window."""
    if replacement.stage is Stage.INFUSED:
        return folded.part >= replacement.part
    return replacement.stage in folded.reached


def _refolded(
    referral: Referral, event: Event, setting: Setting, history: Sequence[Event]
) -> Referral:
    """The state after one more event, folded from the draft on; one write later."""
    if referral.window:
        # The figures that the window was opened with, whatever the catalogue says today.
        setting = replace(setting, profile=referral.window.profile)
    folded = fold(referral, [*history, event], setting)
    return replace(written(folded, event, setting), version=referral.version + 1)


def fold(referral: Referral, history: Sequence[Event], setting: Setting) -> Referral:
    """The state that a history leads to, from the draft on.

    Events that are superseded count no more, and those that were never legal stay history. The
    fold looks at what each event says, not at what was made of it when it arrived.
    """
    corrections = sorted((e for e in history if isinstance(e, Corrected)), key=lambda e: e.order)
    # Of several corrections of one event the last word counts.
    counting = {e.supersedes: e for e in corrections}
    told = [e for e in history if e.event_id not in counting and not isinstance(e, Corrected)]
    told += [e.replacement for e in counting.values() if e.replacement]
    state = _unmoved(referral, corrected=bool(corrections))
    waiting: list[Event] = []
    for event in sorted(told, key=lambda e: e.order):
        verdict = _DECIDERS[type(event)](state, event, setting)
        if isinstance(verdict, Applied | Recorded):
            state = verdict.referral
        elif isinstance(verdict, NotYet):
            waiting.append(event)
        state, waiting = _settled(state, waiting, setting)
    return state


def _settled(
    state: Referral, waiting: list[Event], setting: Setting
) -> tuple[Referral, list[Event]]:
    for event in waiting:
        verdict = _DECIDERS[type(event)](state, event, setting)
        if isinstance(verdict, Applied | Recorded):
            rest = [e for e in waiting if e is not event]
            return _settled(verdict.referral, rest, setting)
    return state, waiting


def _unmoved(referral: Referral, *, corrected: bool) -> Referral:
    """The referral before anything happened to it; what counts arrivals stays as it is."""
    overlay = referral.overlay
    kept = Overlay(
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
        head=None,
        reached={Stage.DRAFT: referral.created_at},
        window=None,
        part=0,
        of=1,
        overlay=kept,
    )
