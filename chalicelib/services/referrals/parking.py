"""Limits on parked deliveries, so that one center's system cannot make a referral slow.

A delivery parked for a referral of its own center is read with every decision about that referral. One
that names any other id is parked in a separate place that no decision reads. It makes no difference
whether another center has that id or no one: the place, the cost and the response are the same.
"""

from collections.abc import Sequence

from chalicelib.domain.platform.rate_limit import MAX_PARKED_PER_REFERRAL, UNKNOWN_REFERRALS_PER_CENTER
from chalicelib.domain.referrals.events import ReferralEvent
from chalicelib.errors import RateLimitedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult

RETRY_AFTER_WHEN_FULL_S = 3600
"""When to retry a delivery for a full referral: the missing events come from people."""


def check_parking_capacity(
    event: ReferralEvent,
    delivery: Delivery,
    *,
    parked_for_referral: Sequence[ParkedDelivery] | None,
    context: RunContext,
) -> DeliveryResult | None:
    """Check that one more delivery can be parked. Returns the first result if it is parked already.

    Args:
        event: The event in the delivery.
        delivery: The delivery that came too early.
        parked_for_referral: What is parked for this referral; None if it is not the center's.
        context: The tables and the time.

    Raises:
        RateLimitedError: the limit is reached. Nothing is saved; the sender will retry.
    """
    if parked_for_referral is not None and len(parked_for_referral) < MAX_PARKED_PER_REFERRAL:
        return None
    first_result = context.stores.delivery_log.find_result(delivery)
    if first_result:
        return first_result
    if parked_for_referral is not None:
        raise _build_limit_error(RETRY_AFTER_WHEN_FULL_S)
    _enforce_unknown_referral_limit(event, delivery, context=context)
    return None


def list_parked(referral_id: str, center_id: str | None, *, stores: Stores) -> Sequence[ParkedDelivery]:
    """What a center sent for a referral before the referral was the center's."""
    return stores.referrals.list_parked_for_unknown(referral_id, center_id) if center_id else ()


def _enforce_unknown_referral_limit(event: ReferralEvent, delivery: Delivery, *, context: RunContext) -> None:
    center_id = delivery.center_id
    parked_count = context.stores.referrals.count_parked_for_unknown(
        event.referral_id, center_id, limit=MAX_PARKED_PER_REFERRAL
    )
    if parked_count >= MAX_PARKED_PER_REFERRAL:
        raise _build_limit_error(RETRY_AFTER_WHEN_FULL_S)
    pause_s = context.stores.rate_limits.take_token(
        f"strangers#{center_id}", UNKNOWN_REFERRALS_PER_CENTER, now=context.now
    )
    if pause_s:
        raise _build_limit_error(pause_s)


def _build_limit_error(pause_s: int) -> RateLimitedError:
    return RateLimitedError(
        "too_many_waiting",
        "Too many deliveries are waiting for earlier ones. Send the missing earlier events.",
        retry_after_s=pause_s,
    )
