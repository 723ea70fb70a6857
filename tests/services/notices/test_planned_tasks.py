"""Planned notices: which are sent, which are skipped and why, also in late and overlapping runs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.store.notices.leases import LEASE_DURATION
from chalicelib.store.platform.transactions import Transactions
from tests.support import faults
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.faults import FaultMode, inject_faults
from tests.support.new_worlds import open_services_after
from tests.support.planning import (
    WINDOW_TITLES,
    compute_time_on_day,
    list_skipped,
    list_titles,
    play_to_infusion,
    run_daily_job,
)
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION


@pytest.fixture
def infused_services(stores):
    """Services after an infusion, when the notices of day 0 were sent."""
    return open_services_after(play_to_infusion, stores)


def test_a_whole_plan_fits_into_the_transaction_of_its_infusion(submitted_services, monkeypatch):
    """It has 28 rows. A transaction can have 100 items. `docs/storage.md` has the number."""
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)
    sizes = []
    commit = Transactions.commit

    def record_size(transactions, *writes):
        sizes.append(len(writes))
        commit(transactions, *writes)

    monkeypatch.setattr(Transactions, "commit", record_size)
    submitted_services.move_to("infused")

    assert sizes == [36]


# --------------------------------------------------------------------------- when jobs run


@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_notice_of_a_window_is_sent_once_however_often_the_job_runs(infused_services, times):
    """One to three runs a day, in functions with empty caches."""
    for day in (1, 7, 8, 14, 21, 28):
        for n in range(times):
            infused_services.restart().run_queue(
                TaskQueue.PLAN, now=compute_time_on_day(infused_services, day) + n * MINUTE
            )

    assert list_titles(infused_services) == WINDOW_TITLES


def test_a_run_that_is_one_day_late_sends_the_usual_text(infused_services):
    """The text does not mention the delay."""
    for day in (2, 8, 15, 22, 29):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services)[:5] == WINDOW_TITLES


def test_a_run_that_is_two_days_late_adds_the_due_date(infused_services):
    """Because the text says "today" about a day that has passed."""
    run_daily_job(infused_services, until=6)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 9))

    assert list_titles(infused_services)[1:] == [f"{WINDOW_TITLES[1]} (was due November 9, 2026)"]


def test_two_runs_at_once_send_each_notice_once(infused_services):
    """Only the run that claims a task sends it."""
    now = compute_time_on_day(infused_services, 28)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(infused_services.restart().run_queue, TaskQueue.PLAN, now=now) for _ in range(2)]
        counts = [run.result() for run in runs]

    assert len(list_titles(infused_services)) == len(WINDOW_TITLES)
    assert sum(run["failed"] for run in counts) == 0


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_crash_during_a_skip_still_leaves_the_reason(infused_services, mode):
    """The next run finds the task waiting or already skipped."""
    infused_services.move_to("deceased")
    now = compute_time_on_day(infused_services, 7)
    with inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, mode)), pytest.raises(faults.SimulatedCrash):
        infused_services.restart().run_queue(TaskQueue.PLAN, now=now)
    infused_services.restart().run_queue(TaskQueue.PLAN, now=now + LEASE_DURATION)

    assert set(list_skipped().values()) == {"closed", "ended"}
    assert list_titles(infused_services) == []


# ------------------------------------------------------------------------- nothing after


@pytest.mark.parametrize("ending", ["transferred_care", "lost_to_follow_up"])
def test_nothing_is_sent_after_care_was_transferred_or_lost(infused_services, ending):
    """The new care team has its own reminders."""
    run_daily_job(infused_services, until=1)
    infused_services.now = compute_time_on_day(infused_services, 1)
    infused_services.move_to("window_complete")
    infused_services.report("handed_back", member=build_member(PRACTICE), at=infused_services.now + MINUTE)
    infused_services.now += 2 * MINUTE
    infused_services.move_to(ending)

    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 16 * 365))

    assert list_titles(infused_services) == WINDOW_TITLES[:1]
    assert set(list_skipped().values()) == {"closed"}


def test_after_the_return_to_the_practice_only_visits_are_sent(infused_services):
    """The window has ended, and its tasks have that reason."""
    run_daily_job(infused_services, until=20)
    infused_services.now = compute_time_on_day(infused_services, 20)
    infused_services.move_to("window_complete")
    infused_services.report("handed_back", member=build_member(PRACTICE), at=infused_services.now + MINUTE)

    for day in (21, 28, 30, 31, 90):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services)[3:] == ["Follow-up visit due: day 30", "Follow-up visit due: day 90"]
    assert set(list_skipped().values()) == {"handed_back"}


# ----------------------------------------------------------------------------- overdue


def test_an_overdue_return_is_sent_for_three_days_and_then_escalated(infused_services):
    """To both sides, and on the third day to the administrators of the center."""
    admin = replace(build_member(CENTER, n=7), roles=frozenset({Role.COORDINATOR, Role.ADMIN}))
    infused_services.stores.members.add(admin)
    run_daily_job(infused_services, until=31)

    practice_titles, center_titles = list_titles(infused_services)[-4:], list_titles(infused_services, CENTER)[-3:]
    admin_notices, _ = infused_services.stores.notices.list_page(admin.member_id, limit=1, start=None)

    assert [title.partition(":")[0] for title in practice_titles if "overdue" in title] == [
        "Return to referring provider is 1 day overdue",
        "Return to referring provider is 2 days overdue",
        "Return to referring provider is 3 days overdue",
    ]
    assert len(center_titles) == 3
    assert admin_notices[0].title == (
        "Return to referring provider is 3 days overdue; the referring practice is waiting: "
        "make sure someone on your team responds"
    )


def test_an_unacknowledged_return_is_reminded_after_three_days_and_not_overdue(infused_services):
    """The practice gets a reminder, and the center is notified."""
    run_daily_job(infused_services, until=28)
    infused_services.now = compute_time_on_day(infused_services, 28)
    infused_services.move_to("window_complete", "handback_ready")
    for day in (29, 30, 31, 32):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services, rule="handback_unacknowledged") == [
        "The patient's return has waited 3 days for your acknowledgment"
    ]
    assert list_titles(infused_services, CENTER, "handback_unacknowledged") == [
        "The practice has not acknowledged the patient's return in 3 days"
    ]
    assert list_skipped() == {f"handback_overdue_{n}": "satisfied" for n in (1, 2, 3)}
