"""Information requests: rows `information#<request id>` in the referral's partition.

A row has the whole request with its answers, encrypted with the practice's key like all patient data.
These rows sort before what a decision reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.referrals.information_requests import InformationRequest
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

INFORMATION_REQUEST_WRITE = "information request"
"""The name of the write of a request in a `ConditionFailedError`."""

_PREFIX = "information#"


@dataclass(frozen=True, slots=True)
class InformationRequests:
    """Reads and writes information requests in the `referrals` table. `scope` is the practice."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def get(self, referral_id: str, request_id: str, *, scope: str) -> InformationRequest | None:
        """Read one request, strongly consistent."""
        item = self.table.get({"referral_id": referral_id, "item": f"{_PREFIX}{request_id}"})
        return self._item_to_request(item, scope) if item else None

    def list_for_referral(self, referral_id: str, *, scope: str) -> Sequence[InformationRequest]:
        """List every request of a referral, newest first."""
        rows = self.table.query_all(
            "referral_id = :id AND begins_with(#item, :prefix)", {"id": referral_id, "prefix": _PREFIX}
        )
        requests = [self._item_to_request(row, scope) for row in rows]
        return sorted(requests, key=lambda request: (request.requested_at, request.request_id), reverse=True)

    def prepare_add(self, referral_id: str, request: InformationRequest, *, scope: str) -> TransactionWrite:
        """Build the write of a new request. It fails if the request already exists."""
        item = self._request_to_item(referral_id, request, scope)
        return self.table.prepare_put(INFORMATION_REQUEST_WRITE, item, when="attribute_not_exists(referral_id)")

    def prepare_save(self, referral_id: str, request: InformationRequest, *, scope: str) -> TransactionWrite:
        """Build the write of a changed request. It fails if someone changed the request after it was read."""
        item = self._request_to_item(referral_id, request, scope)
        return self.table.prepare_put(
            INFORMATION_REQUEST_WRITE, item, when="version = :read", values={"read": request.version - 1}
        )

    def _request_to_item(self, referral_id: str, request: InformationRequest, scope: str) -> Item:
        item_key = f"{_PREFIX}{request.request_id}"
        plaintext = codec.to_json(InformationRequest, request).encode()
        return {
            "referral_id": referral_id,
            "item": item_key,
            "version": request.version,
            "told": self.encryption.encrypt(
                plaintext, scope=scope, context=f"{referral_id}/{item_key}", referral_id=referral_id
            ),
        }

    def _item_to_request(self, item: Item, scope: str) -> InformationRequest:
        context = f"{item['referral_id']}/{item['item']}"
        return codec.from_json(InformationRequest, self.encryption.decrypt(item["told"], scope=scope, context=context))
