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

from chalicelib.errors import KeyReusedError, RefusedError
from chalicelib.store.platform.dynamo import Item, Table, Write
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.timestamps import instant, parsed

WORDS = 1
"""The version of the words that answers are packed with."""

RECEIPT = "receipt"
"""The name of the receipt's write in its transaction."""

KEPT_FOR = timedelta(days=30)
"""How long an Idempotency-Key is remembered. The contract asks for 7 days at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the caller was told, kept for the repeat."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person's POST: who sent it where, under which key, with which bytes."""

    member_id: str
    tenant_id: str
    route: str
    key: str
    body: bytes

    @property
    def scope_key(self) -> str:
        """The row's key: the same key of another caller or route is another row."""
        return hashed(f"{self.member_id}\x00{self.route}\x00{self.key}".encode())

    @property
    def body_hash(self) -> str:
        """What tells a repeat from another request under the same key."""
        return hashed(self.body)


def hashed(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Receipts of people's POSTs. The kept answer is sealed: it may hold health data."""

    table: Table
    vault: Vault

    def writing(self, request: Request, answer: Answer, *, now: datetime) -> Write:
        """The write that keeps the answer; refused while an earlier one is remembered."""
        told = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        plain = _packed(json.dumps(told, separators=(",", ":")).encode())
        place = f"idempotency/{request.scope_key}"
        item = {
            "scope_key": request.scope_key,
            "body_hash": request.body_hash,
            "answer": self.vault.seal(plain, scope=request.tenant_id, place=place),
            "words": WORDS,
            "expires_at": int((now + KEPT_FOR).timestamp()),
        }
        return self.table.putting(
            RECEIPT,
            item,
            when="attribute_not_exists(scope_key) OR expires_at < :now",
            values={"now": int(now.timestamp())},
        )

    def find(self, request: Request, *, now: datetime) -> Answer | None:
        """The answer of an earlier try, if there was one."""
        row = self.table.get({"scope_key": request.scope_key})
        expired = row is None or row["expires_at"] < int(now.timestamp())
        return None if row is None or expired else self.replay(request, row)

    def replay(self, request: Request, row: Item) -> Answer:
        """The answer that was kept in `row`.

        Raises:
            KeyReusedError: the key belongs to a request with another body.
        """
        if row["body_hash"] != request.body_hash:
            raise KeyReusedError
        place = f"idempotency/{request.scope_key}"
        plain = self.vault.open(row["answer"], scope=request.tenant_id, place=place)
        told = json.loads(_unpacked(plain, words=row.get("words", 0)))
        return Answer(
            status=told["status"], headers=told["headers"], body=told["body"], replayed=True
        )


@cache
def _words(version: int) -> bytes:
    """What most answers have in common. A version is never changed: kept answers need it."""
    return (
        (files("chalicelib.store") / f"answer_words_{version}.txt").read_bytes() if version else b""
    )


def _packed(told: bytes) -> bytes:
    """An answer as small as it gets: each KB that is kept costs two write units."""
    packer = zlib.compressobj(level=9, zdict=_words(WORDS))
    return packer.compress(told) + packer.flush()


def _unpacked(packed: bytes, *, words: int) -> bytes:
    unpacker = zlib.decompressobj(zdict=_words(words)) if words else zlib.decompressobj()
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
class LoggedDelivery:
    """A line of the log."""

    delivery: Delivery
    result: DeliveryResult


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Receipts of centers' deliveries, and the log that a center's administrator reads.

    Keyed by center and id: one center cannot use up another's ids.
    """

    table: Table

    def writing(self, delivery: Delivery, result: DeliveryResult, *, again: bool = False) -> Write:
        """The write that logs the delivery; refused if it is logged already.

        Args:
            delivery: What arrived.
            result: What became of it.
            again: It was parked before and is now settled: the row must still say parked.
        """
        if again:
            when = "#status IN (:parked, :failed)"
            values = {"parked": DeliveryStatus.PARKED, "failed": DeliveryStatus.FAILED}
        else:
            when, values = "attribute_not_exists(center_id)", {}
        write = self.table.putting(RECEIPT, _item(delivery, result), when=when, values=values)
        if again:
            put = dict(write.request["Put"])
            put["ExpressionAttributeNames"] = {"#status": "status"}
            return Write(RECEIPT, {"Put": put})
        return write

    def failing(self, center_id: str, webhook_id: str) -> Write:
        """The write that ends the waiting of a delivery; refused if it does not wait."""
        return self.table.updating(
            "delivery",
            {"center_id": center_id, "webhook_id": webhook_id},
            "SET #status = :failed",
            when="#status = :parked",
            values={"failed": DeliveryStatus.FAILED, "parked": DeliveryStatus.PARKED},
            names={"#status": "status"},
        )

    def get(self, center_id: str, webhook_id: str) -> LoggedDelivery | None:
        """One line of the log."""
        row = self.table.get({"center_id": center_id, "webhook_id": webhook_id})
        return _logged(row) if row else None

    def page(
        self, center_id: str, *, limit: int, start: Mapping[str, Any] | None
    ) -> tuple[Sequence[LoggedDelivery], Mapping[str, Any] | None]:
        """A part of a center's log, newest first."""
        page = self.table.query(
            "center_id = :center",
            {"center": center_id},
            index="by_received",
            limit=limit,
            start=start,
            newest_first=True,
        )
        return [_logged(row) for row in page.items], page.next_key

    def unsettled(self, center_id: str) -> Sequence[str]:
        """The ids of a center's deliveries that wait, or waited in vain."""
        rows = self.table.every("center_id = :center", {"center": center_id})
        waiting = {DeliveryStatus.PARKED, DeliveryStatus.FAILED}
        return [row["webhook_id"] for row in rows if row["status"] in waiting]

    def find(self, delivery: Delivery) -> DeliveryResult | None:
        """What became of an earlier delivery with this id, if there was one."""
        key = {"center_id": delivery.center_id, "webhook_id": delivery.webhook_id}
        row = self.table.get(key)
        return self.replay(delivery, row) if row else None

    def replay(self, delivery: Delivery, row: Item) -> DeliveryResult:
        """What the log says in `row`.

        Raises:
            RefusedError: the id belongs to a delivery with another body; the first one stands.
        """
        if row["body_hash"] != delivery.body_hash:
            raise RefusedError(
                "webhook_id_reused", "This webhook-id belongs to an earlier delivery."
            )
        return _logged(row).result


def _logged(row: Item) -> LoggedDelivery:
    delivery = Delivery(
        center_id=row["center_id"],
        webhook_id=row["webhook_id"],
        body_hash=row["body_hash"],
        received_at=parsed(row["received_at"]),
    )
    result = DeliveryResult(
        status=DeliveryStatus(row["status"]),
        referral_id=row["referral_id"],
        event_id=row["event_id"],
        stage=row.get("stage"),
        code=row.get("code"),
    )
    return LoggedDelivery(delivery=delivery, result=result)


def _item(delivery: Delivery, result: DeliveryResult) -> Item:
    return {
        "center_id": delivery.center_id,
        "webhook_id": delivery.webhook_id,
        "body_hash": delivery.body_hash,
        "received_at": instant(delivery.received_at),
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "stage": result.stage,
        "code": result.code,
    }
