"""The rows of a referral's plan in the outbox: what became of each, and how one is skipped.

A skipped row may speak again, when a hold ends or a correction moves a day back. So a task is
skipped, and planned anew, only while what that was decided by still holds: whichever of the two
comes second sees what the other wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import TASK_WRITE_PREFIX, Outbox
from chalicelib.store.notices.task_items import item_to_task
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """What became of a task; `why` only where it was skipped."""

    state: TaskState
    skip_reason: str | None = None


def load_task_outcomes(outbox: Outbox, outbox_ids: Iterable[str]) -> Mapping[str, TaskOutcome]:
    """What became of tasks, by id."""
    rows = outbox.table.get_many([{"outbox_id": outbox_id} for outbox_id in outbox_ids])
    return {row["outbox_id"]: TaskOutcome(state=TaskState(row["state"]), skip_reason=row.get("why")) for row in rows}


def prepare_skip(outbox: Outbox, claim: Claim, why: str, *, now: datetime) -> TransactionWrite:
    """The write that takes a claimed task off the index untold, and says why."""
    return outbox.table.prepare_update(
        f"{TASK_WRITE_PREFIX}{claim.outbox_id}",
        {"outbox_id": claim.outbox_id},
        "SET #state = :skipped, why = :why, finished_at = :now REMOVE lane",
        when="fence = :fence",
        values={"skipped": TaskState.SKIPPED, "why": why, "now": to_timestamp(now), "fence": claim.fencing_token},
        names={"#state": "state"},
    )


def prepare_check_still_waiting(outbox: Outbox, task: OutboxTask) -> TransactionWrite:
    """The condition that a task still waits in the index, so that nothing need be planned.

    One whose day is the right one after all learns what had its place meanwhile.
    """
    name, key = f"{TASK_WRITE_PREFIX}{task.outbox_id}", {"outbox_id": task.outbox_id}
    waits = "attribute_exists(lane)"
    if task.replaces is None:
        return outbox.table.prepare_check(name, key, when=waits, values={})
    return outbox.table.prepare_update(
        name, key, "SET replaces = :meanwhile", when=waits, values={"meanwhile": task.replaces}
    )


def find_replaced_notice(outbox: Outbox, task: OutboxTask) -> OutboxTask | None:
    """The last task that was told in this one's place, however often its day moved since."""
    seen = {task.outbox_id}
    earlier = task.replaces
    while earlier and earlier not in seen:
        seen.add(earlier)
        row = outbox.table.get({"outbox_id": earlier})
        if row is None:
            return None
        if row["state"] == TaskState.DONE:
            return item_to_task(row | {"lane": task.queue})
        earlier = row.get("replaces")
    return None
