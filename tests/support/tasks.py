"""Tasks of the outbox by themselves, without anything that caused them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_rules import Lane, Task
from chalicelib.domain.referrals.events import derived_id
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.dynamo import Item
from tests.support.factories import NOON

MINUTE = timedelta(minutes=1)


def a_task(n: int = 1, **changed: Any) -> Task:
    """A planned notice, due at noon."""
    task = Task(
        outbox_id=derived_id("out", str(n)),
        referral_id="ref_1",
        rule="handback_near",
        lane=Lane.PLAN,
        due_at=NOON,
        due_on=date(2026, 11, 2),
        side=TenantKind.PRACTICE,
    )
    return replace(task, **changed)


def plan(stores: Stores, *tasks: Task) -> None:
    """Write tasks by themselves."""
    stores.ledger.commit(*(stores.outbox.planning(task) for task in tasks))


def due(
    outbox: Outbox, *, by: datetime = NOON, lane: Lane = Lane.PLAN, limit: int = 10
) -> list[Item]:
    """The rows that are due."""
    return list(outbox.due(lane, by=by, limit=limit))


def claimed(outbox: Outbox, *, now: datetime = NOON) -> Any:
    """The one task that is due, claimed."""
    (row,) = due(outbox, by=now)
    return outbox.claim(row, now=now)
