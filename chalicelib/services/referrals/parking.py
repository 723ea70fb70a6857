"""Room for deliveries that wait, bounded so that one center's feed cannot make a referral slow.

A delivery that waits for a referral of its own center is read with every decision on it. One that
names any other id waits apart, where no decision looks: whether the id is another center's or
nobody's makes no difference to where it stands, what it costs, and what it is answered.
"""

from collections.abc import Sequence

from chalicelib.domain.platform.rate_limit import MAX_PARKED_PER_REFERRAL, UNKNOWN_REFERRALS_PER_CENTER
from chalicelib.domain.referrals.events import ReferralEvent
from chalicelib.errors import RateLimitedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.idempotency import Delivery, DeliveryResult

RETRY_AFTER_WHEN_FULL_S = 3600
"""After how long a full referral is worth another try: what is missing comes from people."""


def check_parking_capacity(
    event: ReferralEvent,
    delivery: Delivery,
    *,
    parked_for_referral: Sequence[ParkedDelivery] | None,
    context: RunContext,
) -> DeliveryResult | None:
    """Make sure that there is room for one more; hands back what was said if it waits already.

    Args:
        event: What it tells of.
        delivery: What came too early.
        beside: What waits for this referral of theirs; None for one that is not theirs.
        context: The tables and the time.

    Raises:
        TooManyError: there is no room. Nothing is kept; the sender's own retry comes back.
    """
    if parked_for_referral is not None and len(parked_for_referral) < MAX_PARKED_PER_REFERRAL:
        return None
    earlier = context.stores.delivery_log.find_result(delivery)
    if earlier:
        return earlier
    if parked_for_referral is not None:
        raise _build_limit_error(RETRY_AFTER_WHEN_FULL_S)
    _enforce_unknown_referral_limit(event, delivery, context=context)
    return None


def list_parked(referral_id: str, center_id: str | None, *, stores: Stores) -> Sequence[ParkedDelivery]:
    """What a center sent for a referral before it was known to be the center's."""
    return stores.referrals.list_parked_for_unknown(referral_id, center_id) if center_id else ()


def _enforce_unknown_referral_limit(event: ReferralEvent, delivery: Delivery, *, context: RunContext) -> None:
    center_id = delivery.center_id
    here = context.stores.referrals.count_parked_for_unknown(
        event.referral_id, center_id, limit=MAX_PARKED_PER_REFERRAL
    )
    if here >= MAX_PARKED_PER_REFERRAL:
        raise _build_limit_error(RETRY_AFTER_WHEN_FULL_S)
    pause = context.stores.rate_limits.take_token(
        f"strangers#{center_id}", UNKNOWN_REFERRALS_PER_CENTER, now=context.now
    )
    if pause:
        raise _build_limit_error(pause)


def _build_limit_error(pause_s: int) -> RateLimitedError:
    return RateLimitedError(
        "too_many_waiting", "Too many deliveries wait for what must come before them.", retry_after_s=pause_s
    )
