"""One door for every event: moves of the stage, and what lies over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.events import (
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
from chalicelib.domain.moves import (
    Applied,
    Never,
    NotYet,
    Recorded,
    Setting,
    Verdict,
    move,
    written,
)
from chalicelib.domain.referral import Hold, Overlay, Referral
from chalicelib.domain.stages import TERMINAL, Actor, Stage, movers_to, moves_from, reachable_from
from chalicelib.domain.window import Extension

_OTHER_SIDE = Never("not_your_move", "This belongs to the other side.")
_CLOSED = Never("referral_closed", "The referral is closed.")
_IN_THE_WINDOW = frozenset({Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE})


def decide(
    referral: Referral, event: Event, setting: Setting, history: Sequence[Event] = ()
) -> Verdict:
    """Say what `event` does to `referral`.

    Args:
        referral: As it stands.
        event: What is reported.
        setting: The product's figures, the center's zone, and the time.
        history: The events so far; needed for a correction alone.
    """
    if isinstance(event, Corrected):
        return _correct(referral, event, setting, history)
    return _DECIDERS[type(event)](referral, event, setting)


def _stop(referral: Referral, event: Event, *, by: frozenset[Actor]) -> Never | None:
    if event.actor not in by:
        return _OTHER_SIDE
    return _CLOSED if referral.stage in TERMINAL else None


_CENTER = frozenset({Actor.CENTER})
_PRACTICE = frozenset({Actor.PRACTICE})
_EITHER = _CENTER | _PRACTICE


def _hold(referral: Referral, event: HoldStarted | HoldEnded, setting: Setting) -> Verdict:
    """Start or end a pause; of two hold events the one that was true later counts."""
    stop = _stop(referral, event, by=_EITHER)
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
    stop = _stop(referral, event, by=_CENTER)
    if stop:
        return stop
    window = referral.window
    if window is None or referral.stage not in _IN_THE_WINDOW:
        waits = Stage.INFUSED in reachable_from(referral.stage) and window is None
        return NotYet() if waits else Never("window_over", "The monitoring window is over.")
    if event.ends_on <= window.infused_on:
        return Never("ends_before_infusion", "The window cannot end before the infusion.")
    extension = Extension(
        ends_on=event.ends_on,
        told_at=event.occurred_at,
        reason_code=event.reason_code,
        event_id=event.event_id,
    )
    longer = replace(referral, window=window.extended(extension))
    if referral.stage is Stage.WINDOW_COMPLETE:
        longer = replace(
            longer,
            stage=Stage.MONITORING,
            stage_since=event.occurred_at,
            head=max(event.order, referral.head) if referral.head else event.order,
        )
    return Applied(written(longer, event, setting))


def _ask_to_withdraw(referral: Referral, event: WithdrawalRequested, setting: Setting) -> Verdict:
    """Ask the center, where the practice can no longer withdraw by itself."""
    stop = _stop(referral, event, by=_PRACTICE)
    if stop:
        return stop
    if Stage.WITHDRAWN in moves_from(referral.stage):
        return Never("withdraw_directly", "Withdraw the referral; the center need not be asked.")
    asked = referral.overlay.withdrawal_requested_at or event.occurred_at
    return _laid(referral, event, setting, withdrawal_requested_at=asked)


def _reopen(referral: Referral, event: Reopened, setting: Setting) -> Verdict:
    """Go on where it stood before it ended; for whoever may end it that way."""
    before = referral.overlay.ended_from
    if referral.stage not in TERMINAL or before is None:
        return Never("not_closed", "The referral is not closed.")
    if event.actor not in movers_to(referral.stage):
        return _OTHER_SIDE
    if not event.reason_code and not event.note:
        return Never("reason_needed", "Say why it is opened again.")
    if referral.head and event.order < referral.head:
        return Recorded(written(referral, event, setting))
    again = replace(
        referral,
        stage=before,
        stage_since=event.occurred_at,
        head=event.order,
        overlay=replace(referral.overlay, ended_from=None, reason_code=None),
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
    if isinstance(wrong, Corrected) or not isinstance(wrong, StageChange | WindowExtended):
        return Never("not_correctable", "Only a stage or an extension is corrected.")
    if isinstance(wrong, StageChange) and wrong.stage is Stage.SUBMITTED:
        return Never("not_correctable", "A submission is withdrawn, not corrected.")
    folded = fold(referral, [*history, event], setting)
    if event.replacement and event.replacement.stage not in folded.reached:
        return Never("replacement_not_legal", "The replacement does not fit the history.")
    return Applied(replace(written(folded, event, setting), version=referral.version + 1))


def fold(referral: Referral, history: Sequence[Event], setting: Setting) -> Referral:
    """The state that a history leads to, from the draft on.

    Events that are superseded count no more, and those that were never legal stay history. The
    fold looks at what each event says, not at what was made of it when it arrived.
    """
    left_out = {e.supersedes for e in history if isinstance(e, Corrected)}
    told = [e for e in history if e.event_id not in left_out and not isinstance(e, Corrected)]
    told += [
        e.replacement
        for e in history
        if isinstance(e, Corrected) and e.replacement and e.event_id not in left_out
    ]
    state = _unmoved(referral)
    waiting: list[Event] = []
    for event in sorted(told, key=lambda e: e.order):
        verdict = decide(state, event, setting)
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
        verdict = decide(state, event, setting)
        if isinstance(verdict, Applied | Recorded):
            rest = [e for e in waiting if e is not event]
            return _settled(verdict.referral, rest, setting)
    return state, waiting


def _unmoved(referral: Referral) -> Referral:
    """The referral as it was written, before anything happened to it."""
    links = Overlay(
        continues=referral.overlay.continues, continued_by=referral.overlay.continued_by
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
        overlay=links,
    )
