"""The planned tasks of a referral in the outbox: their outcomes, and how one is skipped.

A skipped task can be planned again, when a hold ends or a correction moves a day back. So skipping
and planning again are conditional writes on what was read. Of two runs, the second one sees what the
first one wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.outbox import TASK_WRITE_PREFIX, Outbox, compute_queue_shard
from chalicelib.store.notices.task_items import item_to_task
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutcome:
    """The outcome of a task. Only a skipped task has a `skip_reason` (stored as `why`)."""

    state: TaskState
    skip_reason: str | None = None


def load_task_outcomes(outbox: Outbox, outbox_ids: Iterable[str]) -> Mapping[str, TaskOutcome]:
    """Load the outcomes of tasks, by id."""
    rows = outbox.table.get_many([{"outbox_id": outbox_id} for outbox_id in outbox_ids])
    return {row["outbox_id"]: TaskOutcome(state=TaskState(row["state"]), skip_reason=row.get("why")) for row in rows}


def prepare_skip(outbox: Outbox, claim: Claim, reason: str, *, now: datetime) -> TransactionWrite:
    """Build the write that removes a claimed task from the index without a notice, and records why."""
    return outbox.table.prepare_update(
        f"{TASK_WRITE_PREFIX}{claim.outbox_id}",
        {"outbox_id": claim.outbox_id},
        "SET #state = :skipped, why = :why, finished_at = :now REMOVE lane",
        when="fence = :fence",
        values={"skipped": TaskState.SKIPPED, "why": reason, "now": to_timestamp(now), "fence": claim.fencing_token},
        names={"#state": "state"},
    )


def prepare_check_still_waiting(outbox: Outbox, task: OutboxTask) -> TransactionWrite:
    """Build the condition that a task is still in the index, so that it need not be planned.

    If its day is correct again after a correction, the row also stores the task that replaced it in
    the meantime.
    """
    name, key = f"{TASK_WRITE_PREFIX}{task.outbox_id}", {"outbox_id": task.outbox_id}
    is_waiting = "attribute_exists(lane)"
    if task.replaces is None:
        return outbox.table.prepare_check(name, key, when=is_waiting, values={})
    return outbox.table.prepare_update(
        name, key, "SET replaces = :replaced", when=is_waiting, values={"replaced": task.replaces}
    )


def prepare_replan_done(outbox: Outbox, task: OutboxTask) -> TransactionWrite:
    """Build the write that plans a finished task again, because a restore lost what it did."""
    return outbox.table.prepare_update(
        f"{TASK_WRITE_PREFIX}{task.outbox_id}",
        {"outbox_id": task.outbox_id},
        "SET #state = :planned, lane = :lane, due_at = :due, tries = :none REMOVE finished_at",
        when="#state = :done AND attribute_not_exists(lane)",
        values={
            "planned": TaskState.PLANNED,
            "lane": compute_queue_shard(task.queue, task.outbox_id),
            "due": to_timestamp(task.due_at),
            "none": 0,
            "done": TaskState.DONE,
        },
        names={"#state": "state"},
    )


def find_replaced_notice(outbox: Outbox, task: OutboxTask) -> OutboxTask | None:
    """Find the last task that was sent instead of this one, however often its day moved since."""
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
