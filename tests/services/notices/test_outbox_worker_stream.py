"""Processing by the stream of the outbox: at once, in any order, and more than once."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.errors import UnavailableError
from chalicelib.services.notices.outbox_worker import process_committed, process_queue
from chalicelib.services.platform.run_context import CLOCK_SKEW
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support.factories import CENTER, build_member
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, FailingMailer
from tests.support.stores import list_rows, list_task_rows

JOB_PERIOD = JOB_PERIODS[ScheduledJob.RELAY]


@pytest.fixture
def services(services):
    """Services with a mail service that can fail."""
    services.postbox = FailingMailer()
    return services


def list_task_ids(*, queue="event", referral_id=None):
    """The ids of the rows of a queue, as their stream has them, in the order in which they are stored."""
    return [
        row["outbox_id"]
        for row in list_task_rows()
        if row.get("lane", "").startswith(queue) and referral_id in {None, row["referral_id"]}
    ]


def list_states():
    """The state of each task."""
    return [row["state"] for row in list_task_rows()]


def test_a_committed_event_is_sent_at_once(services):
    """No scheduled job is needed."""
    services.refer()

    counts = services.run_stream(*list_task_ids())

    assert services.postbox.list_recipients == [build_member(CENTER).email]
    assert (counts["done"], counts["mails"], list_states()) == (1, 1, ["done"])


def test_a_lost_stream_record_delays_the_notice_only(services):
    """The next scheduled job sends it within 15 minutes."""
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT, now=services.now + JOB_PERIOD)

    assert (counts["done"], counts["mails"]) == (1, 1)


@pytest.mark.parametrize("times", [2, 5])
def test_a_repeated_stream_record_sends_nothing_again(services, times):
    """In the same batch, in another one, and long after."""
    services.refer()
    ids = list_task_ids()
    services.run_stream(*ids * times)

    for later in (timedelta(0), MINUTE, LEASE_DURATION, timedelta(hours=20)):
        services.restart().run_stream(*ids * times, now=services.now + later)

    assert len(services.postbox.accepted) == 1


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_batch_that_is_repeated_after_a_crash_loses_nothing(services, mode):
    """Lambda repeats it at once, while the lease of the crashed run is still valid. The scheduled job finishes it."""
    for n in range(3):
        services.refer(f"ref_{n}", key=f"key-{n}")
    ids = list_task_ids()
    crash = faults.plan_nth_fault("UpdateItem", 4, mode)
    with faults.inject_faults(crash), pytest.raises(faults.SimulatedCrash):
        services.restart().run_stream(*ids)

    services.restart().run_stream(*ids)
    services.restart().run_queue(TaskQueue.EVENT, now=services.now + LEASE_DURATION)

    assert list_states() == ["done"] * 3
    assert len(services.postbox.accepted) == 3


def test_a_record_that_fails_does_not_delay_the_others(services):
    """Those before and after it are processed, and nothing is raised that would block the stream."""
    services.refer("ref_1", key="key-1", center_id="ctr_mesa")
    services.refer("ref_2", key="key-2")
    services.refer("ref_3", key="key-3", center_id="ctr_mesa")
    services.postbox.refused = "harbor"
    ids = [task_id for n in (1, 2, 3) for task_id in list_task_ids(referral_id=f"ref_{n}")]

    counts = services.run_stream(*ids)

    assert (counts["mails"], counts["failed"]) == (2, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_records_of_transactions_can_arrive_separately_and_in_any_order(services, order):
    """Each by itself, in any order. No record waits for another."""
    services.refer()
    services.run_stream(*list_task_ids())
    services.move_to(*STAGES_TO_LYMPHODEPLETION[:2])
    services.move_to("consult_completed")
    services.postbox.accepted.clear()
    ids = list_task_ids()
    assert len(ids) == len(order)

    for n in order:
        services.restart().run_stream(ids[n])

    assert set(list_states()) == {"done"}
    # Two of the three notify someone. The second waits until the hour of the first one ends.
    assert len(list_rows("notices")) == 1 + 2
    assert len(services.postbox.accepted) == 1


def test_a_task_that_is_planned_for_a_day_is_left_to_its_job(services):
    """The stream also has those rows, weeks before they are due."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    services.run_stream(*list_task_ids())
    before = len(services.postbox.accepted)

    counts = services.run_stream(*list_task_ids(queue="plan"), now=services.now + timedelta(days=90))

    assert set(counts.values()) == {0}
    assert len(services.postbox.accepted) == before


@pytest.mark.parametrize("operation", ["UpdateItem", "PutItem"])
def test_the_stream_and_the_job_at_the_same_time_send_one_email(services, operation):
    """The job runs when the stream is about to claim the task, or to write the notice."""
    services.refer()
    job, job_counts = services.restart(), []
    between = faults.plan_interruption(operation, lambda: job_counts.append(job.run_queue(TaskQueue.EVENT)))

    with faults.inject_faults(between):
        counts = services.run_stream(*list_task_ids())

    assert counts["done"] + job_counts[0]["done"] == 1
    assert len(services.postbox.accepted) == 1


def test_a_clock_that_is_behind_does_not_delay_a_task(services):
    """The clock of the function that committed it was some seconds ahead of ours."""
    services.refer()

    assert services.run_stream(*list_task_ids(), now=services.now - CLOCK_SKEW)["done"] == 1


def test_a_clock_that_is_behind_does_not_end_a_lease_early(services):
    """A lease is valid to its end."""
    services.refer()
    [row] = list_task_rows()
    services.stores.outbox.claim(row, now=services.now)

    counts = services.run_stream(*list_task_ids(), now=services.now + LEASE_DURATION - CLOCK_SKEW)

    assert counts == services.run_stream()


def test_a_repeated_record_does_not_retry_a_task_before_its_pause_ends(services):
    """Only the first record tries it."""
    services.refer()
    services.postbox.refused = "harbor"
    ids = list_task_ids()

    failures = [services.run_stream(*ids)["failed"] for _ in range(3)]

    assert failures == [1, 0, 0]


def test_a_task_for_which_there_is_no_time_is_still_due(services):
    """A function starts nothing that it may not finish, and leaves no claim behind."""
    for n in range(4):
        services.refer(f"ref_{n}", key=f"key-{n}")
    has_time = iter([True, True, *[False] * 9])
    context = replace(services.build_job_context(), has_time=lambda: next(has_time))

    by_stream = process_committed(list_task_ids(), context=context)
    has_time = iter([True, *[False] * 9])
    by_job = process_queue(TaskQueue.EVENT, context=context)
    rest = services.run_queue(TaskQueue.EVENT)

    assert (by_stream["done"], by_job["done"], rest["done"]) == (2, 1, 1)


def test_a_dynamodb_outage_fails_the_batch(services):
    """The rows cannot be read, so Lambda must repeat the batch. The scheduled job finds them anyway."""
    services.refer()
    ids = list_task_ids()

    with faults.inject_faults(faults.plan_always("BatchGetItem", FaultMode.THROTTLE)), pytest.raises(UnavailableError):
        services.run_stream(*ids)
    assert services.run_queue(TaskQueue.EVENT)["mails"] == 1
