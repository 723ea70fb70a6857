"""The next alarm of each referral: one row of the outbox, set anew as the referral changes.

    referral changes ── set ──▶ due ── claim ──▶ leased ── move on ──▶ due at the next level
           │                                       │
           └── no alarm any more ──▶ off           └── the last one rang ──▶ off

Setting it moves the fence on, so a run that claimed the row before can no longer move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.overdue_alerts import AlertLevel, LastAlert
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import derive_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import compute_queue_shard
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

OVERDUE_ALERT = "clock"
"""The rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class OverdueAlertRows:
    """The rows of the lane `clock`."""

    table: DynamoTable

    def get(self, referral_id: str) -> Item | None:
        """A referral's row, strongly consistent; None where no clock ever ran."""
        return self.table.get({"outbox_id": _derive_row_id(referral_id)})

    def prepare_set(self, referral_id: str, alert_times: Sequence[datetime], *, now: datetime) -> TransactionWrite:
        """The write that sets a referral's row to its first alarm, or takes it off the index.

        One that has passed already is due now, so that its notice comes after what is known.
        What was told of this stay stays known.
        """
        outbox_id = _derive_row_id(referral_id)
        values: Item = {"referral": referral_id, "rule": OVERDUE_ALERT, "one": 1, "none": 0}
        change = "ADD fence :one SET referral_id = :referral, #rule = :rule, tries = :none, "
        gone = " REMOVE waits, #error, lane_before"
        if alert_times:
            due = to_timestamp(max(alert_times[0], now))
            lane = compute_queue_shard(TaskQueue.CLOCK, outbox_id)
            values |= {"state": TaskState.PLANNED, "due": due, "lane": lane}
            change += "#state = :state, lane = :lane, due_at = :due, planned_for = :due" + gone
        else:
            values |= {"state": TaskState.DONE}
            change += "#state = :state" + gone + ", lane"
        return self.table.prepare_update(OVERDUE_ALERT, {"outbox_id": outbox_id}, change, values=values, names=_NAMES)

    def set_next_level(self, claim: Claim, *, last_alert: LastAlert | None, next_at: datetime | None) -> bool:
        """Set a claimed row to the next level, or take it off the index after the last one.

        False if the lease ran out, or the referral changed meanwhile: then the row was set anew.
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
    """What people were told last of the clock that a row is about."""
    return LastAlert(row["stay"], AlertLevel(row["level"])) if "stay" in row else None


def _derive_row_id(referral_id: str) -> str:
    return derive_id("out", OVERDUE_ALERT, referral_id)
