"""Heartbeats: proof that each scheduled job runs, and an alarm if one does not.

A job that never starts cannot report a problem. The relay job runs most often, so it checks all jobs. A
CloudWatch alarm checks the relay: it fires if the relay's log line is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.platform.jobs import ScheduledJob, is_job_overdue
from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext


def run_job_with_heartbeat(
    job: ScheduledJob, work: Callable[[], Mapping[str, int]], *, context: RunContext
) -> Mapping[str, int]:
    """Do a job's work, and record its heartbeat unless the work fails."""
    counts = work()
    context.stores.heartbeats.record_success(job, counts, now=context.now)
    return counts


def log_overdue_jobs(*, context: RunContext) -> Mapping[str, int]:
    """Log how many jobs are overdue and how many tasks have failed. CloudWatch alarms count these lines.

    The relay calls it after its own work, also if that work failed.
    """
    last_success = context.stores.heartbeats.list_last_successes()
    for job in set(ScheduledJob) - last_success.keys():
        context.stores.heartbeats.record_expected(job, now=context.now)
    overdue_jobs = list_overdue_jobs(last_success, now=context.now)
    for job in overdue_jobs:
        log.error("job overdue", function=job.value)
    counts = {"overdue": len(overdue_jobs), "parked": sum(1 for _ in context.stores.outbox.list_failed())}
    log.info("watch", counts=counts)
    return counts


def list_overdue_jobs(last_success: Mapping[ScheduledJob, datetime], *, now: datetime) -> Sequence[ScheduledJob]:
    """The jobs without a successful run for two periods, except jobs that have never run."""
    return [
        job
        for job in ScheduledJob
        if job in last_success and is_job_overdue(job, last_success=last_success[job], now=now)
    ]
