"""Idempotency: a repeated request changes nothing and gets the stored response.

An idempotency record is written in the same transaction as the change, with the response. Its
conditional write fails if the record already exists; then the request was already processed, and the
stored response is returned.

There is no "in progress" state that can get stuck, no lock that can outlive its owner, and nothing
to delete, because the change and its record are written together or not at all.

Two kinds of request have records: a person's POST with an Idempotency-Key (table `idempotency`), and
a center's delivery with a webhook id (table `deliveries`). Encrypted responses are in the attribute
`answer`; the attribute `words` is the version of the compression template.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from chalicelib.errors import IdempotencyKeyReusedError, WebhookIdReusedError
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.filtered_pages import query_filtered_page
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

TEMPLATE_VERSION = 1
"""The version of the template with which responses are compressed."""

IDEMPOTENCY_RECORD = "idempotency record"
"""The name of the record's write in its transaction."""

_ENTRIES_PER_READ = 25
"""How many entries of the log are read at once in search of one."""

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
    return (files("chalicelib.store") / f"response_template_{version}.txt").read_bytes() if version else b""


def _compress(response: bytes) -> bytes:
    """Compress a response as much as possible, because each stored KB costs two write units."""
    compressor = zlib.compressobj(level=9, zdict=_load_template(TEMPLATE_VERSION))
    return compressor.compress(response) + compressor.flush()


def _decompress(compressed: bytes, *, template: int) -> bytes:
    decompressor = zlib.decompressobj(zdict=_load_template(template)) if template else zlib.decompressobj()
    return decompressor.decompress(compressed)


class DeliveryStatus(StrEnum):
    """The result of a center's delivery."""

    APPLIED = "applied"
    RECORDED = "recorded"
    PARKED = "parked"
    REFUSED = "refused"
    FAILED = "failed"
    """It was parked for a day, and the earlier event that it needs did not arrive."""
    TESTED = "tested"
    """A test event: the signature was right, and no referral changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery from a center's system, by the id that its sender gave it.

    Attributes:
        body_hash: Distinguishes a repeat from another delivery with the same id.
        ignored: JSON pointers to the members of the body that the product does not know.
    """

    center_id: str
    webhook_id: str
    body_hash: str
    received_at: datetime
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What the log stores about a delivery.

    `waiting_for` lists the stages that had to come first when the delivery was parked. `event_type` and
    `reported_stage` are what the sender reported, also if it was not applied; releases before 0.5.0 did not store them.
    A test event has no referral and no event, so their ids are empty.
    """

    status: DeliveryStatus
    referral_id: str
    event_id: str
    event_type: str | None = None
    reported_stage: str | None = None
    stage: str | None = None
    code: str | None = None
    contradiction: bool = False
    waiting_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLogEntry:
    """One entry of the log."""

    delivery: Delivery
    result: DeliveryResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which entries of the log to list. None means all."""

    status: DeliveryStatus | None = None
    referral_id: str | None = None

    @property
    def values(self) -> Mapping[str, str]:
        """What an entry must have."""
        given = {"status": self.status, "referral_id": self.referral_id}
        return {name: value for name, value in given.items() if value}

    @property
    def where(self) -> str | None:
        """The filter of a query; None if it keeps every entry."""
        return " AND ".join(f"#{name} = :{name}" for name in self.values) or None


EVERY_DELIVERY = DeliveryFilter()


