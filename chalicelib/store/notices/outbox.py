"""The `outbox` table: what is still to be done because of what was committed.

An outbox row stands in the sparse index `due` until it is done. The index is spread over a few
shards and sorted by time, so a job reads what is due and nothing else, however many rows wait
for later and however long it has not run. What was parked stands there too, in a lane of its
own that no job works off.

    planned ── claim ──▶ leased ── finish ──▶ done, skipped
       ▲                  │ │ │
       │                  │ └── failed for the last time ──▶ parked
       ├── failed, waits, or lease ran out                     │
       └─────────────────────────── retry ─────────────────────┘
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any

from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION, Claim, TaskState
from chalicelib.store.notices.task_items import FailedTask, item_to_failed_task, task_to_item
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import to_timestamp

SHARDS = 4
"""Partitions of the `due` index per lane: 4,000 planned or finished tasks a second."""

_MAX_RETRY_DELAY = timedelta(hours=1)
"""The longest pause after a failure of the task's own."""

_UNAVAILABLE_DELAY = timedelta(minutes=15)
"""The longest pause while something that it depends on does not answer. Such a try is not
counted: it says nothing about the task, and the outage may be a long one."""


def compute_queue_shard(queue: TaskQueue, outbox_id: str) -> str:
    """The partition of the index that a task stands in."""
    # Base32 ids are evenly spread, so one of their last letters picks a shard.
    return f"{queue}#{ord(outbox_id[-2]) % SHARDS}"


_FAILED_QUEUE = "parked"
"""The lane of what is parked. One partition: a person looks through it."""

_BATCH_SIZE = 100
"""How many rows DynamoDB reads in one call at most."""

TASK_WRITE_PREFIX = "task:"
"""Before a task's id in the name of its write, so that a refusal tells which one is there."""


NO_EXISTING_TASKS: Mapping[str, str] = MappingProxyType({})
"""No task was found in the outbox before."""


def parse_existing_tasks(refused_items: Mapping[str, Item]) -> dict[str, str]:
    """The states of the tasks that are there already, by id, among the items of refused writes."""
    return {
        name.removeprefix(TASK_WRITE_PREFIX): str(item.get("state"))
        for name, item in refused_items.items()
        if name.startswith(TASK_WRITE_PREFIX)
    }


