"""The `audit` table: who read or wrote which referral, refused tries too. Append-only.

A row names people, ids and outcomes, never what was read or written.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.events import spelled
from chalicelib.store.dynamo import Item, Table, Write
from chalicelib.store.instants import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One touch of a referral.

    Attributes:
        referral_id: The referral, or `list#<tenant>` for a page of a list.
        actor_id: A member, a center's feed, or a job.
        action: What was tried, as `referral.read` or `event.accepted`.
        outcome: `allowed` or the code of the refusal.
    """

    referral_id: str
    at: datetime
    actor_id: str
    tenant_id: str
    action: str
    outcome: str = "allowed"
    request_id: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """Appends entries; nothing changes or removes one."""

    table: Table

    def appending(self, entry: AuditEntry, *, name: str = "audit") -> Write:
        """The write that goes into the transaction of what it reports."""
        return self.table.putting(name, _item(entry), when="attribute_not_exists(referral_id)")

    def append(self, entry: AuditEntry) -> None:
        """Report something that wrote nothing else: a read, or a refusal."""
        self.table.put(_item(entry), when="attribute_not_exists(referral_id)")


def _item(entry: AuditEntry) -> Item:
    return {
        "referral_id": entry.referral_id,
        # The random tail keeps two entries of one microsecond apart.
        "entry": f"{instant(entry.at)}#{spelled(secrets.token_bytes(8))}",
        "actor_id": entry.actor_id,
        "tenant_id": entry.tenant_id,
        "action": entry.action,
        "outcome": entry.outcome,
        "request_id": entry.request_id,
        "version": entry.version,
    }
