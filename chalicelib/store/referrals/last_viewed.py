"""The `looks` table: which version of a referral a member saw last.

Only a convenience: nothing is decided by it, and it is no proof that somebody read something,
which is in the audit trail. Reading writes nothing here: a person's page says what it has shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.referrals.unread import VIEWED_VERSIONS_KEPT_FOR
from chalicelib.store.platform.dynamo import DynamoTable


@dataclass(frozen=True, slots=True)
class LastViewedStore:
    """Remembers what members saw, for as long as it may be news to them."""

    table: DynamoTable

    def list_viewed(self, member_id: str, *, now: datetime) -> Mapping[str, int]:
        """The versions that a member saw, by referral."""
        rows = self.table.query_all("member_id = :member", {"member": member_id})
        return {row["referral_id"]: row["seen"] for row in rows if row["expires_at"] > _to_epoch_second(now)}

    def get_viewed(self, member_id: str, referral_id: str, *, now: datetime) -> Mapping[str, int]:
        """The same for one referral."""
        row = self.table.get({"member_id": member_id, "referral_id": referral_id})
        return {referral_id: row["seen"]} if row and row["expires_at"] > _to_epoch_second(now) else {}

    def record_viewed(self, member_id: str, referral_id: str, *, version: int, now: datetime) -> None:
        """Say that a member saw a version; an older one never replaces a newer one."""
        self.table.put(
            {
                "member_id": member_id,
                "referral_id": referral_id,
                "seen": version,
                "expires_at": _to_epoch_second(now + VIEWED_VERSIONS_KEPT_FOR),
            },
            when="attribute_not_exists(member_id) OR seen <= :seen",
            values={"seen": version},
        )


def _to_epoch_second(at: datetime) -> int:
    return int(at.timestamp())
