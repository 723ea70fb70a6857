"""The `outbox` table: tasks that follow from a commit and must not be lost.

An outbox row is in the sparse index `due` until it is done. The index has a few shards and is sorted
by time, so a job reads only what is due, however many rows wait for later and however long the job
has not run. A failed task (dead letter) stays in the index, in its own queue that no job processes.

    planned ── claim ──▶ leased ── finish ──▶ done, skipped
       ▲                  │ │ │
       │                  │ └── failed for the last time ──▶ failed (dead letter)
       ├── failed once, dependency down, or lease ended        │
       └─────────────────────────── retry ─────────────────────┘

Stored names: a queue and its shard are in the attribute `lane`, `fence` is the fencing token, `tries`
are the attempts, and a failed task has the state and the lane `parked`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any

from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION, Claim, TaskState
from chalicelib.store.notices.task_items import FailedTask, item_to_failed_task, task_to_item
from chalicelib.store.platform.dynamo import DynamoTable, Item, TransactionWrite
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp

SHARDS = 4
"""Partitions of the `due` index per queue: 4,000 planned or finished tasks a second."""

ALL_SHARDS = range(SHARDS)

_MAX_RETRY_DELAY = timedelta(hours=1)
"""The longest pause after a failure of the task itself."""

_UNAVAILABLE_DELAY = timedelta(minutes=15)
"""The longest pause while a dependency does not respond. Such an attempt does not count, because it
shows nothing about the task, and the outage can be long."""


def list_shards_of_run(number: int, *, of: int) -> range:
    """List the shards that one of several runs of a job processes. Together, the runs process each shard once.

    Args:
        number: The run, from 1.
        of: How many runs there are.
    """
    return ALL_SHARDS[number - 1 :: of]


def compute_queue_shard(queue: TaskQueue, outbox_id: str) -> str:
    """Compute the index partition of a task."""
    # Base32 ids are evenly spread, so one of their last letters picks a shard.
    return f"{queue}#{ord(outbox_id[-2]) % SHARDS}"


_FAILED_QUEUE = "parked"
"""The queue of failed tasks (dead letters). It has one partition, because a person reads it."""

_COUNTED_PER_SHARD = 500
"""How many due tasks of a shard are counted at most, so that a large backlog does not make its measurement slow."""

_BATCH_SIZE = 100
"""The maximum number of rows that DynamoDB reads in one call."""

TASK_WRITE_PREFIX = "task:"
"""Precedes a task's id in the name of its write, so that a failed condition shows which task exists."""


NO_EXISTING_TASKS: Mapping[str, str] = MappingProxyType({})
"""No task is in the outbox yet."""


def parse_existing_tasks(refused_items: Mapping[str, Item]) -> dict[str, str]:
    """Read the states of the tasks that already exist, by id, from the items of refused writes."""
    return {
        name.removeprefix(TASK_WRITE_PREFIX): str(item.get("state"))
        for name, item in refused_items.items()
        if name.startswith(TASK_WRITE_PREFIX)
    }


@dataclass(frozen=True, slots=True)
class Backlog:
    """The tasks of all queues that are due and that no run has.

    Attributes:
        due: How many, at least: `_COUNTED_PER_SHARD` of each shard are counted.
        oldest_age: How long the oldest one has been due. A failed attempt makes a task due again later, so this is
            how far the jobs are behind, and not how long a task has failed.
    """

    due: int
    oldest_age: timedelta


