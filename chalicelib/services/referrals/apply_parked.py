"""Apply the deliveries that came too early and can be decided now."""

from collections.abc import Sequence
from functools import partial

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import (
    PARKED_FOR,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Pending,
    Recorded,
    Rejected,
)
from chalicelib.errors import UnavailableError
from chalicelib.observe import log
from chalicelib.services.platform.optimistic import TooManyConflictsError, commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.delivery_writes import prepare_delivery_writes
from chalicelib.services.referrals.event_decisions import (
    HistoryReader,
    decide_delivery,
)
from chalicelib.services.referrals.parking import list_parked
from chalicelib.services.referrals.report_results import (
    build_delivery_result,
)
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryStatus


def apply_parked(referral_id: str, *, context: RunContext, include_expired: str = "") -> int:
    """Apply or refuse the parked deliveries that can be decided now. Returns how many there were.

    Safe to call at any time, also by several callers at once: the row of each parked delivery allows
    its transaction only once.

    Args:
        referral_id: The referral.
        context: The tables and the time.
        include_expired: Id of a delivery to retry even though its 24 hours are over.
    """
    count = 0
    attempt = partial(_apply_next_parked, referral_id, {}, include_expired, context=context)
    try:
        while commit_with_retry(attempt):
            count += 1
    except TooManyConflictsError:
        # A row that can never be applied, which a restore may leave, must not hold up a whole job.
        log.warning("parked deliveries cannot be applied", referral_id=referral_id)
    return count


def _apply_next_parked(
    referral_id: str, existing_tasks: dict[str, str], include_expired: str, *, context: RunContext
) -> bool:
    """Apply the first parked delivery that can be decided now. False if there is none."""
    referral, parked = context.stores.referrals.get_with_parked(referral_id)
    if referral is None or not referral.is_with_center:
        return False
    candidates = [
        each
        for each in (*parked, *list_parked(referral_id, referral.center_id, stores=context.stores))
        if context.now - each.delivery.received_at <= PARKED_FOR or each.delivery.webhook_id == include_expired
    ]
    found = _find_first_applicable(referral, candidates, context=context)
    if found is None:
        return False
    parked_delivery, decision = found
    event, delivery = parked_delivery.event, parked_delivery.delivery
    if delivery.webhook_id == include_expired:
        decision = _clear_lost_update(decision, delivery, stores=context.stores)
    writes = prepare_delivery_writes(
        decision, event, delivery, referral, context=context, existing_tasks=existing_tasks
    )
    try:
        context.stores.transactions.commit(
            context.stores.delivery_log.prepare_log(delivery, build_delivery_result(decision, event), was_parked=True),
            context.stores.referrals.prepare_unpark(parked_delivery),
            *writes,
        )
    except ConditionFailedError as e:
        # Another run applied it, or the referral changed.
        existing_tasks.update(parse_existing_tasks(e.items))
        raise
    return True


def apply_parked_if_time(referral_id: str, *, context: RunContext) -> None:
    """Apply the parked deliveries that a committed event makes possible, if there is time.

    The event is saved, and its sender gets a success. The relay job applies what is left.
    """
    try:
        apply_parked(referral_id, context=context)
    except UnavailableError:
        log.warning("parked deliveries left to the relay", referral_id=referral_id)


def _clear_lost_update(
    decision: Applied | Recorded | Rejected, delivery: Delivery, *, stores: Stores
) -> Applied | Recorded | Rejected:
    """The decision on a replayed delivery: an update that counted as lost no longer does."""
    logged = stores.delivery_log.get_entry(delivery.center_id, delivery.webhook_id)
    was_lost = logged is not None and logged.result.status is DeliveryStatus.FAILED
    if isinstance(decision, Rejected) or not was_lost:
        return decision
    status = decision.referral.status
    status = replace(status, updates_lost=max(0, status.updates_lost - 1))
    return type(decision)(replace(decision.referral, status=status))


def _find_first_applicable(
    referral: Referral | None, parked: Sequence[ParkedDelivery], *, context: RunContext
) -> tuple[ParkedDelivery, Applied | Recorded | Rejected] | None:
    history = HistoryReader(context)
    for parked_delivery in sorted(parked, key=lambda p: p.event.order):
        decision = decide_delivery(
            referral, parked_delivery.event, parked_delivery.delivery, parked, context=context, history=history
        )
        if not isinstance(decision, Pending):
            return parked_delivery, decision
    return None
