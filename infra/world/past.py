"""An outbox for what is told of the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.notice_rules import Task
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.notices.overdue_alerts import AlarmRows
from chalicelib.store.platform.dynamo import Write, marshal


@dataclass(frozen=True, slots=True)
class PastOutbox(Outbox):
    """Plans what is due from `told_until` on; the rest counts as done in its time.

    Else the first minute of a demonstration would mail two years of news to everybody.
    """

    told_until: datetime

    def planning(self, task: Task) -> Write:
        """The write of a task: as the product plans it, or off the index where it is old."""
        # A dataclass with slots is a new class: `super()` without arguments does not know it.
        write = Outbox.planning(self, task)
        if task.due_at >= self.told_until:
            return write
        put = write.request["Put"]
        item = {**put["Item"], **marshal({"state": TaskState.DONE})}
        del item["lane"]
        return Write(write.name, {"Put": {**put, "Item": item}})


@dataclass(frozen=True, slots=True)
class PastAlarms(AlarmRows):
    """Sets clocks to what rings from `told_until` on; what rang before was heard in its time."""

    told_until: datetime

    def setting(self, referral_id: str, alarms: Sequence[datetime], *, now: datetime) -> Write:
        """The write of a clock, without the alarms that are old."""
        ahead = [at for at in alarms if at >= self.told_until]
        return AlarmRows.setting(self, referral_id, ahead, now=now)
