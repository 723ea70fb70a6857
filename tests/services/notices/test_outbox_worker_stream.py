"""What the outbox's stream drives: at once, in any order, however often, and never in the way."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.errors import UnavailableError
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.notices.outbox_worker import CLOCK_SKEW
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import faults
from tests.support import stores as store_tools
from tests.support.factories import CENTER, build_member
from tests.support.faults import FaultMode
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, FailingMailer

SWEEP = JOB_PERIODS[ScheduledJob.RELAY]


@pytest.fixture
def services(services):
    """The desk, with a mail service that can be told to fail."""
    services.postbox = FailingMailer()
    return services


def committed(*, lane="event", referral_id=None):
    """The ids of rows as their stream tells them, in the order in which they are stored."""
    return [
        row["outbox_id"]
        for row in store_tools.list_task_rows()
        if row.get("lane", "").startswith(lane) and referral_id in {None, row["referral_id"]}
    ]


def states():
    """The state of each task."""
    return [row["state"] for row in store_tools.list_task_rows()]


def test_what_was_committed_is_told_at_once(services):
    """Without any sweep."""
    services.refer()

    counts = services.run_stream(*committed())

    assert services.postbox.list_recipients == [build_member(CENTER).email]
    assert (counts["done"], counts["mails"], states()) == (1, 1, ["done"])


def test_a_record_that_was_lost_costs_time_and_not_the_notice(services):
    """The stream says nothing; the next sweep is there within a quarter of an hour."""
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT, now=services.now + SWEEP)

    assert (counts["done"], counts["mails"]) == (1, 1)


@pytest.mark.parametrize("times", [2, 5])
def test_a_record_that_is_delivered_again_tells_nothing_again(services, times):
    """In one batch, in another, and long after."""
    services.refer()
    ids = committed()
    services.run_stream(*ids * times)

    for later in (timedelta(0), MINUTE, LEASE_DURATION, timedelta(hours=20)):
        services.restart().run_stream(*ids * times, now=services.now + later)

    assert len(services.postbox.accepted) == 1


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_batch_that_is_run_again_after_a_death_loses_nothing(services, mode):
    """Lambda repeats it at once, while the lease of the dead still holds; the sweep ends it."""
    for n in range(3):
        services.refer(f"ref_{n}", key=f"key-{n}")
    ids = committed()
    dies = faults.plan_nth_fault("UpdateItem", 4, mode)
    with faults.inject_faults(dies), pytest.raises(faults.SimulatedCrash):
        services.restart().run_stream(*ids)

    services.restart().run_stream(*ids)
    services.restart().run_queue(TaskQueue.EVENT, now=services.now + LEASE_DURATION)

    assert states() == ["done"] * 3
    assert len(services.postbox.accepted) == 3


def test_a_poison_record_in_the_middle_holds_up_nobody(services):
    """Those before and after it are done, and nothing is raised that would block the stream."""
    services.refer("ref_1", key="key-1", center_id="ctr_mesa")
    services.refer("ref_2", key="key-2")
    services.refer("ref_3", key="key-3", center_id="ctr_mesa")
    services.postbox.refused = "harbor"
    ids = [each for n in (1, 2, 3) for each in committed(referral_id=f"ref_{n}")]

    counts = services.run_stream(*ids)

    assert (counts["mails"], counts["failed"]) == (2, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_records_of_transactions_may_come_apart_and_interleaved(services, order):
    """Each by itself, in any order, those of a plan in between: nothing waits for another."""
    services.refer()
    services.run_stream(*committed())
    services.move_to(*STAGES_TO_LYMPHODEPLETION[:2])
    services.move_to("consult_completed")
    services.postbox.accepted.clear()
    ids = committed()
    assert len(ids) == len(order)

    for n in order:
        services.restart().run_stream(ids[n])

    assert set(states()) == {"done"}
    # Two of the three are for somebody; the second waits until the hour of the first is over.
    assert len(store_tools.list_rows("notices")) == 1 + 2
    assert len(services.postbox.accepted) == 1


def test_what_is_planned_for_a_day_is_left_to_its_job(services):
    """The stream tells of those rows too, weeks ahead."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    services.run_stream(*committed())
    before = len(services.postbox.accepted)

    counts = services.run_stream(*committed(lane="plan"), now=services.now + timedelta(days=90))

    assert set(counts.values()) == {0}
    assert len(services.postbox.accepted) == before


@pytest.mark.parametrize("operation", ["UpdateItem", "PutItem"])
def test_stream_and_sweep_at_the_same_moment_send_one_mail(services, operation):
    """The sweep comes as the stream is about to claim, or to write the notice."""
    services.refer()
    sweeping, theirs = services.restart(), []
    between = faults.plan_interruption(operation, lambda: theirs.append(sweeping.run_queue(TaskQueue.EVENT)))

    with faults.inject_faults(between):
        mine = services.run_stream(*committed())

    assert mine["done"] + theirs[0]["done"] == 1
    assert len(services.postbox.accepted) == 1


def test_a_clock_that_is_behind_makes_nothing_wait(services):
    """The function that committed it was some seconds ahead of ours."""
    services.refer()

    assert services.run_stream(*committed(), now=services.now - CLOCK_SKEW)["done"] == 1


def test_a_clock_that_is_behind_takes_nothing_from_who_has_it(services):
    """A lease counts to its end."""
    services.refer()
    [row] = store_tools.list_task_rows()
    services.stores.outbox.claim(row, now=services.now)

    assert services.run_stream(*committed(), now=services.now + LEASE_DURATION - CLOCK_SKEW) == services.run_stream()


def test_a_failed_task_is_not_tried_again_by_a_repeated_record(services):
    """Its pause counts."""
    services.refer()
    services.postbox.refused = "harbor"
    ids = committed()

    tries = [services.run_stream(*ids)["failed"] for _ in range(3)]

    assert tries == [1, 0, 0]


def test_what_there_is_no_time_for_is_still_due(services):
    """A function begins nothing that it might not end; what it leaves is nobody's."""
    for n in range(4):
        services.refer(f"ref_{n}", key=f"key-{n}")
    left = iter([True, True, *[False] * 9])
    context = replace(services.build_job_context(), has_time=lambda: next(left))

    by_stream = duties.process_committed(committed(), context=context)
    left = iter([True, *[False] * 9])
    by_sweep = duties.process_queue(TaskQueue.EVENT, context=context)
    rest = services.run_queue(TaskQueue.EVENT)

    assert (by_stream["done"], by_sweep["done"], rest["done"]) == (2, 1, 1)


def test_tables_that_do_not_answer_fail_the_batch(services):
    """Nobody can say what is in it, so Lambda is to try again; the sweep will find it anyway."""
    services.refer()
    ids = committed()

    with faults.inject_faults(faults.plan_always("BatchGetItem", FaultMode.THROTTLE)), pytest.raises(UnavailableError):
        services.run_stream(*ids)
    assert services.run_queue(TaskQueue.EVENT)["mails"] == 1
