"""Proof that something was done once: rows that stand in the way of its repeat.

A receipt is written in the transaction of the thing itself, with the answer that was given.
There is no "in progress" state to get stuck in, no lock to outlive its owner, and nothing to
delete: either the thing and its receipt are there, or neither is.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from chalicelib.errors import ConflictError, IdempotencyKeyReusedError
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

TEMPLATE_VERSION = 1
"""The version of the words that answers are packed with."""

IDEMPOTENCY_RECORD = "receipt"
"""The name of the receipt's write in its transaction."""

RECORD_LIFETIME = timedelta(days=30)
"""How long an Idempotency-Key is remembered. The contract asks for 7 days at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """What the caller was told, kept for the repeat."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """A person's POST: who sent it where, under which key, with which bytes."""

    member_id: str
    tenant_id: str
    route: str
    key: str
    body: bytes

    @property
    def scope_key(self) -> str:
        """The row's key: the same key of another caller or route is another row."""
        return hash_body(f"{self.member_id}\x00{self.route}\x00{self.key}".encode())

    @property
    def body_hash(self) -> str:
        """What tells a repeat from another request under the same key."""
        return hash_body(self.body)


def hash_body(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """Receipts of people's POSTs. The kept answer is sealed: it may hold health data."""

    table: DynamoTable
    encryption: EnvelopeEncryption

    def prepare_record(
        self, request: IdempotentRequest, response: StoredResponse, *, now: datetime
    ) -> TransactionWrite:
        """The write that keeps the answer; refused while an earlier one is remembered."""
        content = {"status": response.status, "headers": dict(response.headers), "body": response.body}
        plain = _compress(json.dumps(content, separators=(",", ":")).encode())
        place = f"idempotency/{request.scope_key}"
        item = {
            "scope_key": request.scope_key,
            "body_hash": request.body_hash,
            "answer": self.encryption.encrypt(plain, scope=request.tenant_id, context=place),
            "words": TEMPLATE_VERSION,
            "expires_at": int((now + RECORD_LIFETIME).timestamp()),
        }
        return self.table.prepare_put(
            IDEMPOTENCY_RECORD,
            item,
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )

    def find_response(self, request: IdempotentRequest, *, now: datetime) -> StoredResponse | None:
        """The answer of an earlier try, if there was one."""
        row = self.table.get({"scope_key": request.scope_key})
        expired = row is None or row["expires_at"] < int(now.timestamp())
        return None if row is None or expired else self.load_response(request, row)

    def load_response(self, request: IdempotentRequest, row: Item) -> StoredResponse:
        """The answer that was kept in `row`.

        Raises:
            KeyReusedError: the key belongs to a request with another body.
        """
        if row["body_hash"] != request.body_hash:
            raise IdempotencyKeyReusedError
        place = f"idempotency/{request.scope_key}"
        plain = self.encryption.decrypt(row["answer"], scope=request.tenant_id, context=place)
        content = json.loads(_decompress(plain, template=row.get("words", 0)))
        return StoredResponse(status=content["status"], headers=content["headers"], body=content["body"], replayed=True)


@cache
def _load_template(version: int) -> bytes:
    """What most answers have in common. A version is never changed: kept answers need it."""
    return (files("chalicelib.store") / f"answer_words_{version}.txt").read_bytes() if version else b""


def _compress(response: bytes) -> bytes:
    """An answer as small as it gets: each KB that is kept costs two write units."""
    packer = zlib.compressobj(level=9, zdict=_load_template(TEMPLATE_VERSION))
    return packer.compress(response) + packer.flush()


def _decompress(packed: bytes, *, template: int) -> bytes:
    unpacker = zlib.decompressobj(zdict=_load_template(template)) if template else zlib.decompressobj()
    return unpacker.decompress(packed)


class DeliveryStatus(StrEnum):
    """What became of a center's delivery."""

    APPLIED = "applied"
    RECORDED = "recorded"
    PARKED = "parked"
    REFUSED = "refused"
    FAILED = "failed"
    """It waited for a day, and what must come before it did not arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of a center's system, by the id that its sender gave it.

    `body_hash` tells a repeat from another delivery under the same id.
    """

    center_id: str
    webhook_id: str
    body_hash: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """The log's word on a delivery."""

    status: DeliveryStatus
    referral_id: str
    event_id: str
    stage: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLogEntry:
    """A line of the log."""

    delivery: Delivery
    result: DeliveryResult


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """Receipts of centers' deliveries, and the log that a center's administrator reads.

    Keyed by center and id: one center cannot use up another's ids.
    """

    table: DynamoTable

    def prepare_log(self, delivery: Delivery, result: DeliveryResult, *, is_replay: bool = False) -> TransactionWrite:
        """The write that logs the delivery; refused if it is logged already.

        Args:
            delivery: What arrived.
            result: What became of it.
            again: It was parked before and is now settled: the row must still say parked.
        """
        if is_replay:
            when = "#status IN (:parked, :failed)"
            values = {"parked": DeliveryStatus.PARKED, "failed": DeliveryStatus.FAILED}
        else:
            when, values = "attribute_not_exists(center_id)", {}
        write = self.table.prepare_put(
            IDEMPOTENCY_RECORD, _delivery_to_item(delivery, result), when=when, values=values
        )
        if is_replay:
            put = dict(write.request["Put"])
            put["ExpressionAttributeNames"] = {"#status": "status"}
            return TransactionWrite(IDEMPOTENCY_RECORD, {"Put": put})
        return write

    def prepare_fail(self, center_id: str, webhook_id: str) -> TransactionWrite:
        """The write that ends the waiting of a delivery; refused if it does not wait."""
        return self.table.prepare_update(
            "delivery",
            {"center_id": center_id, "webhook_id": webhook_id},
            "SET #status = :failed",
            when="#status = :parked",
            values={"failed": DeliveryStatus.FAILED, "parked": DeliveryStatus.PARKED},
            names={"#status": "status"},
        )

    def get_entry(self, center_id: str, webhook_id: str) -> DeliveryLogEntry | None:
        """One line of the log."""
        row = self.table.get({"center_id": center_id, "webhook_id": webhook_id})
        return _item_to_log_entry(row) if row else None

    def list_entries(
        self, center_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[DeliveryLogEntry], Mapping[str, Any] | None]:
        """A part of a center's log, newest first."""
        page = self.table.query(
            "center_id = :center",
            {"center": center_id},
            index="by_received",
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [_item_to_log_entry(row) for row in page.items], page.next_key

    def list_unfinished(self, center_id: str) -> Sequence[str]:
        """The ids of a center's deliveries that wait, or waited in vain."""
        rows = self.table.query_all("center_id = :center", {"center": center_id})
        waiting = {DeliveryStatus.PARKED, DeliveryStatus.FAILED}
        return [row["webhook_id"] for row in rows if row["status"] in waiting]

    def find_result(self, delivery: Delivery) -> DeliveryResult | None:
        """What became of an earlier delivery with this id, if there was one."""
        key = {"center_id": delivery.center_id, "webhook_id": delivery.webhook_id}
        row = self.table.get(key)
        return self.load_result(delivery, row) if row else None

    def load_result(self, delivery: Delivery, row: Item) -> DeliveryResult:
        """What the log says in `row`.

        Raises:
            RefusedError: the id belongs to a delivery with another body; the first one stands.
        """
        if row["body_hash"] != delivery.body_hash:
            raise ConflictError("webhook_id_reused", "This webhook-id belongs to an earlier delivery.")
        return _item_to_log_entry(row).result


def _item_to_log_entry(row: Item) -> DeliveryLogEntry:
    delivery = Delivery(
        center_id=row["center_id"],
        webhook_id=row["webhook_id"],
        body_hash=row["body_hash"],
        received_at=from_timestamp(row["received_at"]),
    )
    result = DeliveryResult(
        status=DeliveryStatus(row["status"]),
        referral_id=row["referral_id"],
        event_id=row["event_id"],
        stage=row.get("stage"),
        code=row.get("code"),
    )
    return DeliveryLogEntry(delivery=delivery, result=result)


def _delivery_to_item(delivery: Delivery, result: DeliveryResult) -> Item:
    return {
        "center_id": delivery.center_id,
        "webhook_id": delivery.webhook_id,
        "body_hash": delivery.body_hash,
        "received_at": to_timestamp(delivery.received_at),
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "stage": result.stage,
        "code": result.code,
    }
