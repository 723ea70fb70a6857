"""The scheduled jobs, how often each runs, and when one is overdue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum


class ScheduledJob(StrEnum):
    """A scheduled function, by its name in `app.py`."""

    RELAY = "relay"
    NOTICES = "notices"
    CLOCKS = "clocks"
    DIGEST = "digest"
    CHECKPOINTS = "checkpoints"


JOB_PERIODS: Mapping[ScheduledJob, timedelta] = {
    # A task that a dead function held is free after its lease of five minutes, and found by the
    # next run: ten minutes at the latest, fifteen if that run is lost as well.
    ScheduledJob.RELAY: timedelta(minutes=5),
    ScheduledJob.NOTICES: timedelta(minutes=15),
    # A clock turns with a day of somebody's calendar; there is one zone or other for each hour.
    ScheduledJob.CLOCKS: timedelta(hours=1),
    # Of a member's week, at the hour that the member chose, in the member's zone.
    ScheduledJob.DIGEST: timedelta(hours=1),
    ScheduledJob.CHECKPOINTS: timedelta(hours=1),
}
"""How often a job runs."""


def is_job_overdue(job: ScheduledJob, *, last_success: datetime, now: datetime) -> bool:
    """Whether a job had no successful run for two of its periods."""
    return now - last_success > 2 * JOB_PERIODS[job]
