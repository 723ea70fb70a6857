"""Idempotency: a repeated request changes nothing and gets the stored response.

An idempotency record is written in the same transaction as the change, with the response. Its
conditional write fails if the record already exists; then the request was already processed, and the
stored response is returned.

There is no "in progress" state that can get stuck, no lock that can outlive its owner, and nothing
to delete, because the change and its record are written together or not at all.

These are the records of people's POSTs with an Idempotency-Key (table `idempotency`). Encrypted responses are in
the attribute `answer`; the attribute `words` is the version of the compression template. The records of centers'
deliveries are the log of deliveries (`store/webhooks/delivery_log.py`).
"""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.errors import IdempotencyKeyReusedError
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

TEMPLATE_VERSION = 2
"""The version of the template with which responses are compressed; `tests/support/response_template.py` makes one."""

IDEMPOTENCY_RECORD = "idempotency record"
"""The name of the record's write in its transaction."""

_REFERRAL_ID = re.compile(r"ref_[a-z2-7]{26}", re.ASCII)

RECORD_LIFETIME = timedelta(days=30)
"""How long an Idempotency-Key is remembered. The API contract requires at least 7 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """The response that the caller got, stored for a repeat."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A person's POST: who sent it, to which route, with which key and which body."""

    member_id: str
    tenant_id: str
    route: str
    key: str
    body: bytes

    @property
    def scope_key(self) -> str:
        """The key of the row. The same Idempotency-Key from another caller or for another route has another row."""
        return hash_body(f"{self.member_id}\x00{self.route}\x00{self.key}".encode())

    @property
    def body_hash(self) -> str:
        """Distinguishes a repeat from another request with the same key."""
        return hash_body(self.body)


def hash_body(body: bytes) -> str:
    """Compute the SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """Idempotency records of people's POSTs. The stored response is encrypted because it can have health data."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def prepare_record(
        self, request: IdempotentRequest, response: StoredResponse, *, now: datetime
    ) -> TransactionWrite:
        """Build the conditional write that stores the response. It fails while an earlier record is valid."""
        content = {"status": response.status, "headers": dict(response.headers), "body": response.body}
        compressed = _compress(json.dumps(content, separators=(",", ":")).encode())
        context, referral_id = f"idempotency/{request.scope_key}", find_referral_id(request, response)
        item = {
            "scope_key": request.scope_key,
            # For `referrals restore check`: what the request made can be missing after a restore.
            "route": request.route,
            "tenant_id": request.tenant_id,
            "body_hash": request.body_hash,
            "referral_id": referral_id or None,
            "answer": self.encryption.encrypt(
                compressed, scope=request.tenant_id, context=context, referral_id=referral_id
            ),
            "words": TEMPLATE_VERSION,
            "expires_at": int((now + RECORD_LIFETIME).timestamp()),
        }
        return self.table.prepare_put(
            IDEMPOTENCY_RECORD,
            item,
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )

    def claim_key(self, request: IdempotentRequest, *, now: datetime) -> None:
        """Bind the key to this body before the request has an effect outside of the tables.

        A repeat with the same body can claim it again: it completes what an interrupted request began.

        Raises:
            IdempotencyKeyReusedError: the key belongs to a request with another body.
        """
        claim = {
            "scope_key": hash_body(f"claim\x00{request.scope_key}".encode()),
            "body_hash": request.body_hash,
            "expires_at": int((now + RECORD_LIFETIME).timestamp()),
        }
        when = "attribute_not_exists(scope_key) OR expires_at < :now OR body_hash = :body"
        values = {"now": int(now.timestamp()), "body": request.body_hash}
        if not self.table.put(claim, when=when, values=values):
            raise IdempotencyKeyReusedError

    def find_response(self, request: IdempotentRequest, *, now: datetime) -> StoredResponse | None:
        """Find the response to an earlier try, if there was one."""
        row = self.table.get({"scope_key": request.scope_key})
        expired = row is None or row["expires_at"] < int(now.timestamp())
        return None if row is None or expired else self.load_response(request, row)

    def load_response(self, request: IdempotentRequest, row: Item) -> StoredResponse:
        """Return the response that is stored in `row`.

        Raises:
            IdempotencyKeyReusedError: the key belongs to a request with another body.
        """
        if row["body_hash"] != request.body_hash:
            raise IdempotencyKeyReusedError
        content = json.loads(open_response(row, tenant_id=request.tenant_id, encryption=self.encryption))
        return StoredResponse(status=content["status"], headers=content["headers"], body=content["body"], replayed=True)

    def read_body(self, row: Item) -> Mapping[str, Any]:
        """Return the body of the response in a row, which names what the request made."""
        response = json.loads(open_response(row, tenant_id=row["tenant_id"], encryption=self.encryption))
        body: Mapping[str, Any] = response["body"]
        return body


def find_referral_id(request: IdempotentRequest, response: StoredResponse) -> str:
    """Find the referral that a request is about: in its path, or in the response if it created one. Empty if none."""
    in_path = _REFERRAL_ID.search(request.route)
    created = response.body.get("referral_id")
    return in_path.group() if in_path else str(created or "")


def open_response(row: Item, *, tenant_id: str, encryption: EnvelopeEncryption) -> bytes:
    """Decrypt a stored response as JSON.

    Raises:
        cryptography.exceptions.InvalidTag: it is another tenant's.
    """
    compressed = encryption.decrypt(row["answer"], scope=tenant_id, context=f"idempotency/{row['scope_key']}")
    return _decompress(compressed, template=row.get("words", 0))


@cache
def _load_template(version: int) -> bytes:
    """Load what most responses have in common. A version never changes, because stored responses need it."""
    return (Path(__file__).parents[1] / f"response_template_{version}.txt").read_bytes() if version else b""


def _compress(response: bytes) -> bytes:
    """Compress a response as much as possible, because each stored KB costs two write units."""
    compressor = zlib.compressobj(level=9, zdict=_load_template(TEMPLATE_VERSION))
    return compressor.compress(response) + compressor.flush()


def _decompress(compressed: bytes, *, template: int) -> bytes:
    decompressor = zlib.decompressobj(zdict=_load_template(template)) if template else zlib.decompressobj()
    return decompressor.decompress(compressed)
