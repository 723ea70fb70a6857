"""The history of facts: rows `change#<time>#<id>` in the referral's partition, encrypted.

A row has what one person changed at once, with every value before and after. It is encrypted with the
practice's key, like all patient data. The stored attribute `told` is the encrypted content. These rows
sort before what a decision reads.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.referrals.facts import FactChange, FactRevision
from chalicelib.domain.referrals.stages import Actor
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True)
class FactChanges:
    """Reads and writes what people changed."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def prepare_add(self, referral_id: str, revision: FactRevision, *, scope: str) -> TransactionWrite:
        """Build the write that adds a revision. It never replaces another one. `scope` is the practice."""
        item_key = f"change#{to_timestamp(revision.changed_at)}#{revision.change_id}"
        content = {
            "side": revision.side,
            "actor_name": revision.actor_name,
            "changes": [[each.pointer, each.previous, each.new] for each in revision.changes],
        }
        plaintext = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        item = {
            "referral_id": referral_id,
            "item": item_key,
            "change_id": revision.change_id,
            "changed_at": to_timestamp(revision.changed_at),
            "scope": scope,
            "told": self.encryption.encrypt(
                plaintext, scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
            ),
        }
        return self.table.prepare_put("change", item, when="attribute_not_exists(referral_id)")

    def list_page(
        self, referral_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[FactRevision], Mapping[str, Any] | None]:
        """List one page of a referral's revisions, newest first, strongly consistent."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "change#"},
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [self._item_to_revision(item) for item in page.items], page.next_key

    def _item_to_revision(self, item: Item) -> FactRevision:
        context = f"{item['referral_id']}/{item['item']}"
        content = json.loads(self.encryption.decrypt(item["told"], scope=item["scope"], context=context))
        return FactRevision(
            change_id=item["change_id"],
            changed_at=from_timestamp(item["changed_at"]),
            side=Actor(content["side"]),
            actor_name=content["actor_name"],
            changes=[FactChange(*change) for change in content["changes"]],
        )
