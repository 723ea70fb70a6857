"""Letters of medical necessity: rows `coverage_letter#<version>` in the referral's partition, encrypted.

Every version is kept. These rows sort before what a decision reads.
"""

from dataclasses import dataclass

from chalicelib.domain.coverage.letter import LetterVersion
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

_PREFIX = "coverage_letter#"


@dataclass(frozen=True, slots=True)
class CoverageLetters:
    """Reads and writes letters in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get_latest(self, referral_id: str, *, scope: str) -> LetterVersion | None:
        """Read the newest version, strongly consistent."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": _PREFIX},
            limit=1,
            newest_first=True,
        )
        if not page.items:
            return None
        item = page.items[0]
        context = f"{referral_id}/{item['item']}"
        return codec.from_json(LetterVersion, self.encryption.decrypt(item["told"], scope=scope, context=context))

    def prepare_add(self, referral_id: str, letter: LetterVersion, *, scope: str) -> TransactionWrite:
        """Build the write of the next version. It fails if someone already wrote that version."""
        item_key = f"{_PREFIX}{letter.version:06d}"
        plaintext = codec.to_json(LetterVersion, letter).encode()
        item = {
            "referral_id": referral_id,
            "item": item_key,
            "told": self.encryption.encrypt(
                plaintext, scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
            ),
        }
        return self.table.prepare_put("coverage_letter", item, when="attribute_not_exists(referral_id)")
