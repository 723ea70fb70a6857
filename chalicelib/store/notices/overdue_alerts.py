"""The next alarm of each referral: one row of the outbox, set anew as the referral changes.

    referral changes ── set ──▶ due ── claim ──▶ leased ── move on ──▶ due at the next level
           │                                       │
           └── no alarm any more ──▶ off           └── the last one rang ──▶ off

Setting it moves the fence on, so a run that claimed the row before can no longer move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.notices.overdue_alerts import AlarmLevel, Rung
from chalicelib.domain.referrals.events import derived_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import shard_of
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.timestamps import instant

CLOCK = "clock"
"""The rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class AlarmRows:
    """The rows of the lane `clock`."""

    table: Table

    def get(self, referral_id: str) -> Item | None:
        """A referral's row, strongly consistent; None where no clock ever ran."""
        return self.table.get({"outbox_id": _id_of(referral_id)})

    def setting(self, referral_id: str, alarms: Sequence[datetime], *, now: datetime) -> Write:
        """The write that sets a referral's row to its first alarm, or takes it off the index.

        One that has passed already is due now, so that its notice comes after what is known.
        What was told of this stay stays known.
        """
        outbox_id = _id_of(referral_id)
        told: Item = {"referral": referral_id, "rule": CLOCK, "one": 1, "none": 0}
        change = "ADD fence :one SET referral_id = :referral, #rule = :rule, tries = :none, "
        gone = " REMOVE waits, #error, lane_before"
        if alarms:
            due = instant(max(alarms[0], now))
            lane = shard_of(Lane.CLOCK, outbox_id)
            told |= {"state": TaskState.PLANNED, "due": due, "lane": lane}
            change += "#state = :state, lane = :lane, due_at = :due, planned_for = :due" + gone
        else:
            told |= {"state": TaskState.DONE}
            change += "#state = :state" + gone + ", lane"
        return self.table.updating(
            CLOCK, {"outbox_id": outbox_id}, change, values=told, names=_NAMES
        )

    def move_on(self, claim: Claim, *, told: Rung | None, next_at: datetime | None) -> bool:
        """Set a claimed row to the next level, or take it off the index after the last one.

        False if the lease ran out, or the referral changed meanwhile: then the row was set anew.
        """
        values: Item = {"fence": claim.fence, "none": 0}
        change = "SET tries = :none, #state = :state"
        if told:
            values |= {"stay": told.stay, "level": told.level}
            change += ", stay = :stay, #level = :level"
        if next_at:
            values |= {"state": TaskState.PLANNED, "due": instant(next_at)}
            change += ", due_at = :due, planned_for = :due REMOVE waits"
        else:
            values |= {"state": TaskState.DONE}
            change += " REMOVE waits, lane"
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values=values,
            names={"#state": "state"} | ({"#level": "level"} if told else {}),
        )


def told_of(row: Item) -> Rung | None:
    """What people were told last of the clock that a row is about."""
    return Rung(row["stay"], AlarmLevel(row["level"])) if "stay" in row else None


def _id_of(referral_id: str) -> str:
    return derived_id("out", CLOCK, referral_id)
