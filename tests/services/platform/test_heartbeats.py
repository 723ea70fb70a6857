"""Heartbeats: each run is recorded, and a job that does not run becomes overdue."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.observe import log
from chalicelib.services.platform import heartbeats as jobs
from chalicelib.services.platform.heartbeats import list_overdue_jobs, log_overdue_jobs
from chalicelib.services.platform.run_context import RunContext
from tests.support.factories import NOON
from tests.support.stores import list_rows
from tests.support.tasks import build_task, claim_one, write_tasks

SECOND = timedelta(seconds=1)


@pytest.fixture
def log_lines(monkeypatch):
    """The lines that are logged while the relay checks the jobs."""
    lines = []
    for level in ("info", "error"):
        monkeypatch.setattr(type(log), level, lambda _, event, *, at=level, **more: lines.append((at, event, more)))
    return lines


def list_overdue(stores, *, at):
    """The jobs that are overdue at a time."""
    return list_overdue_jobs(stores.heartbeats.list_last_successes(), now=at)


def run_all_jobs(stores, *, at=NOON):
    """Record a heartbeat of every job."""
    for job in ScheduledJob:
        jobs.run_job_with_heartbeat(job, dict, context=RunContext(stores, at))


def test_a_run_records_its_time_and_counts(stores):
    """One small row for each job, however often it runs."""
    for n in range(3):
        counts = jobs.run_job_with_heartbeat(
            ScheduledJob.RELAY, lambda: {"done": 2, "mails": 5}, context=RunContext(stores, NOON + n * SECOND)
        )

    assert counts == {"done": 2, "mails": 5}
    assert stores.heartbeats.list_last_successes() == {ScheduledJob.RELAY: NOON + 2 * SECOND}
    assert list_rows("jobs")[0]["counts"] == ["done=2", "mails=5"]


def test_a_failed_run_records_no_heartbeat(stores):
    """Only a complete run counts."""
    with pytest.raises(ZeroDivisionError):
        jobs.run_job_with_heartbeat(ScheduledJob.RELAY, lambda: {"done": 1 // 0}, context=RunContext(stores, NOON))

    assert stores.heartbeats.list_last_successes() == {}


@pytest.mark.parametrize("job", list(ScheduledJob))
def test_a_job_is_overdue_after_two_of_its_periods(stores, job):
    """Not a second earlier, and no other job with it."""
    deadline = NOON + 2 * JOB_PERIODS[job]
    run_all_jobs(stores, at=deadline)
    jobs.run_job_with_heartbeat(job, dict, context=RunContext(stores, NOON))

    assert list_overdue(stores, at=deadline) == []
    assert list_overdue(stores, at=deadline + SECOND) == [job]


def test_a_job_that_runs_again_is_not_overdue(stores):
    """However many runs it has missed."""
    run_all_jobs(stores)
    later = NOON + timedelta(days=3)
    run_all_jobs(stores, at=later)

    assert list_overdue(stores, at=later) == []


def test_a_job_that_never_ran_is_overdue_after_the_first_check(stores):
    """Two periods after the first check, so that a new deployment has time."""
    first_check = log_overdue_jobs(context=RunContext(stores, NOON))
    second_check = log_overdue_jobs(context=RunContext(stores, NOON + 2 * JOB_PERIODS[ScheduledJob.SLOTS]))

    assert first_check["overdue"] == 0
    assert second_check["overdue"] == sum(JOB_PERIODS[job] < JOB_PERIODS[ScheduledJob.SLOTS] for job in ScheduledJob)
    assert list_overdue(stores, at=NOON + 2 * JOB_PERIODS[ScheduledJob.SLOTS] + SECOND) == list(ScheduledJob)


def test_an_expected_run_does_not_replace_a_heartbeat(stores):
    """A job that runs during the check keeps its real time."""
    jobs.run_job_with_heartbeat(ScheduledJob.RELAY, dict, context=RunContext(stores, NOON))

    stores.heartbeats.record_expected(ScheduledJob.RELAY, now=NOON + SECOND)

    assert stores.heartbeats.list_last_successes() == {ScheduledJob.RELAY: NOON}


def test_the_relay_logs_which_job_is_overdue(stores, log_lines):
    """By name for a person, and by number for an alarm."""
    run_all_jobs(stores)
    jobs.run_job_with_heartbeat(
        ScheduledJob.CHECKPOINTS, dict, context=RunContext(stores, NOON + timedelta(minutes=31))
    )
    jobs.run_job_with_heartbeat(ScheduledJob.RELAY, dict, context=RunContext(stores, NOON + timedelta(minutes=31)))

    log_overdue_jobs(context=RunContext(stores, NOON + timedelta(minutes=31)))

    assert log_lines == [
        ("error", "job overdue", {"function": "notices"}),
        ("info", "watch", {"counts": {"overdue": 1, "parked": 0}}),
    ]


def test_the_relay_counts_failed_tasks(stores, log_lines):
    """Until an operator retries them."""
    run_all_jobs(stores)
    write_tasks(stores, build_task())
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)
    log_overdue_jobs(context=RunContext(stores, NOON))
    stores.outbox.retry_failed(build_task().outbox_id, now=NOON)
    log_overdue_jobs(context=RunContext(stores, NOON))

    assert [more["counts"]["parked"] for _, _, more in log_lines] == [1, 0]


def test_a_manual_run_records_no_heartbeat(services):
    """It says nothing about the schedule."""
    services.run_queue(TaskQueue.EVENT)

    assert services.stores.heartbeats.list_last_successes() == {}
