"""Leases: a claimed task of the outbox is one run's alone until its lease ends.

A run that comes back too late finds a higher fence than its own and changes nothing. A try is
counted when it begins, or a task that takes its function down with it would never be parked.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.store.notices.task_items import item_to_task
from chalicelib.store.platform.dynamo import Item

LEASE_DURATION = timedelta(minutes=5)
"""How long a claimed task is left to whoever claimed it. A scheduled function runs at most
this long, so a lease that ran out belongs to one that died."""

MAX_ATTEMPTS = 12
"""How often a task may fail by itself before it is parked for a person. With the outbox's pauses
that takes 2+4+8+16+32+6x60 minutes, seven hours: an outage of six hours that nobody recognised
as one parks nothing."""


class TaskState(StrEnum):
    """The life of an outbox row."""

    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "parked"


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that is ours until the lease ends.

    Attributes:
        fence: Grows with each claim.
        tries: How many tries it was given, this one included.
        row: The task as it was read. It may be of another version of the product.
    """

    fencing_token: int
    attempts: int
    row: Item

    @property
    def outbox_id(self) -> str:
        """Which task it is."""
        return str(self.row["outbox_id"])

    @property
    def is_last_attempt(self) -> bool:
        """Whether the task is parked if it fails now."""
        return self.attempts >= MAX_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        """Whether the runs that had its tries died of them: it is not to be tried, but parked."""
        return self.attempts > MAX_ATTEMPTS

    @property
    def task(self) -> OutboxTask:
        """The task itself.

        Raises:
            ValueError: it holds a word that this version of the product does not know.
        """
        return item_to_task(self.row)
