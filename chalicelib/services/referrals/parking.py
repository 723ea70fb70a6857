"""Room for deliveries that wait, bounded so that one center's feed cannot make a referral slow.

A delivery that waits for a referral of its own center is read with every decision on it. One that
names any other id waits apart, where no decision looks: whether the id is another center's or
nobody's makes no difference to where it stands, what it costs, and what it is answered.
"""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.platform.rate_limit import PARKED_PER_REFERRAL, STRANGERS_PER_CENTER
from chalicelib.domain.referrals.events import Event
from chalicelib.errors import TooManyError
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import Parked
from chalicelib.store.webhooks.idempotency import Delivery, DeliveryResult

FULL_PAUSE_S = 3600
"""After how long a full referral is worth another try: what is missing comes from people."""


def before_waiting(
    event: Event,
    delivery: Delivery,
    *,
    beside: Sequence[Parked] | None,
    stores: Stores,
    now: datetime,
) -> DeliveryResult | None:
    """Make sure that there is room for one more; hands back what was said if it waits already.

    Args:
        event: What it tells of.
        delivery: What came too early.
        beside: What waits for this referral of theirs; None for one that is not theirs.
        stores: Where it would wait.
        now: When.

    Raises:
        TooManyError: there is no room. Nothing is kept; the sender's own retry comes back.
    """
    if beside is not None and len(beside) < PARKED_PER_REFERRAL:
        return None
    earlier = stores.deliveries.find(delivery)
    if earlier:
        return earlier
    if beside is not None:
        raise _full(FULL_PAUSE_S)
    _require_room_for_stranger(event, delivery, stores=stores, now=now)
    return None


def waiting_for(referral_id: str, center_id: str | None, *, stores: Stores) -> Sequence[Parked]:
    """What a center sent for a referral before it was known to be the center's."""
    return stores.referrals.strangers(referral_id, center_id) if center_id else ()


def _require_room_for_stranger(
    event: Event, delivery: Delivery, *, stores: Stores, now: datetime
) -> None:
    center_id = delivery.center_id
    here = stores.referrals.count_strangers(event.referral_id, center_id, most=PARKED_PER_REFERRAL)
    if here >= PARKED_PER_REFERRAL:
        raise _full(FULL_PAUSE_S)
    pause = stores.allowances.take(f"strangers#{center_id}", STRANGERS_PER_CENTER, now=now)
    if pause:
        raise _full(pause)


def _full(pause_s: int) -> TooManyError:
    return TooManyError(
        "too_many_waiting",
        "Too many deliveries wait for what must come before them.",
        retry_after_s=pause_s,
    )
