"""Each member's next digest: one row of the outbox, as long as the person works with patients.

    made a member ── set ──▶ due ── claim ──▶ leased ── move on ──▶ due a week later
                              ▲                 │
    other hours ── set ───────┘                 └── no member any more ──▶ off

Setting it moves the fence on, so a run that claimed the row before can no longer move it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import derive_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import compute_queue_shard
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

DIGEST = "digest"
"""The rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class DigestRows:
    """The rows of the lane `digest`."""

    table: DynamoTable

    def get_last_done_week(self, member_id: str) -> date | None:
        """The last week that a member's digest is done with; None if the member has no row."""
        row = self.table.get({"outbox_id": _derive_row_id(member_id)})
        return parse_last_done_week(row) if row else None

    def prepare_set(self, member: Member, *, last_done_week: date, due: datetime) -> TransactionWrite:
        """The write that sets a member's row to a time.

        Args:
            member: Whose.
            settled: The last week that is done with, by its Monday.
            due: When the next digest is.
        """
        outbox_id = _derive_row_id(member.member_id)
        return self.table.prepare_update(
            DIGEST,
            {"outbox_id": outbox_id},
            "ADD fence :one SET #rule = :rule, #state = :state, lane = :lane, due_at = :due, "
            "planned_for = :due, tries = :none, week = :week, member_id = :member, "
            "subject = :subject, referral_id = :nothing REMOVE waits, #error, lane_before",
            values={
                "one": 1,
                "none": 0,
                "rule": DIGEST,
                "state": TaskState.PLANNED,
                "lane": compute_queue_shard(TaskQueue.DIGEST, outbox_id),
                "due": to_timestamp(due),
                "week": last_done_week.isoformat(),
                "member": member.member_id,
                "subject": member.subject,
                # About no referral of its own, like a mail about several.
                "nothing": "",
            },
            names=_NAMES,
        )

    def prepare_end(self, member_id: str) -> TransactionWrite:
        """The write that takes a member's row off the index."""
        return self.table.prepare_update(
            DIGEST,
            {"outbox_id": _derive_row_id(member_id)},
            "ADD fence :one SET #rule = :rule, #state = :state REMOVE lane",
            values={"one": 1, "rule": DIGEST, "state": TaskState.DONE},
            names={"#rule": "rule", "#state": "state"},
        )

    def set_next_week(self, claim: Claim, *, last_done_week: date, due: datetime) -> bool:
        """Set a claimed row to the next week.

        False if the lease ran out, or the row was set anew meanwhile.
        """
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            "SET due_at = :due, planned_for = :due, tries = :none, week = :week REMOVE waits",
            when="fence = :fence",
            values={
                "due": to_timestamp(due),
                "none": 0,
                "week": last_done_week.isoformat(),
                "fence": claim.fencing_token,
            },
        )


def parse_last_done_week(row: Item) -> date:
    """The last week that a row says is done with."""
    return date.fromisoformat(row["week"])


def _derive_row_id(member_id: str) -> str:
    return derive_id("out", DIGEST, member_id)
