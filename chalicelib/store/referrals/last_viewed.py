"""What each member viewed last: the version of a referral, and how many of the other side's messages.

The table is named `looks`; its attribute `seen` is the viewed version and `messages_seen` the number of
read messages. It is only a convenience: nothing is decided by it, and it does not prove that a person
read something. The audit trail and the read receipts do. Reading a referral writes nothing here; the
dashboard reports what it showed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.referrals.unread import VIEWED_VERSIONS_KEPT_FOR, ViewedReferral
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite

MESSAGES_SEEN_WRITE = "messages seen"
"""The name of the write of read messages in a `ConditionFailedError`."""


@dataclass(frozen=True, slots=True)
class LastViewedStore:
    """Stores what was viewed for as long as a change can be shown as unread."""

    table: DynamoTable

    def list_viewed(self, member_id: str, *, now: datetime) -> Mapping[str, ViewedReferral]:
        """List what a member viewed, by referral."""
        return _rows_to_viewed(self.table.query_all("member_id = :member", {"member": member_id}), now)

    def get_viewed(self, member_id: str, referral_id: str, *, now: datetime) -> Mapping[str, ViewedReferral]:
        """Read what a member viewed of one referral; empty if there is nothing."""
        row = self.table.get({"member_id": member_id, "referral_id": referral_id})
        return _rows_to_viewed([row] if row else [], now)

    def record_viewed(self, member_id: str, referral_id: str, *, version: int, now: datetime) -> None:
        """Record that a member viewed a version. An older version never replaces a newer one."""
        self.table.update(
            {"member_id": member_id, "referral_id": referral_id},
            "SET seen = :seen, expires_at = :end",
            when="attribute_not_exists(seen) OR seen <= :seen",
            values={"seen": version, "end": _to_epoch_second(now + VIEWED_VERSIONS_KEPT_FOR)},
        )

    def prepare_messages_seen(self, member_id: str, referral_id: str, *, count: int, now: datetime) -> TransactionWrite:
        """Build the write of how many of the other side's messages a member has read. It fails for a lower count."""
        return self.table.prepare_update(
            MESSAGES_SEEN_WRITE,
            {"member_id": member_id, "referral_id": referral_id},
            "SET messages_seen = :seen, expires_at = :end",
            when="attribute_not_exists(messages_seen) OR messages_seen <= :seen",
            values={"seen": count, "end": _to_epoch_second(now + VIEWED_VERSIONS_KEPT_FOR)},
        )


def _rows_to_viewed(rows: Iterable[Item], now: datetime) -> Mapping[str, ViewedReferral]:
    return {
        row["referral_id"]: ViewedReferral(version=row.get("seen", 0), messages=row.get("messages_seen", 0))
        for row in rows
        if row["expires_at"] > _to_epoch_second(now)
    }


def _to_epoch_second(at: datetime) -> int:
    return int(at.timestamp())
