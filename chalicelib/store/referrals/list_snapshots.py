"""Snapshots of long lists, for their counts: one row for each tenant in the table `idempotency`.

    scope_key          content, as_of, made_with, forgotten, forgotten_at, expires_at
    list#<tenant id>   the snapshot, encrypted with the tenant's key

A snapshot is only a shortcut: without it, the list is counted. It is forgotten when a referral leaves the list, which
only an erasure does; a snapshot that is being made at that time is not stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.item_formats import UnreadableItemError
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

FORGET_WRITE = "list snapshot"
"""The name of the write that forgets a snapshot."""

MAX_BYTES = 390_000
"""The largest snapshot that is stored, encrypted. An item of DynamoDB has at most 400 KB."""

_KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSnapshot:
    """What is stored for a tenant.

    Attributes:
        content: The snapshot, encrypted; None if there is none.
        as_of: The time at which its list was read.
        made_with: The release and the time zone with which it was made; another one cannot use it.
        forgotten: A random text of the last time when a snapshot was forgotten.
        forgotten_at: When that was.
    """

    content: bytes | None = None
    as_of: datetime | None = None
    made_with: str = ""
    forgotten: str | None = None
    forgotten_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListSnapshots:
    """Stores snapshots in the table `idempotency`, where DynamoDB also deletes expired rows."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def read(self, tenant_id: str) -> StoredSnapshot:
        """Read what is stored for a tenant. It is still encrypted."""
        row = self.table.get({"scope_key": _build_key(tenant_id)}) or {}
        return StoredSnapshot(
            content=row.get("content"),
            as_of=from_timestamp(row["as_of"]) if "as_of" in row else None,
            made_with=row.get("made_with", ""),
            forgotten=row.get("forgotten"),
            forgotten_at=from_timestamp(row["forgotten_at"]) if "forgotten_at" in row else None,
        )

    def decrypt(self, content: bytes, tenant_id: str) -> bytes:
        """Decrypt the content of a snapshot.

        Raises:
            UnreadableItemError: it was altered.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 a cold start does not need it

        try:
            return self.encryption.decrypt(content, scope=tenant_id, context=_build_key(tenant_id))
        except InvalidTag as e:
            raise UnreadableItemError("list snapshot", e) from e

    def save(
        self, tenant_id: str, packed: bytes, *, as_of: datetime, made_with: str, read_before: StoredSnapshot
    ) -> bool:
        """Store a snapshot of a list that was read at `as_of`, after `read_before`.

        Return False, and store nothing, if it is too large, if a snapshot was forgotten meanwhile, or if a newer one
        is stored.
        """
        content = self.encryption.encrypt(packed, scope=tenant_id, context=_build_key(tenant_id))
        if len(content) > MAX_BYTES:
            return False
        row = {
            "scope_key": _build_key(tenant_id),
            "content": content,
            "as_of": to_timestamp(as_of),
            "made_with": made_with,
            "forgotten": read_before.forgotten,
            "forgotten_at": to_timestamp(read_before.forgotten_at) if read_before.forgotten_at else None,
            "expires_at": _compute_expiry(as_of),
        }
        values = {"as_of": row["as_of"]}
        is_newest = "attribute_not_exists(as_of) OR as_of <= :as_of"
        if read_before.as_of:
            # Also one whose time is in the future.
            is_newest, values["read"] = f"{is_newest} OR as_of = :read", to_timestamp(read_before.as_of)
        is_not_forgotten = "attribute_not_exists(forgotten)"
        if read_before.forgotten:
            is_not_forgotten, values["forgotten"] = "forgotten = :forgotten", read_before.forgotten
        return self.table.put(row, when=f"{is_not_forgotten} AND ({is_newest})", values=values, may_conflict=True)

    def prepare_forget(self, tenant_id: str, *, now: datetime) -> TransactionWrite:
        """Build the write that forgets the snapshot of a tenant, also one that is being made."""
        row = {
            "scope_key": _build_key(tenant_id),
            "forgotten": token_hex(8),
            "forgotten_at": to_timestamp(now),
            "expires_at": _compute_expiry(now),
        }
        return self.table.prepare_put(FORGET_WRITE, row)


def _compute_expiry(at: datetime) -> int:
    return int((at + _KEPT_FOR).timestamp())


def _build_key(tenant_id: str) -> str:
    return f"list#{tenant_id}"
