"""Tasks as rows of the outbox, and as records of its stream."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_rules import Lane, Task
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import instant, parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A task that waits for a person. `error` is the kind of its last failure, never a text."""

    outbox_id: str
    referral_id: str
    rule: str
    error: str
    tries: int
    parked_at: datetime


def named_in(event: Mapping[str, Any]) -> Iterator[str]:
    """The ids in an event of the table's stream, which carries keys and nothing else.

    A record that is not of this shape is passed over: the sweep needs none.
    """
    for record in event.get("Records", ()):
        key = record.get("dynamodb", {}).get("Keys", {}).get("outbox_id", {})
        if isinstance(key.get("S"), str):
            yield key["S"]


def task_item(task: Task) -> Item:
    """What a task is about; its state and its place in the index are the outbox's."""
    return {
        "outbox_id": task.outbox_id,
        "referral_id": task.referral_id,
        "rule": task.rule,
        "due_at": instant(task.due_at),
        "planned_for": instant(task.due_at),
        "due_on": task.due_on.isoformat() if task.due_on else None,
        "side": task.side,
        "stage": task.stage,
        "event_id": task.event_id,
        "counted_from": task.counted_from.isoformat() if task.counted_from else None,
        "replaces": task.replaces,
    }


def parked_of(item: Item) -> Parked:
    """A row that was parked."""
    return Parked(
        outbox_id=item["outbox_id"],
        referral_id=item["referral_id"],
        rule=item["rule"],
        error=item["error"],
        tries=item["tries"],
        parked_at=parsed(item["due_at"]),
    )


def task_of(item: Item) -> Task:
    """A row as the task that it was made from."""
    return Task(
        outbox_id=item["outbox_id"],
        referral_id=item["referral_id"],
        rule=item["rule"],
        lane=Lane(item["lane"].partition("#")[0]),
        due_at=parsed(item["planned_for"]),
        due_on=_day(item.get("due_on")),
        side=TenantKind(item["side"]) if "side" in item else None,
        stage=Stage(item["stage"]) if "stage" in item else None,
        event_id=item.get("event_id"),
        counted_from=_day(item.get("counted_from")),
        replaces=item.get("replaces"),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
