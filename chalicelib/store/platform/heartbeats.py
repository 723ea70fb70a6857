"""The `jobs` table: one small row for each scheduled job, with its last successful run.

A table of its own, because who writes a heartbeat should be able to write nothing else by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.platform.jobs import Job
from chalicelib.store.platform.dynamo import Table
from chalicelib.store.platform.timestamps import instant, parsed


@dataclass(frozen=True, slots=True)
class Jobs:
    """When each job last did what it is for."""

    table: Table

    def ran(self, job: Job, counts: Mapping[str, int], *, now: datetime) -> None:
        """Say that a job ran through, and what it did."""
        told = [f"{name}={number}" for name, number in sorted(counts.items())]
        self.table.put({"job": job, "ran_at": instant(now), "counts": told})

    def expect(self, job: Job, *, now: datetime) -> None:
        """Count from now, if the job has never run."""
        self.table.put({"job": job, "ran_at": instant(now)}, when="attribute_not_exists(job)")

    def last(self) -> Mapping[Job, datetime]:
        """When each job last ran through, or was first expected to."""
        rows = self.table.get_many([{"job": job} for job in Job])
        return {Job(row["job"]): parsed(row["ran_at"]) for row in rows}
