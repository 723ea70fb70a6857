"""What was planned, when its day has come: whether it still makes sense, and in which words."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.notices.notice_rules import Moved, Task
from chalicelib.domain.notices.planning import WhyNot, why_not
from chalicelib.domain.referrals.monitoring_window import local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import UnavailableError
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import Claim
from chalicelib.store.notices.planned_tasks import skipping, told_before
from chalicelib.store.platform.transactions import ConditionFailed

REREADS = 8
"""How often it is decided anew because the referral changed meanwhile."""

ON_TIME = timedelta(days=1)
"""How many days after its own a notice says nothing of being late."""


def wanted(claim: Claim, *, stores: Stores, now: datetime) -> Referral | None:
    """The referral of a task that is to be done; None if it was skipped, with why.

    It is skipped only while the referral is as it was read. Else a hold that ends at the same
    moment would find the task waiting, and leave to it what it is about to leave out.
    """
    for _ in range(REREADS):
        referral = stores.referrals.get(claim.task.referral_id)
        why = why_not(claim.task, referral) if referral else WhyNot.CLOSED
        if why is None:
            return referral
        try:
            stores.ledger.commit(
                skipping(stores.outbox, claim, why, now=now),
                stores.referrals.unchanged(claim.task.referral_id, referral),
            )
        except ConditionFailed as e:
            if "referral" in e.items:
                continue
            # The lease ran out, and it is another run's to decide.
        return None
    raise UnavailableError("busy")


def worded(task: Task, referral: Referral, *, stores: Stores, now: datetime) -> Task:
    """The task, knowing whether it is late and whether its reader was told another day before."""
    if task.due_on is None or referral.window is None:
        return task
    late_by = local_day(now, referral.window.time_zone) - task.due_on
    return replace(task, is_late=late_by > ON_TIME, moved=_moved(task, stores=stores))


def _moved(task: Task, *, stores: Stores) -> Moved | None:
    earlier = told_before(stores.outbox, task)
    if earlier is None:
        return None
    is_corrected = earlier.counted_from != task.counted_from
    return Moved.CORRECTED if is_corrected else Moved.EXTENDED
