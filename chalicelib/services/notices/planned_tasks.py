"""A planned task when it is due: whether it is still needed, and whether its text must mention a delay."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.notices.planning import SkipReason, find_skip_reason
from chalicelib.domain.notices.tasks import DateChangeReason, OutboxTask
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import Claim
from chalicelib.store.notices.planned_tasks import find_replaced_notice, prepare_skip
from chalicelib.store.platform.transactions import ConditionFailedError

ON_TIME_WITHIN = timedelta(days=1)
"""How many days after its due day the text of a notice does not mention a delay."""


def skip_if_obsolete(claim: Claim, *, context: RunContext) -> Referral | None:
    """Skip a task that is obsolete and record why. Return the referral if the task is still needed.

    The task is skipped only while the referral is as it was read. Otherwise a hold that ends at the same
    moment would find the task waiting and not plan it again, and the task would then be skipped.
    """

    def attempt() -> Referral | None:
        referral = context.stores.referrals.get(claim.task.referral_id)
        skip_reason = find_skip_reason(claim.task, referral) if referral else SkipReason.CLOSED
        if skip_reason is None:
            return referral
        try:
            context.stores.transactions.commit(
                prepare_skip(context.stores.outbox, claim, skip_reason, now=context.now),
                context.stores.referrals.prepare_check_unchanged(claim.task.referral_id, referral),
            )
        except ConditionFailedError as e:
            if "referral" in e.items:
                raise
            # The lease ended, so another run decides.
        return None

    return commit_with_retry(attempt)


def with_lateness(task: OutboxTask, referral: Referral, *, context: RunContext) -> OutboxTask:
    """Add to a task whether it is late, and whether its reader was notified about another day before."""
    if task.due_on is None or referral.window is None:
        return task
    late_by = to_local_day(context.now, referral.window.time_zone) - task.due_on
    return replace(
        task,
        is_late=late_by > ON_TIME_WITHIN,
        date_change=_find_date_change(task, stores=context.stores),
        is_product_named=referral.window.profile.is_product_named,
    )


def _find_date_change(task: OutboxTask, *, stores: Stores) -> DateChangeReason | None:
    earlier = find_replaced_notice(stores.outbox, task)
    if earlier is None:
        return None
    is_corrected = earlier.infused_on != task.infused_on
    return DateChangeReason.CORRECTED if is_corrected else DateChangeReason.EXTENDED
