"""When the next emails may be sent, agreed among all runs: the mail service accepts only so many a second.

One row of the table `allowances` has the time until which all turns are taken. A run takes some turns with one
write, which moves that time. So the runs together never exceed the rate, and an idle run takes nothing from it.
"""

from dataclasses import dataclass

from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable

_SUBJECT = "mail"
"""The key of the row. Callers with a rate limit have longer keys."""

MAX_ATTEMPTS = 8

FURTHEST = 60_000_000
"""A minute. Runs take turns of a quarter of a second each, so a time beyond that was written by a wrong clock."""


@dataclass(frozen=True, slots=True)
class MailTurns:
    """Gives out turns. Times and durations are in microseconds."""

    table: DynamoTable

    def take(self, count: int, *, each: int, now: int) -> int:
        """Take some turns in a row. Return the time of the first one, which is now or later.

        Raises:
            UnavailableError: other runs were faster every time, or the table does not respond.
        """
        for _ in range(MAX_ATTEMPTS):
            row = self.table.get({"subject": _SUBJECT})
            taken_until = int(row["promised_until"]) if row else 0
            first = max(taken_until, now) if taken_until < now + FURTHEST else now
            is_taken = self.table.update(
                {"subject": _SUBJECT},
                "SET promised_until = :until",
                when="promised_until = :read" if row else "attribute_not_exists(subject)",
                values={"until": first + count * each} | ({"read": taken_until} if row else {}),
            )
            if is_taken:
                return first
        raise UnavailableError("busy")
