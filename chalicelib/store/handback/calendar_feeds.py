"""The `calendars` table: the secret address of each member's calendar feed.

One row a member, so that a new address ends the one before it. What is kept is a hash: a dump of
the table opens no calendar.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from chalicelib.store.platform.dynamo import Table, Write
from chalicelib.store.platform.timestamps import instant, parsed


@dataclass(frozen=True, slots=True)
class Calendars:
    """Who has a calendar feed."""

    table: Table

    def since(self, member_id: str) -> datetime | None:
        """When the address that is good now was made."""
        row = self.table.get({"member_id": member_id})
        return parsed(row["made_at"]) if row else None

    def making(self, member_id: str, *, subject: str, secret: str, now: datetime) -> Write:
        """The write of a member's address, over the one before."""
        row = {
            "member_id": member_id,
            "subject": subject,
            "secret_hash": _hashed(secret),
            "made_at": instant(now),
        }
        return self.table.putting("calendar", row)

    def ending(self, member_id: str) -> Write:
        """The write that ends a member's address, if there is one."""
        return self.table.deleting("calendar", {"member_id": member_id})

    def subject_of(self, member_id: str, secret: str) -> str | None:
        """Whose feed an address is, by the identity service's id; None for a wrong or ended one."""
        row = self.table.get({"member_id": member_id})
        kept = row["secret_hash"] if row else _hashed("")
        is_it = hmac.compare_digest(kept, _hashed(secret))
        return str(row["subject"]) if row and is_it else None


def _hashed(secret: str) -> str:
    # 128 random bits cannot be guessed from their hash, so nothing slower is needed.
    return hashlib.sha256(secret.encode()).hexdigest()
