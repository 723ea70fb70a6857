"""The scheduled jobs, how often each runs, and when one is overdue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum


class Job(StrEnum):
    """A scheduled function, by its name in `app.py`."""

    RELAY = "relay"
    NOTICES = "notices"
    CLOCKS = "clocks"
    DIGEST = "digest"
    CHECKPOINTS = "checkpoints"


PERIODS: Mapping[Job, timedelta] = {
    # A task that a dead function held is free after its lease of five minutes, and found by the
    # next run: ten minutes at the latest, fifteen if that run is lost as well.
    Job.RELAY: timedelta(minutes=5),
    Job.NOTICES: timedelta(minutes=15),
    # A clock turns with a day of somebody's calendar; there is one zone or other for each hour.
    Job.CLOCKS: timedelta(hours=1),
    # Of a member's week, at the hour that the member chose, in the member's zone.
    Job.DIGEST: timedelta(hours=1),
    Job.CHECKPOINTS: timedelta(hours=1),
}
"""How often a job runs."""


def overdue(job: Job, *, last: datetime, now: datetime) -> bool:
    """Whether a job had no successful run for two of its periods."""
    return now - last > 2 * PERIODS[job]
