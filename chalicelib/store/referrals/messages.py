"""Messages between the two teams of a referral, and who read them, in the referral's partition.

    item                                        what
    message#<number>                            a message; its text and its sender's name are encrypted
    message_read#<number>#<member id>           a member of the other side read the messages up to this number

A message is never changed. A receipt is written once and keeps its first time. Both are encrypted with
the practice's key, like all patient data. These rows sort before what a decision reads.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.referrals.messages import Message, ReadReceipt
from chalicelib.domain.referrals.stages import Actor
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

RECEIPT_WRITE = "read receipt"
"""The name of the write of a receipt in a `ConditionFailedError`."""

_Position = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Messages:
    """Reads and writes messages in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, number: int, *, scope: str) -> Message | None:
        """Read one message by its number."""
        item = self.table.get({"referral_id": referral_id, "item": f"message#{number:06d}"})
        return self._item_to_message(item, scope) if item else None

    def list_page(
        self, referral_id: str, *, scope: str, limit: int, start: _Position
    ) -> tuple[Sequence[Message], _Position]:
        """List one page of the messages, newest first, strongly consistent."""
        page = self.table.query(
            "referral_id = :id AND begins_with(#item, :prefix)",
            {"id": referral_id, "prefix": "message#"},
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [self._item_to_message(item, scope) for item in page.items], page.next_key

    def list_receipts(self, referral_id: str, *, scope: str, since: int) -> Sequence[ReadReceipt]:
        """List the receipts for the message with the number `since` and later ones."""
        rows = self.table.query_all(
            "referral_id = :id AND #item BETWEEN :first AND :last",
            {"id": referral_id, "first": f"message_read#{since:06d}", "last": "message_read#~"},
        )
        return [self._item_to_receipt(row, scope) for row in rows]

    def prepare_add(self, referral_id: str, message: Message, *, scope: str) -> TransactionWrite:
        """Build the write of a message. It fails if there is a message with this number."""
        item = {
            "referral_id": referral_id,
            "item": f"message#{message.number:06d}",
            "number": message.number,
            "message_id": message.message_id,
            "side": message.side,
            "side_number": message.side_number,
            "member_id": message.sender_id,
            "sent_at": to_timestamp(message.sent_at),
        }
        content = {"text": message.text, "sender": message.sender_name}
        return self._prepare_put("message", item, content, scope)

    def prepare_receipt(self, referral_id: str, receipt: ReadReceipt, *, scope: str) -> TransactionWrite:
        """Build the write of a receipt. It fails if this member already read up to this number."""
        item = {
            "referral_id": referral_id,
            "item": f"message_read#{receipt.number:06d}#{receipt.reader_id}",
            "number": receipt.number,
            "side": receipt.side,
            "member_id": receipt.reader_id,
            "read_at": to_timestamp(receipt.read_at),
        }
        return self._prepare_put(RECEIPT_WRITE, item, {"reader": receipt.reader_name}, scope)

    def _prepare_put(self, name: str, item: Item, content: Mapping[str, str], scope: str) -> TransactionWrite:
        plaintext = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        context = f"{item['referral_id']}/{item['item']}"
        encrypted = self.encryption.encrypt(plaintext, scope=scope, context=context, referral_id=item["referral_id"])
        return self.table.prepare_put(name, {**item, "told": encrypted}, when="attribute_not_exists(referral_id)")

    def _decrypt(self, item: Item, scope: str) -> Any:
        context = f"{item['referral_id']}/{item['item']}"
        return json.loads(self.encryption.decrypt(item["told"], scope=scope, context=context))

    def _item_to_message(self, item: Item, scope: str) -> Message:
        content = self._decrypt(item, scope)
        return Message(
            message_id=item["message_id"],
            number=item["number"],
            side=Actor(item["side"]),
            side_number=item["side_number"],
            sender_id=item["member_id"],
            sender_name=content["sender"],
            sent_at=from_timestamp(item["sent_at"]),
            text=content["text"],
        )

    def _item_to_receipt(self, item: Item, scope: str) -> ReadReceipt:
        return ReadReceipt(
            number=item["number"],
            side=Actor(item["side"]),
            reader_id=item["member_id"],
            reader_name=self._decrypt(item, scope)["reader"],
            read_at=from_timestamp(item["read_at"]),
        )
