"""Tasks as rows of the outbox, and as records of its stream."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTask:
    """A failed task (dead letter) that waits for a person. `error` is the kind of its last failure, never a text.

    The stored state of such a task is `parked`.
    """

    outbox_id: str
    queue: str
    referral_id: str
    rule: str
    error: str
    attempts: int
    failed_at: datetime


def list_ids_in_stream_event(event: Mapping[str, Any]) -> Iterator[str]:
    """List the ids in an event of the table's stream, which has only keys.

    A record of another shape is ignored, because the scheduled job finds every task without the
    stream.
    """
    for record in event.get("Records", ()):
        key = record.get("dynamodb", {}).get("Keys", {}).get("outbox_id", {})
        if isinstance(key.get("S"), str):
            yield key["S"]


def task_to_item(task: OutboxTask) -> Item:
    """Convert a task to a row. The outbox adds the state and the place in the index.

    Some stored names are older: `counted_from` is `infused_on`, and `planned_for` is `due_at` before any
    retry.
    """
    return {
        "outbox_id": task.outbox_id,
        "referral_id": task.referral_id,
        "rule": task.rule,
        "due_at": to_timestamp(task.due_at),
        "planned_for": to_timestamp(task.due_at),
        "due_on": task.due_on.isoformat() if task.due_on else None,
        "side": task.side,
        "stage": task.stage,
        "event_id": task.event_id,
        "counted_from": task.infused_on.isoformat() if task.infused_on else None,
        "replaces": task.replaces,
        "invitation": task.invitation or None,
    }


def item_to_failed_task(item: Item) -> FailedTask:
    """Convert the row of a failed task."""
    return FailedTask(
        outbox_id=item["outbox_id"],
        queue=item["lane_before"].partition("#")[0],
        referral_id=item["referral_id"],
        rule=item["rule"],
        error=item["error"],
        attempts=item["tries"],
        failed_at=from_timestamp(item["due_at"]),
    )


def item_to_task(item: Item) -> OutboxTask:
    """Convert a row to the task from which it was created."""
    return OutboxTask(
        outbox_id=item["outbox_id"],
        referral_id=item["referral_id"],
        rule=item["rule"],
        queue=TaskQueue(item["lane"].partition("#")[0]),
        due_at=from_timestamp(item["planned_for"]),
        due_on=_parse_day(item.get("due_on")),
        side=TenantKind(item["side"]) if "side" in item else None,
        stage=Stage(item["stage"]) if "stage" in item else None,
        event_id=item.get("event_id"),
        infused_on=_parse_day(item.get("counted_from")),
        replaces=item.get("replaces"),
        invitation=item.get("invitation", ""),
    )


def _parse_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
