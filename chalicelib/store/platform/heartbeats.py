"""The `jobs` table: one small row per scheduled job, with its last successful run.

It is a separate table so that the permission to write a heartbeat allows nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a job last succeeded, or when its first run was expected if it never has."""

    at: datetime
    has_succeeded: bool


@dataclass(frozen=True, slots=True)
class JobHeartbeats:
    """Stores when each scheduled job last succeeded."""

    table: DynamoTable

    def record_success(self, job: ScheduledJob, counts: Mapping[str, int], *, now: datetime) -> None:
        """Record that a job succeeded, and what it did."""
        count_texts = [f"{name}={number}" for name, number in sorted(counts.items())]
        self.table.put({"job": job, "ran_at": to_timestamp(now), "counts": count_texts})

    def record_expected(self, job: ScheduledJob, *, now: datetime) -> None:
        """Start the period of a job that has never run."""
        self.table.put({"job": job, "ran_at": to_timestamp(now)}, when="attribute_not_exists(job)")

    def list_last_successes(self) -> Mapping[ScheduledJob, datetime]:
        """List when each job last succeeded, or when it was first expected to run."""
        return {job: heartbeat.at for job, heartbeat in self.list_all().items()}

    def list_all(self) -> Mapping[ScheduledJob, Heartbeat]:
        """List the heartbeats of the jobs that have run, or were expected to."""
        rows = self.table.get_many([{"job": job} for job in ScheduledJob])
        return {
            ScheduledJob(row["job"]): Heartbeat(from_timestamp(row["ran_at"]), has_succeeded="counts" in row)
            for row in rows
        }
