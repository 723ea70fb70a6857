"""Leases: until a lease ends, a claimed outbox task belongs to one run only.

Each claim raises the fencing token of the row. A run that finishes after its lease ended finds a
higher fencing token than its own and changes nothing. An attempt is counted when it starts;
otherwise a task that crashes its function would never become a failed task (dead letter).

Stored names: the attribute `fence` is the fencing token, `tries` are the attempts, and a failed task
has the state `parked`.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.store.notices.task_items import item_to_task
from chalicelib.store.platform.dynamo import Item

LEASE_DURATION = timedelta(minutes=5)
"""How long a claimed task belongs to the run that claimed it. A scheduled function runs at most this
long, so an expired lease belongs to a run that crashed."""

MAX_ATTEMPTS = 12
"""How often a task can fail through its own fault before it becomes a failed task (dead letter) that
waits for a person. With the pauses of the outbox that takes 2+4+8+16+32+6x60 minutes, seven hours.
So an outage of six hours that no one recognized as an outage makes no task fail for good."""


class TaskState(StrEnum):
    """The state of an outbox row."""

    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "parked"
    """A failed task (dead letter). The stored value is older than the name."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that belongs to this run until the lease ends.

    Attributes:
        fencing_token: Grows with each claim.
        attempts: How many attempts were started, including this one.
        row: The task as it was read. Another version of the product may have written it.
    """

    fencing_token: int
    attempts: int
    row: Item

    @property
    def outbox_id(self) -> str:
        """The id of the task."""
        return str(self.row["outbox_id"])

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure now makes it a failed task."""
        return self.attempts >= MAX_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        """Whether all attempts crashed their runs, so that it must become a failed task without another try."""
        return self.attempts > MAX_ATTEMPTS

    @property
    def task(self) -> OutboxTask:
        """The task itself.

        Raises:
            ValueError: it has a value that this version of the product does not know.
        """
        return item_to_task(self.row)
