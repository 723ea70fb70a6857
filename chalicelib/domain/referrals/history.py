"""What came before an event, and the state that it leads to."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import Corrected, ReferralEvent
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.replay import Replayed, as_one_write, keep_arrivals, replay_history, reset_to_draft
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.status_events import STATUS_DECIDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What came before an event.

    Attributes:
        events: The events of the referral so far.
        start: The referral before the first of them; None for a draft.
        parked: Events that wait for an earlier one.
    """

    events: Sequence[ReferralEvent] = ()
    start: Referral | None = None
    parked: Sequence[ReferralEvent] = ()

    @property
    def parked_reports(self) -> Sequence[ReferralEvent]:
        """What waits, without corrections: one may wait for the very event that is decided now."""
        return [event for event in self.parked if not isinstance(event, Corrected)]


def replay_with(
    referral: Referral, event: ReferralEvent, context: DecisionContext, history: History, *more: ReferralEvent
) -> Replayed:
    """Replay the history and one more event; the result counts as one write."""
    replayed = replay_events(referral, [*history.events, event, *more], context, history)
    return replace(replayed, referral=as_one_write(replayed.referral, referral, event, context))


def replay_events(
    referral: Referral, events: Sequence[ReferralEvent], context: DecisionContext, history: History
) -> Replayed:
    """Replay events from where the history starts."""
    if referral.window:
        # Keep the figures that the window was opened with, even if the product catalog has changed since.
        context = replace(context, profile=referral.window.profile)
    return replay_history(get_start(referral, history), events, context, deciders=STATUS_DECIDERS)


def get_start(referral: Referral, history: History) -> Referral:
    """The referral before its first event. Without a history it is the current state."""
    if history.start:
        return keep_arrivals(history.start, referral)
    return reset_to_draft(referral) if history.events else referral


def replay(referral: Referral, history: Sequence[ReferralEvent], context: DecisionContext) -> Referral:
    """Compute the state that a history leads to, starting from the draft."""
    start = reset_to_draft(referral)
    return replay_history(start, history, context, deciders=STATUS_DECIDERS).referral
