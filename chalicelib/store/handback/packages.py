"""Hand-back packages: rows `handback#<version>` in the referral's partition, each kept.

Sealed with the practice's key, like all that is about the patient: the practice looks after
them, and its key is what outlives a center's access. They sort before what a decision reads.
"""

import json
from dataclasses import dataclass

from chalicelib.domain.handback.package import Handback
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.timestamps import instant, parsed

WRITTEN = "handback"
"""The name of the write of a version, in a refusal."""


@dataclass(frozen=True, slots=True)
class Handbacks:
    """Reads and writes of the packages of the `referrals` table."""

    table: Table
    vault: Vault

    def latest(self, referral_id: str, *, scope: str) -> Handback | None:
        """The newest version, strongly consistent; `scope` is the practice."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "handback#"},
            limit=1,
            newest_first=True,
        )
        return self._handback(page.items[0], scope) if page.items else None

    def adding(self, referral_id: str, handback: Handback, *, scope: str) -> Write:
        """The write of one version more; refused if somebody wrote that version already."""
        place = _place(handback.version)
        told = json.dumps(
            {"package": handback.package, "written_by": handback.written_by},
            separators=(",", ":"),
            ensure_ascii=False,
        )
        item = {
            "referral_id": referral_id,
            "item": place,
            "version": handback.version,
            "written_at": instant(handback.written_at),
            "told": self.vault.seal(told.encode(), scope=scope, place=f"{referral_id}/{place}"),
        }
        return self.table.putting(WRITTEN, item, when="attribute_not_exists(referral_id)")

    def _handback(self, item: Item, scope: str) -> Handback:
        place = f"{item['referral_id']}/{item['item']}"
        told = json.loads(self.vault.open(item["told"], scope=scope, place=place))
        return Handback(
            version=item["version"],
            package=told["package"],
            written_at=parsed(item["written_at"]),
            written_by=told["written_by"],
        )


def _place(version: int) -> str:
    return f"handback#{version:06d}"
