"""Reads what a decision about an event needs, and decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from chalicelib.domain.referrals.apply_event import decide_event, needs_history
from chalicelib.domain.referrals.corrections import name_reopened_endings
from chalicelib.domain.referrals.events import InformationRequested, ReferralEvent, Reopened
from chalicelib.domain.referrals.history import History
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Pending, Recorded
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery


@dataclass
class HistoryReader:
    """Reads a referral's history at most once, however many parked deliveries need it."""

    context: RunContext
    events: Sequence[ReferralEvent] | None = None

    def read(self, referral_id: str) -> Sequence[ReferralEvent]:
        """The events of the referral, in replay order."""
        if self.events is None:
            self.events = self.context.stores.referrals.list_history(referral_id)
        return self.events


def decide_with_history(
    referral: Referral,
    event: ReferralEvent,
    parked: Sequence[ParkedDelivery] = (),
    *,
    context: RunContext,
    history: HistoryReader | None = None,
) -> Decision:
    """Read what the decision needs, and decide what an event does."""
    decision_context = load_decision_context(referral, context=context)
    if needs_history(referral, event):
        known = History(
            events=(history or HistoryReader(context)).read(referral.referral_id),
            parked=[each.event for each in parked if each.event.event_id != event.event_id],
        )
        decision = decide_event(referral, event, decision_context, known)
    else:
        decision = decide_event(referral, event, decision_context)
    if (
        isinstance(decision, Applied)
        and isinstance(event, InformationRequested)
        and _is_asked_already(referral, event, stores=context.stores)
    ):
        # A nightly feed repeats what is open under a new id. No one is notified again.
        return Recorded(decision.referral)
    return decision


def _is_asked_already(referral: Referral, event: InformationRequested, *, stores: Stores) -> bool:
    """Whether the same request is open already."""
    if not referral.conversation.open_requests:
        return False
    requests = stores.information_requests.list_for_referral(referral.referral_id, scope=referral.practice_id)
    return any(
        request.has_same_content(event) for request in requests if referral.conversation.is_open(request.request_id)
    )


def belongs_to_center(referral: Referral | None, center_id: str) -> TypeGuard[Referral]:
    """Whether the referral exists and was submitted to this center."""
    return referral is not None and referral.is_with_center and referral.center_id == center_id


def decide_delivery(
    referral: Referral | None,
    event: ReferralEvent,
    delivery: Delivery,
    parked: Sequence[ParkedDelivery],
    *,
    context: RunContext,
    history: "HistoryReader | None" = None,
) -> Decision:
    """Decide what a center's delivery does. One for a referral that is not the center's stays pending."""
    if not belongs_to_center(referral, delivery.center_id):
        return Pending()
    return decide_with_history(referral, event, parked, context=context, history=history)


def name_endings(event: ReferralEvent, *, context: RunContext) -> ReferralEvent:
    """Name the endings that a reopening cancels, so that a death reported later still counts."""
    if not isinstance(event, Reopened):
        return event
    return name_reopened_endings(event, context.stores.referrals.list_history(event.referral_id))