@dataclass(frozen=True, slots=True)
class Outbox:
    """Stores tasks, claims them with a lease, and records their outcome."""

    table: DynamoTable

    def prepare_plan(self, task: OutboxTask) -> TransactionWrite:
        """Build the conditional write that stores a task, only once: a finished task must not come back."""
        item = task_to_item(task) | {
            "state": TaskState.PLANNED,
            "lane": compute_queue_shard(task.queue, task.outbox_id),
        }
        return self.table.prepare_put(
            f"{TASK_WRITE_PREFIX}{task.outbox_id}", item, when="attribute_not_exists(outbox_id)"
        )

    def prepare_replan_skipped(self, task: OutboxTask) -> TransactionWrite:
        """Build the write that plans a skipped task again when it is part of the plan again.

        It stores the task that replaced it in the meantime, if there was one.
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
            change, values = (f"{change}, replaces = :replaced", values | {"replaced": task.replaces})
        return self.table.prepare_update(
            f"{TASK_WRITE_PREFIX}{task.outbox_id}",
            {"outbox_id": task.outbox_id},
            f"{change} REMOVE finished_at, why",
            when="#state = :skipped",
            values=values,
            names={"#state": "state"},
        )

    def list_due(
        self, queue: TaskQueue, *, by: datetime, limit: int, shards: Collection[int] = ALL_SHARDS
    ) -> Iterator[Item]:
        """List the rows of a queue that are due, oldest first within each shard; at most `limit` of each.

        Rows that a newer release wrote come too and do not count, so that they hold back no other row.
        `is_newer` finds them.
        """
        for shard in shards:
            rows = self.table.query_all(
                "lane = :lane AND due_at <= :by",
                {"lane": f"{queue}#{shard}", "by": to_timestamp(by)},
                index="due",
                limit=limit,
                with_newer=True,
            )
            readable = 0
            for row in rows:
                yield row
                readable += not self.is_newer(row)
                if readable == limit:
                    break

    def is_newer(self, row: Item) -> bool:
        """Whether only a newer release can read a task. It must not be claimed."""
        return self.table.is_newer(row)

    def measure_backlog(self, *, now: datetime) -> Backlog:
        """Measure what is due. Reads an index, so it can be seconds late."""
        rows = [row for queue in TaskQueue for row in self.list_due(queue, by=now, limit=_COUNTED_PER_SHARD)]
        oldest = min((from_timestamp(row["due_at"]) for row in rows), default=now)
        return Backlog(due=len(rows), oldest_age=now - oldest)

    def list_unfinished(self, outbox_ids: Iterable[str], *, queue: TaskQueue) -> Iterator[Item]:
        """List the unfinished rows of a queue among these ids, strongly consistent; also those of a newer release."""
        unique_ids = list(dict.fromkeys(outbox_ids))
        for first in range(0, len(unique_ids), _BATCH_SIZE):
            keys = [{"outbox_id": outbox_id} for outbox_id in unique_ids[first : first + _BATCH_SIZE]]
            for row in self.table.get_many(keys, with_newer=True):
                if row.get("lane", "").partition("#")[0] == queue:
                    yield row

    def claim(self, row: Item, *, now: datetime) -> Claim | None:
        """Claim a task for the time of a lease. Return None if another run was faster.

        The claim moves `due_at` to the end of the lease, so the index itself keeps other runs away and
        makes the task due again if this run crashes.
        """
        fencing_token, attempts = row.get("fence", 0) + 1, row.get("tries", 0) + 1
        unclaimed = "fence = :known" if "fence" in row else "attribute_not_exists(fence)"
        claimed = self.table.update(
            {"outbox_id": row["outbox_id"]},
            "SET fence = :fence, tries = :tries, due_at = :until",
            # Still waiting, and no run claimed it or set it again after it was read.
            when=f"lane = :lane AND due_at = :read AND {unclaimed}",
            values={
                "known": row.get("fence"),
                "fence": fencing_token,
                "tries": attempts,
                "until": to_timestamp(now + LEASE_DURATION),
                "lane": row["lane"],
                "read": row["due_at"],
            },
        )
        return Claim(fencing_token, attempts, row) if claimed else None

    def finish(self, claim: Claim, state: TaskState, *, now: datetime) -> bool:
        """Remove a task from the index. Return False if the lease ended and another run has it."""
        return self._update_claimed(
            claim,
            "SET #state = :state, finished_at = :now REMOVE lane",
            {"state": state, "now": to_timestamp(now)},
            names={"#state": "state"},
        )

    def reschedule(self, claim: Claim, *, error: str, now: datetime) -> TaskState | None:
        """Schedule a task that just failed for another attempt, with a longer pause each time.

        After `MAX_ATTEMPTS` it becomes a failed task (dead letter).

        Returns:
            Its new state; None if the lease ended and another run has it.
        """
        if claim.is_last_attempt:
            return TaskState.FAILED if self.mark_failed(claim, error=error, now=now) else None
        pause = min(timedelta(minutes=2**claim.attempts), _MAX_RETRY_DELAY)
        rescheduled = self._update_claimed(claim, "SET due_at = :again", {"again": to_timestamp(now + pause)})
        return TaskState.PLANNED if rescheduled else None

    def release(self, claim: Claim, *, now: datetime) -> bool:
        """Give back a task that could not run through no fault of its own. The attempt does not count."""
        waits = claim.row.get("waits", 0) + 1
        # Limit the exponent too: after a month of waiting, the power would be too large for a time.
        pause = min(timedelta(minutes=2 ** min(waits, 8)), _UNAVAILABLE_DELAY)
        return self._update_claimed(
            claim,
            "SET tries = :tries, waits = :waits, due_at = :again",
            {"tries": claim.attempts - 1, "waits": waits, "again": to_timestamp(now + pause)},
        )

    def mark_failed(self, claim: Claim, *, error: str, now: datetime) -> bool:
        """Mark a task as failed (dead letter) for a person, with the kind of its last failure."""
        return self._update_claimed(
            claim,
            "SET #state = :failed, lane = :failed_queue, lane_before = :lane, due_at = :now, #error = :error",
            {
                "failed": TaskState.FAILED,
                "failed_queue": _FAILED_QUEUE,
                "lane": claim.row["lane"],
                "now": to_timestamp(now),
                "error": error,
            },
            names={"#state": "state", "#error": "error"},
        )

    def list_failed(self, *, limit: int = 1000) -> Iterator[FailedTask]:
        """List failed tasks, oldest first. Reads an index, so it can be seconds late."""
        rows = self.table.query_all("lane = :lane", {"lane": _FAILED_QUEUE}, index="due")
        return (item_to_failed_task(row) for row in islice(rows, limit))

    def retry_failed(self, outbox_id: str, *, now: datetime) -> bool:
        """Let a job try a failed task again, as if for the first time. Return False if it is not one."""
        row = self._get_failed(outbox_id)
        return row is not None and self.table.update({"outbox_id": outbox_id}, **_build_retry(row, now))

    def prepare_retry(self, outbox_id: str, *, now: datetime) -> TransactionWrite | None:
        """Build the write that lets a job try a failed task again; None if it is not one."""
        row = self._get_failed(outbox_id)
        return (
            None
            if row is None
            else self.table.prepare_update("task", {"outbox_id": outbox_id}, **_build_retry(row, now))
        )

    def _get_failed(self, outbox_id: str) -> Item | None:
        row = self.table.get({"outbox_id": outbox_id})
        return row if row is not None and row.get("lane") == _FAILED_QUEUE else None

    def _update_claimed(
        self, claim: Claim, change: str, values: Mapping[str, Any], *, names: Mapping[str, str] | None = None
    ) -> bool:
        """Change a claimed row, unless the lease ended and another run has claimed it."""
        return self.table.update(
            {"outbox_id": claim.outbox_id},
            change,
            when="fence = :fence",
            values={**values, "fence": claim.fencing_token},
            names=names,
        )


def _build_retry(row: Item, now: datetime) -> dict[str, Any]:
    """Build the change that puts a failed task back in its queue, unless another run has done so."""
    return {
        "change": "SET #state = :planned, lane = :lane, due_at = :now, tries = :none REMOVE #error, lane_before, waits",
        "when": "lane = :failed_queue",
        "values": {
            "planned": TaskState.PLANNED,
            "lane": row["lane_before"],
            "now": to_timestamp(now),
            "none": 0,
            "failed_queue": _FAILED_QUEUE,
        },
        "names": {"#state": "state", "#error": "error"},
    }
