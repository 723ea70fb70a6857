"""The next overdue alert of each referral: one outbox row, set again when the referral changes.

    referral changes ── set ──▶ due ── claim ──▶ leased ── next level ──▶ due at the next level
           │                                       │
           └── no more alerts ──▶ off the index    └── the last alert was sent ──▶ off the index

Each `set` raises the fencing token, so a run that claimed the row before can no longer change it.

Stored names: the rule and the queue are named `clock`. The attributes `stay` and `level` are the stage
visit and the level of the last alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.overdue_alerts import AlertLevel, LastAlert
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import compute_queue_shard
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

OVERDUE_ALERT = "clock"
"""The notice rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class OverdueAlertRows:
    """The rows of the queue `clock`."""

    table: DynamoTable

    def get(self, referral_id: str) -> Item | None:
        """Read a referral's row, strongly consistent; None if it never had a turnaround limit."""
        return self.table.get({"outbox_id": _derive_row_id(referral_id)})

    def prepare_set(self, referral_id: str, alert_times: Sequence[datetime], *, now: datetime) -> TransactionWrite:
        """Build the write that schedules a referral's first alert, or removes its row from the index.

        An alert whose time has passed is due now, so that its notice comes after the change. The last
        alert of this stage visit stays in the row.
        """
        outbox_id = _derive_row_id(referral_id)
        values: Item = {"referral": referral_id, "rule": OVERDUE_ALERT, "one": 1, "none": 0}
        change = "ADD fence :one SET referral_id = :referral, #rule = :rule, tries = :none, "
        cleared = " REMOVE waits, #error, lane_before"
        if alert_times:
            due = to_timestamp(max(alert_times[0], now))
            lane = compute_queue_shard(TaskQueue.OVERDUE, outbox_id)
            values |= {"state": TaskState.PLANNED, "due": due, "lane": lane}
            change += "#state = :state, lane = :lane, due_at = :due, planned_for = :due" + cleared
        else:
            values |= {"state": TaskState.DONE}
            change += "#state = :state" + cleared + ", lane"
        return self.table.prepare_update(OVERDUE_ALERT, {"outbox_id": outbox_id}, change, values=values, names=_NAMES)

    def set_last_alert(self, referral_id: str, last_alert: LastAlert | None) -> None:
        """Store which alert was sent last, after a restore: None if none of this stage visit was."""
        if last_alert:
            change = "SET stay = :stay, #level = :level"
            values: Item = {"one": 1, "stay": last_alert.stage_visit, "level": last_alert.level}
        else:
            change, values = "REMOVE stay, #level", {"one": 1}
        self.table.update(
            {"outbox_id": _derive_row_id(referral_id)},
            f"ADD fence :one {change}",
            when="attribute_exists(outbox_id)",
            values=values,
            names={"#level": "level"},
        )

    def set_next_level(self, claim: Claim, *, last_alert: LastAlert | None, next_at: datetime | None) -> bool:
        """Schedule a claimed row for the next level, or remove it from the index after the last one.

        Return False if the lease ended, or if the referral changed in the meantime, which sets the row
        again.
        """
        values: Item = {"fence": claim.fencing_token, "none": 0}
        change = "SET tries = :none, #state = :state"
        if last_alert:
            values |= {"stay": last_alert.stage_visit, "level": last_alert.level}
            change += ", stay = :stay, #level = :level"
        if next_at:
            values |= {"state": TaskState.PLANNED, "due": to_timestamp(next_at)}
            change += ", due_at = :due, planned_for = :due REMOVE waits"
        else:
            values |= {"state": TaskState.DONE}
            change += " REMOVE waits, lane"
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values=values,
            names={"#state": "state"} | ({"#level": "level"} if last_alert else {}),
        )


def parse_last_alert(row: Item) -> LastAlert | None:
    """Read the last overdue alert that was sent from a row; None if there was none."""
    return LastAlert(row["stay"], AlertLevel(row["level"])) if "stay" in row else None


def _derive_row_id(referral_id: str) -> str:
    return derive_id("out", OVERDUE_ALERT, referral_id)
