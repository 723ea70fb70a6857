"""The `jobs` table: one small row for each scheduled job, with its last successful run.

A table of its own, because who writes a heartbeat should be able to write nothing else by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True)
class JobHeartbeats:
    """When each job last did what it is for."""

    table: DynamoTable

    def record_success(self, job: ScheduledJob, counts: Mapping[str, int], *, now: datetime) -> None:
        """Say that a job ran through, and what it did."""
        count_texts = [f"{name}={number}" for name, number in sorted(counts.items())]
        self.table.put({"job": job, "ran_at": to_timestamp(now), "counts": count_texts})

    def record_expected(self, job: ScheduledJob, *, now: datetime) -> None:
        """Count from now, if the job has never run."""
        self.table.put({"job": job, "ran_at": to_timestamp(now)}, when="attribute_not_exists(job)")

    def list_last_successes(self) -> Mapping[ScheduledJob, datetime]:
        """When each job last ran through, or was first expected to."""
        rows = self.table.get_many([{"job": job} for job in ScheduledJob])
        return {ScheduledJob(row["job"]): from_timestamp(row["ran_at"]) for row in rows}
