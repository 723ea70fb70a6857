"""Documents: rows `document#<document id>` in the referral's partition, and one row with their totals.

A row has the whole document, encrypted with the practice's key like all patient data: also the original name of a
file, which often names the patient. A row is never removed. These rows sort before what a decision reads.

    document#<document id>     a document
    document_totals            how many files the referral has, and how many bytes together
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.documents.document import Document
from chalicelib.domain.documents.limits import MAX_FILES, MAX_TOTAL_BYTES
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

DOCUMENT_WRITE = "document"
"""The name of the write of a document in a `ConditionFailedError`."""

DOCUMENT_TOTALS_WRITE = "document totals"
"""The name of the write that reserves space for a file. It fails if the referral has no space left."""

_PREFIX = "document#"
_TOTALS = "document_totals"


@dataclass(frozen=True, slots=True)
class Documents:
    """Reads and writes documents in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, document_id: str, *, scope: str) -> Document | None:
        """Read one document, strongly consistent."""
        item = self.table.get({"referral_id": referral_id, "item": f"{_PREFIX}{document_id}"})
        return self._item_to_document(item, scope) if item else None

    def list_for_referral(self, referral_id: str, *, scope: str) -> Sequence[Document]:
        """List every document of a referral, newest first."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)", {"id": referral_id, "prefix": _PREFIX}
        )
        documents = [self._item_to_document(row, scope) for row in rows]
        return sorted(documents, key=lambda document: (document.added_at, document.document_id), reverse=True)

    def prepare_add(self, referral_id: str, document: Document, *, scope: str) -> TransactionWrite:
        """Build the write of a new document. It fails if the document already exists."""
        item = self._document_to_item(referral_id, document, scope)
        return self.table.prepare_put(DOCUMENT_WRITE, item, when="attribute_not_exists(referral_id)")

    def prepare_save(self, referral_id: str, document: Document, *, read: Document, scope: str) -> TransactionWrite:
        """Build the write of a changed document. It fails if someone changed it after `read` was read."""
        item = self._document_to_item(referral_id, document, scope)
        return self.table.prepare_put(DOCUMENT_WRITE, item, when="version = :read", values={"read": read.version})

    def prepare_reserve(self, referral_id: str, size: int) -> TransactionWrite:
        """Build the write that reserves space for a file of `size` bytes. It fails if there is none left."""
        return self.table.prepare_update(
            DOCUMENT_TOTALS_WRITE,
            {"referral_id": referral_id, "item": _TOTALS},
            "ADD #files :one, #bytes :size",
            when="attribute_not_exists(#files) OR (#files < :files AND #bytes <= :room)",
            values={"one": 1, "size": size, "files": MAX_FILES, "room": MAX_TOTAL_BYTES - size},
            names={"#files": "files", "#bytes": "bytes"},
        )

    def prepare_release(self, referral_id: str, size: int) -> TransactionWrite:
        """Build the write that gives the space of a file back, when it was rejected or removed."""
        return self.table.prepare_update(
            DOCUMENT_TOTALS_WRITE,
            {"referral_id": referral_id, "item": _TOTALS},
            "ADD #files :one, #bytes :size",
            values={"one": -1, "size": -size},
            names={"#files": "files", "#bytes": "bytes"},
        )

    def _document_to_item(self, referral_id: str, document: Document, scope: str) -> Item:
        item_key = f"{_PREFIX}{document.document_id}"
        plaintext = codec.to_json(Document, document).encode()
        return {
            "referral_id": referral_id,
            "item": item_key,
            "version": document.version,
            "told": self.encryption.encrypt(
                plaintext, scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
            ),
        }

    def _item_to_document(self, item: Item, scope: str) -> Document:
        context = f"{item['referral_id']}/{item['item']}"
        return codec.from_json(Document, self.encryption.decrypt(item["told"], scope=scope, context=context))