@dataclass(frozen=True, slots=True)
class DeliveryLog:
    """Idempotency records of centers' deliveries, and the log that a center's administrator reads.

    The key is the center and the webhook id, so one center cannot use up another's ids.
    """

    table: DynamoTable

    def prepare_log(self, delivery: Delivery, result: DeliveryResult, *, was_parked: bool = False) -> TransactionWrite:
        """Build the conditional write that logs the delivery. It fails if the delivery is already logged.

        Args:
            delivery: What arrived.
            result: What happened to it.
            was_parked: The delivery was parked before and now has its final result. The row must
                still be parked, or failed after a day.
        """
        if was_parked:
            when = "#status IN (:parked, :failed)"
            values = {"parked": DeliveryStatus.PARKED, "failed": DeliveryStatus.FAILED}
        else:
            when, values = "attribute_not_exists(center_id)", {}
        write = self.table.prepare_put(
            IDEMPOTENCY_RECORD, _delivery_to_item(delivery, result), when=when, values=values
        )
        if was_parked:
            put = dict(write.request["Put"])
            put["ExpressionAttributeNames"] = {"#status": "status"}
            return TransactionWrite(IDEMPOTENCY_RECORD, {"Put": put})
        return write

    def prepare_fail(self, center_id: str, webhook_id: str) -> TransactionWrite:
        """Build the write that marks a parked delivery as failed. It fails if the delivery is not parked."""
        return self.table.prepare_update(
            "delivery",
            {"center_id": center_id, "webhook_id": webhook_id},
            "SET #status = :failed",
            when="#status = :parked",
            values={"failed": DeliveryStatus.FAILED, "parked": DeliveryStatus.PARKED},
            names={"#status": "status"},
        )

    def get_entry(self, center_id: str, webhook_id: str) -> DeliveryLogEntry | None:
        """Read one entry of the log."""
        row = self.table.get({"center_id": center_id, "webhook_id": webhook_id})
        return _item_to_log_entry(row) if row else None

    def list_entries(
        self,
        center_id: str,
        *,
        limit: int,
        start: Mapping[str, Any] | None,
        only: DeliveryFilter = EVERY_DELIVERY,
    ) -> tuple[Sequence[DeliveryLogEntry], Mapping[str, Any] | None]:
        """List one page of a center's log, newest first. With a filter it can be short although others follow."""
        page = query_filtered_page(
            self.table,
            "center_id = :center",
            {"center": center_id, **only.values},
            index="by_received",
            key_names=("center_id", "received_at", "webhook_id"),
            where=only.where,
            limit=limit,
            start=start,
        )
        return [_item_to_log_entry(row) for row in page.items], page.next_key

    def find_newest_report(self, center_id: str) -> datetime | None:
        """Find when the newest delivery that is not a test event was received."""
        start: Mapping[str, Any] | None = None
        while True:
            entries, start = self.list_entries(center_id, limit=_ENTRIES_PER_READ, start=start)
            for entry in entries:
                if entry.result.status is not DeliveryStatus.TESTED:
                    return entry.delivery.received_at
            if start is None:
                return None

    def list_unfinished(self, center_id: str) -> Sequence[str]:
        """List the ids of a center's deliveries that are parked, or failed after they were parked for a day."""
        rows = self.table.query_all("center_id = :center", {"center": center_id})
        unfinished = {DeliveryStatus.PARKED, DeliveryStatus.FAILED}
        return [row["webhook_id"] for row in rows if row["status"] in unfinished]

    def find_result(self, delivery: Delivery) -> DeliveryResult | None:
        """Find the result of an earlier delivery with this id, if there was one."""
        key = {"center_id": delivery.center_id, "webhook_id": delivery.webhook_id}
        row = self.table.get(key)
        return self.load_result(delivery, row) if row else None

    def load_result(self, delivery: Delivery, row: Item) -> DeliveryResult:
        """Return the result that the log has in `row`.

        Raises:
            WebhookIdReusedError: the id belongs to a delivery with another body, and that one counts.
        """
        if row["body_hash"] != delivery.body_hash:
            raise WebhookIdReusedError
        return _item_to_log_entry(row).result


def name_reuse(delivery: Delivery) -> Delivery:
    """The same delivery under the id of its own row, because the row of its webhook id belongs to another body.

    The same body under the same id always has the same row, so a sender that repeats it adds no other.
    """
    return replace(delivery, webhook_id=f"{delivery.webhook_id}.reused.{delivery.body_hash[:16]}")


def _item_to_log_entry(row: Item) -> DeliveryLogEntry:
    delivery = Delivery(
        center_id=row["center_id"],
        webhook_id=row["webhook_id"],
        body_hash=row["body_hash"],
        received_at=from_timestamp(row["received_at"]),
        ignored=tuple(row.get("ignored", ())),
    )
    result = DeliveryResult(
        status=DeliveryStatus(row["status"]),
        referral_id=row["referral_id"],
        event_id=row["event_id"],
        event_type=row.get("event_type"),
        reported_stage=row.get("reported_stage"),
        stage=row.get("stage"),
        code=row.get("code"),
        contradiction=bool(row.get("contradiction")),
        waiting_for=tuple(row.get("waiting_for", ())),
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
        "event_type": result.event_type,
        "reported_stage": result.reported_stage,
        "stage": result.stage,
        "code": result.code,
        "contradiction": result.contradiction or None,
        **({"ignored": list(delivery.ignored)} if delivery.ignored else {}),
        **({"waiting_for": list(result.waiting_for)} if result.waiting_for else {}),
    }
