"""The `calendars` table: the secret address of each member's calendar feed.

Each member has one row, so a new address ends the previous one. Only a hash of the secret is stored,
so a dump of the table gives access to no calendar.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True)
class CalendarFeeds:
    """Stores the calendar feed of each member who has one."""

    table: DynamoTable

    def get_created_at(self, member_id: str) -> datetime | None:
        """Read when the current address was created."""
        row = self.table.get({"member_id": member_id})
        return from_timestamp(row["made_at"]) if row else None

    def prepare_create(self, member_id: str, *, subject: str, secret: str, now: datetime) -> TransactionWrite:
        """Build the write that replaces a member's address with a new one."""
        row = {
            "member_id": member_id,
            "subject": subject,
            "secret_hash": _hash_secret(secret),
            "made_at": to_timestamp(now),
        }
        return self.table.prepare_put("calendar", row)

    def prepare_end(self, member_id: str) -> TransactionWrite:
        """Build the write that ends a member's address, if there is one."""
        return self.table.prepare_delete("calendar", {"member_id": member_id})

    def find_owner(self, member_id: str, secret: str) -> str | None:
        """Find the owner of an address, as the identity service's id. None for a wrong or ended address."""
        row = self.table.get({"member_id": member_id})
        stored_hash = row["secret_hash"] if row else _hash_secret("")
        matches = hmac.compare_digest(stored_hash, _hash_secret(secret))
        return str(row["subject"]) if row and matches else None


def _hash_secret(secret: str) -> str:
    # 128 random bits cannot be guessed from their hash, so no slower hash is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
