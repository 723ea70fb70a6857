"""The practice directory: rows `directory#<practice>` in the `referrals` table, one for each entry.

Each row is encrypted with the practice's key. Its id is a keyed hash, so the table shows how many providers
and payers a practice used and when, but not who they are. Two referrals that are submitted at the same moment
write different rows. If both used the same entry, the later use stays.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.platform.ids import encode_id
from chalicelib.domain.referrals.practice_directory import DirectoryEntry, EntryKind, KnownEntry
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

DIRECTORY_WRITE = "directory"
"""The name of a write of the directory. If it fails, another referral was faster, and the change is decided again."""

_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class PracticeDirectories:
    """Reads and writes the entries of each practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def list_entries(self, practice_id: str) -> Sequence[KnownEntry]:
        """List every entry of a practice in no particular order, strongly consistent."""
        rows = self.table.query_all("referral_id = :id", {"id": _build_partition(practice_id)})
        return [self._row_to_entry(row, practice_id) for row in rows]

    def prepare_use(self, entry: DirectoryEntry, *, practice_id: str, now: datetime) -> TransactionWrite:
        """Build the write that stores an entry as used now. It fails if the stored one was used later."""
        entry_id = self._build_entry_id(entry, practice_id)
        partition = _build_partition(practice_id)
        content = {name: getattr(entry, name) for name in ("kind", "name", "npi", "phone", "email")}
        plaintext = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        row = {
            "referral_id": partition,
            "item": entry_id,
            "used_at": to_timestamp(now),
            "content": self.encryption.encrypt(plaintext, scope=practice_id, context=f"{partition}/{entry_id}"),
        }
        return self.table.prepare_put(
            DIRECTORY_WRITE,
            row,
            when="attribute_not_exists(referral_id) OR used_at <= :now",
            values={"now": to_timestamp(now)},
        )

    def prepare_forget(self, known: KnownEntry, *, practice_id: str) -> TransactionWrite:
        """Build the write that removes an entry. It fails if the entry was used or removed after it was read."""
        return self.table.prepare_delete(
            DIRECTORY_WRITE,
            {"referral_id": _build_partition(practice_id), "item": known.entry_id},
            when="used_at = :read",
            values={"read": to_timestamp(known.used_at)},
        )

    def _build_entry_id(self, entry: DirectoryEntry, practice_id: str) -> str:
        index = self.encryption.compute_blind_index(f"directory/{entry.identity}", scope=practice_id)
        return f"dir_{encode_id(index[:_ID_BYTES])}"

    def _row_to_entry(self, row: Item, practice_id: str) -> KnownEntry:
        context = f"{row['referral_id']}/{row['item']}"
        content = json.loads(self.encryption.decrypt(row["content"], scope=practice_id, context=context))
        return KnownEntry(
            entry_id=row["item"],
            entry=DirectoryEntry(**content | {"kind": EntryKind(content["kind"])}),
            used_at=from_timestamp(row["used_at"]),
        )


def _build_partition(practice_id: str) -> str:
    return f"directory#{practice_id}"
