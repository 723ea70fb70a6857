"""Stores that send no notices or overdue alerts about events before a given time, and refuse no one for speed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.notices.overdue_alerts import OverdueAlertRows
from chalicelib.store.platform.dynamo import TransactionWrite, marshal
from chalicelib.store.platform.rate_limit import RateLimits


@dataclass(frozen=True, slots=True)
class BackdatedOutbox(Outbox):
    """An outbox in which every task due before `done_until` counts as already done.

    Otherwise the first minute of a demonstration would send two years of notices.
    """

    done_until: datetime

    def prepare_plan(self, task: OutboxTask) -> TransactionWrite:
        """Return the write of a task. An old task is marked as done and left out of the queue index."""
        # A dataclass with slots is a new class, so `super()` without arguments does not work.
        write = Outbox.prepare_plan(self, task)
        if task.due_at >= self.done_until:
            return write
        put = write.request["Put"]
        item = {**put["Item"], **marshal({"state": TaskState.DONE})}
        del item["lane"]
        return TransactionWrite(write.name, {"Put": {**put, "Item": item}})


@dataclass(frozen=True, slots=True)
class BackdatedAlertRows(OverdueAlertRows):
    """Overdue alerts. Only those due from `done_until` on are sent."""

    done_until: datetime

    def prepare_set(self, referral_id: str, alert_times: Sequence[datetime], *, now: datetime) -> TransactionWrite:
        """Return the write of the alert times, without the times before `done_until`."""
        future_times = [at for at in alert_times if at >= self.done_until]
        return OverdueAlertRows.prepare_set(self, referral_id, future_times, now=now)


@dataclass(frozen=True, slots=True)
class UnlimitedRates(RateLimits):
    """Rate limits that refuse no one: the times of the sample data go back and forth."""

    def take_token(self, subject: str, limit: RateLimit, *, now: datetime) -> int:  # noqa: ARG002 as the real one
        """Take a token from a bucket that is always full."""
        return 0
