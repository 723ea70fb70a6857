"""Tasks and emails that a newer release planned, in a format that this release cannot read.

After a rollback they wait for the newer release. They are neither claimed nor counted as attempts, and they do not
delay the others. The run ends as a failure, so that the alarm of the job fires.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chalicelib.observe import log
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.dynamo import Item


@dataclass
class NewerTasks:
    """The tasks that one run cannot read: which release wrote each, by id."""

    outbox: Outbox
    written_by: dict[str, str] = field(default_factory=dict)

    def set_aside(self, rows: Iterable[Item]) -> list[Item]:
        """Note the rows of a newer release, and return the others in their order."""
        readable = []
        for row in rows:
            if self.outbox.is_newer(row):
                self.written_by[row["outbox_id"]] = str(row.get("written_by", "unknown"))
            else:
                readable.append(row)
        return readable

    def describe(self) -> str:
        """Name the releases that can read the tasks."""
        return f"release {', '.join(sorted(set(self.written_by.values())))}"

    def count(self) -> dict[str, int]:
        """Log how many tasks wait for which release, and count them; nothing if there are none."""
        if not self.written_by:
            return {}
        counts = {"newer": len(self.written_by)}
        log.error("tasks of a newer release", counts=counts, error=self.describe())
        return counts
