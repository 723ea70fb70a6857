"""Transition-of-care summaries: rows `handback#<version>` in the referral's partition.

Every version is kept. The summary is encrypted with the practice's key, like all patient data: the
practice cares for the patient, and its key remains after a center's access ends. The stored
attribute `told` is the encrypted summary. These rows sort before what a decision reads.
"""

import json
from dataclasses import dataclass

from chalicelib.domain.handback.package import HandbackVersion
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

HANDBACK_WRITE = "handback"
"""The name of the write of a version in a `ConditionFailedError`."""


@dataclass(frozen=True, slots=True)
class HandbackVersions:
    """Reads and writes transition-of-care summaries in the `referrals` table."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get_latest(self, referral_id: str, *, scope: str) -> HandbackVersion | None:
        """Read the newest version, strongly consistent. `scope` is the practice."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "handback#"},
            limit=1,
            newest_first=True,
        )
        return self._item_to_handback(page.items[0], scope) if page.items else None

    def prepare_add(self, referral_id: str, handback: HandbackVersion, *, scope: str) -> TransactionWrite:
        """Build the write of the next version. It fails if someone already wrote that version."""
        item_key = _build_item_key(handback.version)
        plaintext = json.dumps(
            {"package": handback.package, "written_by": handback.written_by}, separators=(",", ":"), ensure_ascii=False
        )
        item = {
            "referral_id": referral_id,
            "item": item_key,
            "version": handback.version,
            "written_at": to_timestamp(handback.written_at),
            "told": self.encryption.encrypt(
                plaintext.encode(), scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
            ),
        }
        return self.table.prepare_put(HANDBACK_WRITE, item, when="attribute_not_exists(referral_id)")

    def _item_to_handback(self, item: Item, scope: str) -> HandbackVersion:
        context = f"{item['referral_id']}/{item['item']}"
        content = json.loads(self.encryption.decrypt(item["told"], scope=scope, context=context))
        return HandbackVersion(
            version=item["version"],
            package=content["package"],
            written_at=from_timestamp(item["written_at"]),
            written_by=content["written_by"],
        )


def _build_item_key(version: int) -> str:
    return f"handback#{version:06d}"
