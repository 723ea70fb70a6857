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
    SLOTS = "slots"


JOB_PERIODS: Mapping[ScheduledJob, timedelta] = {
    # If a function crashes while it holds a task, the lease of the task ends after 5 minutes and the
    # next run finds it: after 10 minutes at the latest, or 15 if that run fails as well.
    ScheduledJob.RELAY: timedelta(minutes=5),
    ScheduledJob.NOTICES: timedelta(minutes=15),
    # Overdue alerts change with the local calendar day, and each hour a day starts in some time zone.
    ScheduledJob.CLOCKS: timedelta(hours=1),
    # Weekly, at the hour that each member chose, in the member's time zone.
    ScheduledJob.DIGEST: timedelta(hours=1),
    # A row that nothing counts yet can be removed without a trace, so the time without a count is minutes.
    ScheduledJob.CHECKPOINTS: timedelta(minutes=5),
    # Weekly patterns become slots for the next 12 weeks, so a day more or less does not matter.
    ScheduledJob.SLOTS: timedelta(days=1),
}
"""How often a job runs."""


def is_job_overdue(job: ScheduledJob, *, last_success: datetime, now: datetime) -> bool:
    """Whether a job had no successful run within two of its periods."""
    return now - last_success > 2 * JOB_PERIODS[job]
