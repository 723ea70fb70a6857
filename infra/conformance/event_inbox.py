"""Decides about the events of one referral in memory, with the product's rules and without its tables."""

from dataclasses import dataclass, field

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.corrections import name_reopened_endings
from chalicelib.domain.referrals.events import ReferralEvent
from chalicelib.domain.referrals.history import History
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Decision, DecisionContext, Pending, Recorded, Rejected


@dataclass
class EventInbox:
    """Decides about events as they arrive, and parks early ones until they can be decided.

    The product does the same in transactions on tables (`chalicelib.services.referrals.report_event`).

    Attributes:
        referral: The current state.
        context: What decisions need besides it.
        history: The events that were applied or recorded.
        parked: The events that wait for an earlier one.
        rejected: The refusals, also of events that were parked.
    """

    referral: Referral
    context: DecisionContext
    history: list[ReferralEvent] = field(default_factory=list)
    parked: list[ReferralEvent] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Remember the state before the first event."""
        self.start = self.referral

    def receive_event(self, event: ReferralEvent) -> Decision:
        """Decide about an event, then about the parked ones that it makes possible."""
        decision = self._take(name_reopened_endings(event, self.history))
        if isinstance(decision, Applied | Recorded):
            self._apply_parked()
        return decision

    def _decide(self, event: ReferralEvent) -> Decision:
        history = History(events=self.history, start=self.start, parked=[e for e in self.parked if e is not event])
        return decide_event(self.referral, event, self.context, history)

    def _take(self, event: ReferralEvent) -> Decision:
        decision = self._decide(event)
        match decision:
            case Applied() | Recorded():
                self.referral = decision.referral
                self.history.append(event)
            case Pending():
                self.parked.append(event)
            case Rejected():
                self.rejected.append(decision)
        return decision

    def _apply_parked(self) -> None:
        for event in sorted(self.parked, key=lambda e: e.order):
            if not isinstance(self._decide(event), Pending):
                self.parked.remove(event)
                self._take(event)
                self._apply_parked()
                return