@dataclass(frozen=True, slots=True)
class Outbox:
    """What has to be done because of what was committed."""

    table: DynamoTable

    def prepare_plan(self, task: OutboxTask) -> TransactionWrite:
        """The write that makes a task durable, once: a finished one must not come back."""
        item = task_to_item(task) | {
            "state": TaskState.PLANNED,
            "lane": compute_queue_shard(task.queue, task.outbox_id),
        }
        return self.table.prepare_put(
            f"{TASK_WRITE_PREFIX}{task.outbox_id}", item, when="attribute_not_exists(outbox_id)"
        )

    def prepare_replan_skipped(self, task: OutboxTask) -> TransactionWrite:
        """The write that plans a task anew which was skipped because it was off the plan.

        It learns what had its place meanwhile, if that was another task.
        """
        change = "SET #state = :planned, lane = :lane, due_at = :due, tries = :none"
        values = {
            "planned": TaskState.PLANNED,
            "lane": compute_queue_shard(task.queue, task.outbox_id),
            "due": to_timestamp(task.due_at),
            "none": 0,
            "skipped": TaskState.SKIPPED,
        }
        if task.replaces:
            change, values = (f"{change}, replaces = :meanwhile", values | {"meanwhile": task.replaces})
        return self.table.prepare_update(
            f"{TASK_WRITE_PREFIX}{task.outbox_id}",
            {"outbox_id": task.outbox_id},
            f"{change} REMOVE finished_at, why",
            when="#state = :skipped",
            values=values,
            names={"#state": "state"},
        )

    def list_due(self, queue: TaskQueue, *, by: datetime, limit: int) -> Iterator[Item]:
        """Rows of a lane that are due, oldest first within each shard."""
        for shard in range(SHARDS):
            page = self.table.query(
                "lane = :lane AND due_at <= :by",
                {"lane": f"{queue}#{shard}", "by": to_timestamp(by)},
                index="due",
                limit=limit,
            )
            yield from page.items

    def list_unfinished(self, outbox_ids: Iterable[str], *, queue: TaskQueue) -> Iterator[Item]:
        """Those rows of a lane, strongly consistent, that are not done with."""
        unique_ids = list(dict.fromkeys(outbox_ids))
        for first in range(0, len(unique_ids), _BATCH_SIZE):
            keys = [{"outbox_id": each} for each in unique_ids[first : first + _BATCH_SIZE]]
            for row in self.table.get_many(keys):
                if row.get("lane", "").partition("#")[0] == queue:
                    yield row

    def claim(self, row: Item, *, now: datetime) -> Claim | None:
        """Take a task for the time of a lease; None if another run was quicker.

        The claim moves `due_at` to the lease's end: the index itself keeps other runs away,
        and hands the task out again if this run dies.
        """
        fence, tries = row.get("fence", 0) + 1, row.get("tries", 0) + 1
        unclaimed = "fence = :known" if "fence" in row else "attribute_not_exists(fence)"
        taken = self.table.update(
            {"outbox_id": row["outbox_id"]},
            "SET fence = :fence, tries = :tries, due_at = :until",
            # Still waiting, and nobody claimed it or set it anew since it was read.
            when=f"lane = :lane AND due_at = :seen AND {unclaimed}",
            values={
                "known": row.get("fence"),
                "fence": fence,
                "tries": tries,
                "until": to_timestamp(now + LEASE_DURATION),
                "lane": row["lane"],
                "seen": row["due_at"],
            },
        )
        return Claim(fence, tries, row) if taken else None

    def finish(self, claim: Claim, state: TaskState, *, now: datetime) -> bool:
        """Take a task off the index. False if the lease ran out and another run has it."""
        return self._update_claimed(
            claim,
            "SET #state = :state, finished_at = :now REMOVE lane",
            {"state": state, "now": to_timestamp(now)},
            names={"#state": "state"},
        )

    def reschedule(self, claim: Claim, *, error: str, now: datetime) -> TaskState | None:
        """Give a failed task back for a later try, later each time; parks it after `TRIES`.

        Returns:
            What became of it; None if the lease ran out and another run has it.
        """
        if claim.is_last_attempt:
            return TaskState.FAILED if self.mark_failed(claim, error=error, now=now) else None
        pause = min(timedelta(minutes=2**claim.attempts), _MAX_RETRY_DELAY)
        given_back = self._update_claimed(claim, "SET due_at = :again", {"again": to_timestamp(now + pause)})
        return TaskState.PLANNED if given_back else None

    def release(self, claim: Claim, *, now: datetime) -> bool:
        """Give a task back that could not be done for no fault of its own: no try less."""
        waits = claim.row.get("waits", 0) + 1
        # The exponent is bounded as well: after a month of waiting, its power would be no time.
        pause = min(timedelta(minutes=2 ** min(waits, 8)), _UNAVAILABLE_DELAY)
        return self._update_claimed(
            claim,
            "SET tries = :tries, waits = :waits, due_at = :again",
            {"tries": claim.attempts - 1, "waits": waits, "again": to_timestamp(now + pause)},
        )

    def mark_failed(self, claim: Claim, *, error: str, now: datetime) -> bool:
        """Put a task aside for a person, with the kind of its last failure."""
        return self._update_claimed(
            claim,
            "SET #state = :parked, lane = :aside, lane_before = :lane, due_at = :now, #error = :why",
            {
                "parked": TaskState.FAILED,
                "aside": _FAILED_QUEUE,
                "lane": claim.row["lane"],
                "now": to_timestamp(now),
                "why": error,
            },
            names={"#state": "state", "#error": "error"},
        )

    def list_failed(self, *, limit: int = 1000) -> Iterator[FailedTask]:
        """What waits for a person, longest first. As an index tells it: seconds late."""
        rows = self.table.query_all("lane = :lane", {"lane": _FAILED_QUEUE}, index="due")
        return (item_to_failed_task(row) for row in islice(rows, limit))

    def retry_failed(self, outbox_id: str, *, now: datetime) -> bool:
        """Let a job try a parked task again, as if for the first time. False if it is not one."""
        row = self.table.get({"outbox_id": outbox_id})
        if row is None or row.get("lane") != _FAILED_QUEUE:
            return False
        return self.table.update(
            {"outbox_id": outbox_id},
            "SET #state = :planned, lane = :lane, due_at = :now, tries = :none REMOVE #error, lane_before, waits",
            when="lane = :aside",
            values={
                "planned": TaskState.PLANNED,
                "lane": row["lane_before"],
                "now": to_timestamp(now),
                "none": 0,
                "aside": _FAILED_QUEUE,
            },
            names={"#state": "state", "#error": "error"},
        )

    def _update_claimed(
        self, claim: Claim, change: str, values: Mapping[str, Any], *, names: Mapping[str, str] | None = None
    ) -> bool:
        """Change a claimed row, unless the lease ran out and another run has claimed it."""
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values={**values, "fence": claim.fencing_token},
            names=names,
        )
