"""The log of centers' deliveries, which is also their idempotency records.

A delivery is logged in the same transaction as the change that it makes. The conditional write fails if the
delivery is already logged; then it was already processed, and its stored result is returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.errors import WebhookIdReusedError
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.filtered_pages import query_filtered_page
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

_ENTRIES_PER_READ = 25
"""How many entries of the log are read at once in search of one."""


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
        row = self.read_row(center_id, webhook_id)
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
        row = self.read_row(delivery.center_id, delivery.webhook_id)
        return self.load_result(delivery, row) if row else None

    def read_row(self, center_id: str, webhook_id: str) -> Item | None:
        """Read the row of an earlier delivery with this id for `load_result`, strongly consistent."""
        return self.table.get({"center_id": center_id, "webhook_id": webhook_id})

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
