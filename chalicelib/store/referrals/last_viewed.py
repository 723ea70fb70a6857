"""The version of a referral that each member viewed last; changes after it are unread.

The table is named `looks`, and its attribute `seen` is the viewed version. It is only a convenience:
nothing is decided by it, and it does not prove that a person read something. The audit trail does.
Reading a referral writes nothing here; the dashboard reports which version it showed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.referrals.unread import VIEWED_VERSIONS_KEPT_FOR
from chalicelib.store.platform.dynamo import DynamoTable


@dataclass(frozen=True, slots=True)
class LastViewedStore:
    """Stores viewed versions for as long as a change can be shown as unread."""

    table: DynamoTable

    def list_viewed(self, member_id: str, *, now: datetime) -> Mapping[str, int]:
        """List the versions that a member viewed, by referral."""
        rows = self.table.query_all("member_id = :member", {"member": member_id})
        return {row["referral_id"]: row["seen"] for row in rows if row["expires_at"] > _to_epoch_second(now)}

    def get_viewed(self, member_id: str, referral_id: str, *, now: datetime) -> Mapping[str, int]:
        """Read the version of one referral that a member viewed; empty if there is none."""
        row = self.table.get({"member_id": member_id, "referral_id": referral_id})
        return {referral_id: row["seen"]} if row and row["expires_at"] > _to_epoch_second(now) else {}

    def record_viewed(self, member_id: str, referral_id: str, *, version: int, now: datetime) -> None:
        """Record that a member viewed a version. An older version never replaces a newer one."""
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
