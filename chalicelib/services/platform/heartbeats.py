"""Heartbeats: that each scheduled job does run, and who notices when one does not.

A job that is never started cannot complain by itself. The relay, which runs most often, looks
after them all, and an alarm outside looks after the relay: it rings when its word is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.platform.jobs import ScheduledJob, is_job_overdue
from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext


def run_job_with_heartbeat(
    job: ScheduledJob, work: Callable[[], Mapping[str, int]], *, context: RunContext
) -> Mapping[str, int]:
    """Do a job's work and leave its heartbeat, unless the work fails."""
    counts = work()
    context.stores.heartbeats.record_success(job, counts, now=context.now)
    return counts


def log_overdue_jobs(*, context: RunContext) -> Mapping[str, int]:
    """Log how many jobs are overdue and how many tasks are parked: alarms count these lines.

    Called by the relay after its own work, whatever became of that.
    """
    last = context.stores.heartbeats.list_last_successes()
    for job in set(ScheduledJob) - last.keys():
        context.stores.heartbeats.record_expected(job, now=context.now)
    late = list_overdue_jobs(last, now=context.now)
    for job in late:
        log.error("job overdue", function=job.value)
    counts = {"overdue": len(late), "parked": sum(1 for _ in context.stores.outbox.list_failed())}
    log.info("watch", counts=counts)
    return counts


def list_overdue_jobs(last_success: Mapping[ScheduledJob, datetime], *, now: datetime) -> Sequence[ScheduledJob]:
    """The jobs without a successful run for two periods. One that never ran is not judged."""
    return [
        job
        for job in ScheduledJob
        if job in last_success and is_job_overdue(job, last_success=last_success[job], now=now)
    ]
