"""What was planned, when its day has come: whether it still makes sense, and in which words."""

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
"""How many days after its own a notice says nothing of being late."""


def skip_if_obsolete(claim: Claim, *, context: RunContext) -> Referral | None:
    """The referral of a task that is to be done; None if it was skipped, with why.

    It is skipped only while the referral is as it was read. Else a hold that ends at the same
    moment would find the task waiting, and leave to it what it is about to leave out.
    """

    def attempt() -> Referral | None:
        referral = context.stores.referrals.get(claim.task.referral_id)
        why = find_skip_reason(claim.task, referral) if referral else SkipReason.CLOSED
        if why is None:
            return referral
        try:
            context.stores.transactions.commit(
                prepare_skip(context.stores.outbox, claim, why, now=context.now),
                context.stores.referrals.prepare_check_unchanged(claim.task.referral_id, referral),
            )
        except ConditionFailedError as e:
            if "referral" in e.items:
                raise
            # The lease ran out, and it is another run's to decide.
        return None

    return commit_with_retry(attempt)


def with_lateness(task: OutboxTask, referral: Referral, *, context: RunContext) -> OutboxTask:
    """The task, knowing whether it is late and whether its reader was told another day before."""
    if task.due_on is None or referral.window is None:
        return task
    late_by = to_local_day(context.now, referral.window.time_zone) - task.due_on
    return replace(task, is_late=late_by > ON_TIME_WITHIN, date_change=_find_date_change(task, stores=context.stores))


def _find_date_change(task: OutboxTask, *, stores: Stores) -> DateChangeReason | None:
    earlier = find_replaced_notice(stores.outbox, task)
    if earlier is None:
        return None
    is_corrected = earlier.infused_on != task.infused_on
    return DateChangeReason.CORRECTED if is_corrected else DateChangeReason.EXTENDED
