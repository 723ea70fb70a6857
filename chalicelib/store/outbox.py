"""The `outbox` table: what is still to be done because of what was committed.

An outbox row stands in the sparse index `due` until it is done. The index is spread over a few
shards and sorted by time, so a job reads what is due and nothing else, however many rows wait
for later and however long it has not run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.members import TenantKind
from chalicelib.domain.notices import Lane, Task
from chalicelib.domain.stages import Stage
from chalicelib.store.dynamo import Item, Table, Write
from chalicelib.store.instants import instant, parsed

SHARDS = 4
"""Partitions of the `due` index per lane: 4,000 planned or finished tasks a second."""

LEASE = timedelta(minutes=5)
"""How long a claimed task is left to whoever claimed it. A scheduled function runs at most
this long, so a lease that ran out belongs to one that died."""

TRIES = 20
"""How often a task is tried, with growing pauses, before it is parked for a person."""


class TaskState(StrEnum):
    """The life of an outbox row."""

    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    PARKED = "parked"


PLANNED = "task:"
"""Before a task's id in the name of its write, so that a refusal tells which one is there."""


def already_planned(refused: Iterable[str]) -> set[str]:
    """The ids of tasks among the names of refused writes."""
    return {name.removeprefix(PLANNED) for name in refused if name.startswith(PLANNED)}


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that is ours until the lease ends. `fence` grows with each claim."""

    task: Task
    fence: int
    tries: int


@dataclass(frozen=True, slots=True)
class Outbox:
    """What has to be done because of what was committed."""

    table: Table

    def planning(self, task: Task) -> Write:
        """The write that makes a task durable, once: a finished one must not come back."""
        return self.table.putting(
            f"{PLANNED}{task.outbox_id}", _item(task), when="attribute_not_exists(outbox_id)"
        )

    def due(self, lane: Lane, *, by: datetime, limit: int) -> Iterator[Item]:
        """Rows of a lane that are due, oldest first within each shard."""
        for shard in range(SHARDS):
            page = self.table.query(
                "lane = :lane AND due_at <= :by",
                {"lane": f"{lane}#{shard}", "by": instant(by)},
                index="due",
                limit=limit,
            )
            yield from page.items

    def claim(self, row: Item, *, now: datetime) -> Claim | None:
        """Take a task for the time of a lease; None if another run was quicker.

        The claim moves `due_at` to the lease's end: the index itself keeps other runs away,
        and hands the task out again if this run dies.
        """
        fence = row.get("fence", 0) + 1
        taken = self.table.update(
            {"outbox_id": row["outbox_id"]},
            "SET fence = :fence, due_at = :until",
            # Still waiting, and nobody claimed it since the index was read.
            when="attribute_exists(lane) AND due_at = :seen",
            values={"fence": fence, "until": instant(now + LEASE), "seen": row["due_at"]},
        )
        return Claim(_task(row), fence, row.get("tries", 0)) if taken else None

    def finish(self, claim: Claim, state: TaskState, *, now: datetime) -> bool:
        """Take a task off the index. False if the lease ran out and another run has it."""
        return self.table.update(
            {"outbox_id": claim.task.outbox_id},
            "SET #state = :state, finished_at = :now REMOVE lane",
            when="fence = :fence",
            values={"state": state, "now": instant(now), "fence": claim.fence},
            names={"#state": "state"},
        )

    def postpone(self, claim: Claim, *, now: datetime) -> bool:
        """Give a failed task back for a later try, later each time; parks it after `TRIES`."""
        tries = claim.tries + 1
        if tries >= TRIES:
            return self.finish(claim, TaskState.PARKED, now=now)
        pause = timedelta(minutes=min(2**tries, 60))
        return self.table.update(
            {"outbox_id": claim.task.outbox_id},
            "SET tries = :tries, due_at = :again",
            when="fence = :fence",
            values={"tries": tries, "again": instant(now + pause), "fence": claim.fence},
        )

    def states(self, outbox_ids: Sequence[str]) -> Mapping[str, str]:
        """What became of tasks, by id."""
        rows = self.table.get_many([{"outbox_id": outbox_id} for outbox_id in outbox_ids])
        return {row["outbox_id"]: row["state"] for row in rows}


def _item(task: Task) -> Item:
    return {
        "outbox_id": task.outbox_id,
        "referral_id": task.referral_id,
        "rule": task.rule,
        "state": TaskState.PLANNED,
        # Base32 ids are evenly spread, so their last letter picks a shard.
        "lane": f"{task.lane}#{ord(task.outbox_id[-2]) % SHARDS}",
        "due_at": instant(task.due_at),
        "planned_for": instant(task.due_at),
        "due_on": task.due_on.isoformat() if task.due_on else None,
        "side": task.side,
        "stage": task.stage,
        "event_id": task.event_id,
    }


def _task(item: Item) -> Task:
    return Task(
        outbox_id=item["outbox_id"],
        referral_id=item["referral_id"],
        rule=item["rule"],
        lane=Lane(item["lane"].partition("#")[0]),
        due_at=parsed(item["planned_for"]),
        due_on=date.fromisoformat(item["due_on"]) if "due_on" in item else None,
        side=TenantKind(item["side"]) if "side" in item else None,
        stage=Stage(item["stage"]) if "stage" in item else None,
        event_id=item.get("event_id"),
    )
