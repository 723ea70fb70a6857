"""Each member's next digest: one row of the outbox, as long as the person works with patients.

    made a member ── set ──▶ due ── claim ──▶ leased ── move on ──▶ due a week later
                              ▲                 │
    other hours ── set ───────┘                 └── no member any more ──▶ off

Setting it moves the fence on, so a run that claimed the row before can no longer move it.
"""

from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.events import derived_id
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import shard_of
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.timestamps import instant

DIGEST = "digest"
"""The rule of the row, and the name of its write."""

_NAMES = {"#rule": "rule", "#state": "state", "#error": "error"}


@dataclass(frozen=True, slots=True)
class DigestRows:
    """The rows of the lane `digest`."""

    table: Table

    def settled(self, member_id: str) -> date | None:
        """The last week that a member's digest is done with; None if the member has no row."""
        row = self.table.get({"outbox_id": _id_of(member_id)})
        return settled_in(row) if row else None

    def setting(self, member: Member, *, settled: date, due: datetime) -> Write:
        """The write that sets a member's row to a time.

        Args:
            member: Whose.
            settled: The last week that is done with, by its Monday.
            due: When the next digest is.
        """
        outbox_id = _id_of(member.member_id)
        return self.table.updating(
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
                "lane": shard_of(Lane.DIGEST, outbox_id),
                "due": instant(due),
                "week": settled.isoformat(),
                "member": member.member_id,
                "subject": member.subject,
                # About no referral of its own, like a mail about several.
                "nothing": "",
            },
            names=_NAMES,
        )

    def ending(self, member_id: str) -> Write:
        """The write that takes a member's row off the index."""
        return self.table.updating(
            DIGEST,
            {"outbox_id": _id_of(member_id)},
            "ADD fence :one SET #rule = :rule, #state = :state REMOVE lane",
            values={"one": 1, "rule": DIGEST, "state": TaskState.DONE},
            names={"#rule": "rule", "#state": "state"},
        )

    def move_on(self, claim: Claim, *, settled: date, due: datetime) -> bool:
        """Set a claimed row to the next week.

        False if the lease ran out, or the row was set anew meanwhile.
        """
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            "SET due_at = :due, planned_for = :due, tries = :none, week = :week REMOVE waits",
            when="fence = :fence",
            values={
                "due": instant(due),
                "none": 0,
                "week": settled.isoformat(),
                "fence": claim.fence,
            },
        )


def settled_in(row: Item) -> date:
    """The last week that a row says is done with."""
    return date.fromisoformat(row["week"])


def _id_of(member_id: str) -> str:
    return derived_id("out", DIGEST, member_id)
