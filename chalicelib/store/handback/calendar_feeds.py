"""The `calendars` table: the secret address of each member's calendar feed.

One row a member, so that a new address ends the one before it. What is kept is a hash: a dump of
the table opens no calendar.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True)
class CalendarFeeds:
    """Who has a calendar feed."""

    table: DynamoTable

    def get_created_at(self, member_id: str) -> datetime | None:
        """When the address that is good now was made."""
        row = self.table.get({"member_id": member_id})
        return from_timestamp(row["made_at"]) if row else None

    def prepare_create(self, member_id: str, *, subject: str, secret: str, now: datetime) -> TransactionWrite:
        """The write of a member's address, over the one before."""
        row = {
            "member_id": member_id,
            "subject": subject,
            "secret_hash": _hash_secret(secret),
            "made_at": to_timestamp(now),
        }
        return self.table.prepare_put("calendar", row)

    def prepare_end(self, member_id: str) -> TransactionWrite:
        """The write that ends a member's address, if there is one."""
        return self.table.prepare_delete("calendar", {"member_id": member_id})

    def find_owner(self, member_id: str, secret: str) -> str | None:
        """Whose feed an address is, by the identity service's id; None for a wrong or ended one."""
        row = self.table.get({"member_id": member_id})
        stored_hash = row["secret_hash"] if row else _hash_secret("")
        is_it = hmac.compare_digest(stored_hash, _hash_secret(secret))
        return str(row["subject"]) if row and is_it else None


def _hash_secret(secret: str) -> str:
    # 128 random bits cannot be guessed from their hash, so nothing slower is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
