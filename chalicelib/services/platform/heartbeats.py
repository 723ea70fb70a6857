"""Heartbeats: that each scheduled job does run, and who notices when one does not.

A job that is never started cannot complain by itself. The relay, which runs most often, looks
after them all, and an alarm outside looks after the relay: it rings when its word is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.platform.jobs import Job, overdue
from chalicelib.observe import log
from chalicelib.store.all_stores import Stores


def run(
    job: Job, work: Callable[[], Mapping[str, int]], *, stores: Stores, now: datetime
) -> Mapping[str, int]:
    """Do a job's work and leave its heartbeat, unless the work fails."""
    counts = work()
    stores.jobs.ran(job, counts, now=now)
    return counts


def look_after(*, stores: Stores, now: datetime) -> Mapping[str, int]:
    """Log how many jobs are overdue and how many tasks are parked: alarms count these lines.

    Called by the relay after its own work, whatever became of that.
    """
    last = stores.jobs.last()
    for job in set(Job) - last.keys():
        stores.jobs.expect(job, now=now)
    late = overdue_jobs(last, now=now)
    for job in late:
        log.error("job overdue", function=job.value)
    counts = {"overdue": len(late), "parked": sum(1 for _ in stores.outbox.parked())}
    log.info("watch", counts=counts)
    return counts


def overdue_jobs(last: Mapping[Job, datetime], *, now: datetime) -> Sequence[Job]:
    """The jobs without a successful run for two periods. One that never ran is not judged."""
    return [job for job in Job if job in last and overdue(job, last=last[job], now=now)]
