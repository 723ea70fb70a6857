"""An outbox for what is told of the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.notices.overdue_alerts import OverdueAlertRows
from chalicelib.store.platform.dynamo import TransactionWrite, marshal


@dataclass(frozen=True, slots=True)
class BackdatedOutbox(Outbox):
    """Plans what is due from `told_until` on; the rest counts as done in its time.

    Else the first minute of a demonstration would mail two years of news to everybody.
    """

    done_until: datetime

    def prepare_plan(self, task: OutboxTask) -> TransactionWrite:
        """The write of a task: as the product plans it, or off the index where it is old."""
        # A dataclass with slots is a new class: `super()` without arguments does not know it.
        write = Outbox.prepare_plan(self, task)
        if task.due_at >= self.done_until:
            return write
        put = write.request["Put"]
        item = {**put["Item"], **marshal({"state": TaskState.DONE})}
        del item["lane"]
        return TransactionWrite(write.name, {"Put": {**put, "Item": item}})


@dataclass(frozen=True, slots=True)
class BackdatedAlertRows(OverdueAlertRows):
    """Sets clocks to what rings from `told_until` on; what rang before was heard in its time."""

    done_until: datetime

    def prepare_set(self, referral_id: str, alert_times: Sequence[datetime], *, now: datetime) -> TransactionWrite:
        """The write of a clock, without the alarms that are old."""
        ahead = [at for at in alert_times if at >= self.done_until]
        return OverdueAlertRows.prepare_set(self, referral_id, ahead, now=now)
