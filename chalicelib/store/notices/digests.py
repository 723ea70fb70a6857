"""The next weekly digest of each member: one outbox row, while the member works with patients.

    became a member ── set ──▶ due ── claim ──▶ leased ── next week ──▶ due a week later
                                ▲                 │
    changed hours ── set ───────┘                 └── no longer a member ──▶ off the index

Each `set` raises the fencing token, so a run that claimed the row before can no longer change it. The
stored attribute `week` is the last week that is done.
"""

from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import compute_queue_shard
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

DIGEST = "digest"
"""The notice rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class DigestRows:
    """The rows of the queue `digest`."""

    table: DynamoTable

    def get_last_done_week(self, member_id: str) -> date | None:
        """Read the last week for which a member's digest is done; None if the member has no row."""
        row = self.table.get({"outbox_id": _derive_row_id(member_id)})
        return parse_last_done_week(row) if row else None

    def prepare_set(self, member: Member, *, last_done_week: date, due: datetime) -> TransactionWrite:
        """Build the write that schedules a member's digest.

        Args:
            member: Who gets the digest.
            last_done_week: The last week that is done, by its Monday.
            due: When the next digest is due.
        """
        outbox_id = _derive_row_id(member.member_id)
        return self.table.prepare_update(
            DIGEST,
            {"outbox_id": outbox_id},
            "ADD fence :one SET #rule = :rule, #state = :state, lane = :lane, due_at = :due, "
            "planned_for = :due, tries = :none, week = :week, member_id = :member, "
            "subject = :subject, referral_id = :no_referral REMOVE waits, #error, lane_before",
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
                # Not about one referral, like an email about several referrals.
                "no_referral": "",
            },
            names=_NAMES,
        )

    def prepare_follow(self, member: Member) -> TransactionWrite | None:
        """Build the write after which a member's digest is sent to the new account; None if the member has no row.

        A run that has claimed the row ends without a result, and the digest is claimed again.
        """
        key = {"outbox_id": _derive_row_id(member.member_id)}
        if self.table.get(key) is None:
            return None
        values = {"one": 1, "subject": member.subject}
        return self.table.prepare_update(DIGEST, key, "ADD fence :one SET subject = :subject", values=values)

    def prepare_end(self, member_id: str) -> TransactionWrite:
        """Build the write that removes a member's row from the index."""
        return self.table.prepare_update(
            DIGEST,
            {"outbox_id": _derive_row_id(member_id)},
            "ADD fence :one SET #rule = :rule, #state = :state REMOVE lane",
            values={"one": 1, "rule": DIGEST, "state": TaskState.DONE},
            names={"#rule": "rule", "#state": "state"},
        )

    def set_done_week(self, member_id: str, week: date) -> None:
        """Record that the digest of a week was sent, after a restore set the row back."""
        self.table.update(
            {"outbox_id": _derive_row_id(member_id)},
            "SET week = :week",
            when="week < :week",
            values={"week": week.isoformat()},
        )

    def set_next_week(self, claim: Claim, *, last_done_week: date, due: datetime) -> bool:
        """Schedule a claimed row for the next week.

        Return False if the lease ended, or if the row was set again in the meantime.
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
    """Read the last week that is done from a row."""
    return date.fromisoformat(row["week"])


def _derive_row_id(member_id: str) -> str:
    return derive_id("out", DIGEST, member_id)
