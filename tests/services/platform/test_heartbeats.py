"""Heartbeats: a job that runs is known, and one that does not is noticed."""

from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.observe import log
from chalicelib.services.platform import heartbeats as jobs
from chalicelib.services.platform.heartbeats import list_overdue_jobs, log_overdue_jobs
from chalicelib.services.platform.run_context import RunContext
from tests.support import stores as shelves
from tests.support.factories import NOON
from tests.support.tasks import build_task, claim_one, write_tasks

SECOND = timedelta(seconds=1)


@pytest.fixture
def log_lines(monkeypatch):
    """What is logged while the relay looks after the jobs."""
    said = []
    for level in ("info", "error"):
        monkeypatch.setattr(type(log), level, lambda _, event, *, at=level, **more: said.append((at, event, more)))
    return said


def late(stores, *, at):
    """The jobs that are overdue by then."""
    return list_overdue_jobs(stores.heartbeats.list_last_successes(), now=at)


def all_ran(stores, *, at=NOON):
    """Every job leaves its heartbeat."""
    for job in ScheduledJob:
        jobs.run_job_with_heartbeat(job, dict, context=RunContext(stores, at))


def test_a_run_leaves_when_it_was_and_what_it_did(stores):
    """One small row for each job, however often it runs."""
    for n in range(3):
        told = jobs.run_job_with_heartbeat(
            ScheduledJob.RELAY, lambda: {"done": 2, "mails": 5}, context=RunContext(stores, NOON + n * SECOND)
        )

    assert told == {"done": 2, "mails": 5}
    assert stores.heartbeats.list_last_successes() == {ScheduledJob.RELAY: NOON + 2 * SECOND}
    assert shelves.list_rows("jobs")[0]["counts"] == ["done=2", "mails=5"]


def test_a_run_that_fails_leaves_no_heartbeat(stores):
    """Only what ran through counts."""
    with pytest.raises(ZeroDivisionError):
        jobs.run_job_with_heartbeat(ScheduledJob.RELAY, lambda: {"done": 1 // 0}, context=RunContext(stores, NOON))

    assert stores.heartbeats.list_last_successes() == {}


@pytest.mark.parametrize("job", list(ScheduledJob))
def test_a_job_is_overdue_after_two_of_its_periods(stores, job):
    """Not a moment earlier, and no other job with it."""
    deadline = NOON + 2 * JOB_PERIODS[job]
    all_ran(stores, at=deadline)
    jobs.run_job_with_heartbeat(job, dict, context=RunContext(stores, NOON))

    assert late(stores, at=deadline) == []
    assert late(stores, at=deadline + SECOND) == [job]


def test_a_job_that_runs_again_is_overdue_no_more(stores):
    """Whatever it has missed."""
    all_ran(stores)
    much_later = NOON + timedelta(days=3)
    all_ran(stores, at=much_later)

    assert late(stores, at=much_later) == []


def test_a_job_that_never_ran_is_overdue_once_somebody_has_looked_for_it(stores):
    """Two periods after the first look: a new deployment is not blamed at once."""
    first = log_overdue_jobs(context=RunContext(stores, NOON))
    soon = log_overdue_jobs(context=RunContext(stores, NOON + 2 * JOB_PERIODS[ScheduledJob.CHECKPOINTS]))

    assert first["overdue"] == 0
    assert soon["overdue"] == sum(JOB_PERIODS[job] < JOB_PERIODS[ScheduledJob.CHECKPOINTS] for job in ScheduledJob)
    assert late(stores, at=NOON + 2 * JOB_PERIODS[ScheduledJob.CHECKPOINTS] + SECOND) == list(ScheduledJob)


def test_a_job_that_runs_as_it_is_looked_for_keeps_its_heartbeat(stores):
    """What is expected never stands in for what was."""
    jobs.run_job_with_heartbeat(ScheduledJob.RELAY, dict, context=RunContext(stores, NOON))

    stores.heartbeats.record_expected(ScheduledJob.RELAY, now=NOON + SECOND)

    assert stores.heartbeats.list_last_successes() == {ScheduledJob.RELAY: NOON}


def test_the_relay_says_which_job_is_overdue(stores, log_lines):
    """By name for a person, by number for an alarm."""
    all_ran(stores)
    jobs.run_job_with_heartbeat(
        ScheduledJob.CHECKPOINTS, dict, context=RunContext(stores, NOON + timedelta(minutes=31))
    )
    jobs.run_job_with_heartbeat(ScheduledJob.RELAY, dict, context=RunContext(stores, NOON + timedelta(minutes=31)))

    log_overdue_jobs(context=RunContext(stores, NOON + timedelta(minutes=31)))

    assert log_lines == [
        ("error", "job overdue", {"function": "notices"}),
        ("info", "watch", {"counts": {"overdue": 1, "parked": 0}}),
    ]


def test_the_relay_counts_what_is_parked(stores, log_lines):
    """Until a person has put it back."""
    all_ran(stores)
    write_tasks(stores, build_task())
    stores.outbox.mark_failed(claim_one(stores.outbox), error="KeyError", now=NOON)
    log_overdue_jobs(context=RunContext(stores, NOON))
    stores.outbox.retry_failed(build_task().outbox_id, now=NOON)
    log_overdue_jobs(context=RunContext(stores, NOON))

    assert [more["counts"]["parked"] for _, _, more in log_lines] == [1, 0]


def test_a_rehearsal_by_hand_is_no_heartbeat(services):
    """It says nothing about the schedule."""
    services.run_queue(TaskQueue.EVENT)

    assert services.stores.heartbeats.list_last_successes() == {}
