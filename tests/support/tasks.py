"""Outbox tasks without the events that cause them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.dynamo import Item
from tests.support.factories import NOON

MINUTE = timedelta(minutes=1)


def build_task(n: int = 1, **changed: Any) -> OutboxTask:
    """Build a planned notice, due at noon."""
    task = OutboxTask(
        outbox_id=derive_id("out", str(n)),
        referral_id="ref_1",
        rule="handback_near",
        queue=TaskQueue.PLAN,
        due_at=NOON,
        due_on=date(2026, 11, 2),
        side=TenantKind.PRACTICE,
    )
    return replace(task, **changed)


def write_tasks(stores: Stores, *tasks: OutboxTask) -> None:
    """Write tasks directly."""
    stores.transactions.commit(*(stores.outbox.prepare_plan(task) for task in tasks))


def list_due(outbox: Outbox, *, by: datetime = NOON, lane: TaskQueue = TaskQueue.PLAN, limit: int = 10) -> list[Item]:
    """Return the rows that are due."""
    return list(outbox.list_due(lane, by=by, limit=limit))


def claim_one(outbox: Outbox, *, now: datetime = NOON) -> Any:
    """Return the one task that is due, claimed."""
    (row,) = list_due(outbox, by=now)
    return outbox.claim(row, now=now)
