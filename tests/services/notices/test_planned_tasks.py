"""The plan at work: what is told, what is left out and why; late, and twice at once."""

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
def infused_services(submitted_services):
    """The desk after an infusion, when everything of day 0 was told."""
    return play_to_infusion(submitted_services)


def test_a_whole_plan_fits_into_the_transaction_of_its_infusion(submitted_services, monkeypatch):
    """With the 28 rows of a plan; DynamoDB takes 100 items. `docs/storage.md` has the figure."""
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)
    sizes = []
    commit = Transactions.commit

    def counted(ledger, *writes):
        sizes.append(len(writes))
        commit(ledger, *writes)

    monkeypatch.setattr(Transactions, "commit", counted)
    submitted_services.move_to("infused")

    assert sizes == [35]


# --------------------------------------------------------------------------- when jobs run


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_window_is_told_once_however_often_the_job_runs(infused_services, times):
    """Each day one to three times, by functions that remember nothing."""
    for day in (1, 7, 8, 14, 21, 28):
        for n in range(times):
            infused_services.restart().run_queue(
                TaskQueue.PLAN, now=compute_time_on_day(infused_services, day) + n * MINUTE
            )

    assert list_titles(infused_services) == WINDOW_TITLES


def test_a_day_without_a_run_is_caught_up_by_the_next(infused_services):
    """A run that is a day late says nothing of it."""
    for day in (2, 8, 15, 22, 29):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services)[:5] == WINDOW_TITLES


def test_a_run_that_is_two_days_late_says_so(infused_services):
    """The words say "today" of a day that is gone."""
    run_daily_job(infused_services, until=6)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 9))

    assert list_titles(infused_services)[1:] == [f"{WINDOW_TITLES[1]} (was due November 9, 2026)"]


def test_two_runs_at_once_tell_once(infused_services):
    """Whoever claims a task has it."""
    now = compute_time_on_day(infused_services, 28)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(infused_services.restart().run_queue, TaskQueue.PLAN, now=now) for _ in range(2)]
        counts = [each.result() for each in runs]

    assert len(list_titles(infused_services)) == len(WINDOW_TITLES)
    assert sum(each["failed"] for each in counts) == 0


@pytest.mark.parametrize("mode", [FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER])
def test_a_run_that_dies_as_it_skips_leaves_the_reason_all_the_same(infused_services, mode):
    """The next one finds it waiting, or done with."""
    infused_services.move_to("deceased")
    now = compute_time_on_day(infused_services, 7)
    with inject_faults(faults.plan_nth_fault("TransactWriteItems", 1, mode)), pytest.raises(faults.SimulatedCrash):
        infused_services.restart().run_queue(TaskQueue.PLAN, now=now)
    infused_services.restart().run_queue(TaskQueue.PLAN, now=now + LEASE_DURATION)

    assert set(list_skipped().values()) == {"closed"}
    assert list_titles(infused_services) == []


# ------------------------------------------------------------------------- nothing after


def test_nothing_is_told_after_a_death(infused_services):
    """To the fifteenth year; each row says why."""
    run_daily_job(infused_services, until=8)
    outcome = list_titles(infused_services)
    infused_services.now = compute_time_on_day(infused_services, 8)
    infused_services.move_to("deceased")

    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 16 * 365))

    assert list_titles(infused_services) == outcome
    assert set(list_skipped().values()) == {"closed"}


@pytest.mark.parametrize("ending", ["transferred_care", "lost_to_follow_up"])
def test_nothing_is_told_after_care_has_left(infused_services, ending):
    """Whoever has the patient now has other reminders."""
    run_daily_job(infused_services, until=1)
    infused_services.now = compute_time_on_day(infused_services, 1)
    infused_services.move_to("window_complete")
    infused_services.report("handed_back", member=build_member(PRACTICE), at=infused_services.now + MINUTE)
    infused_services.now += 2 * MINUTE
    infused_services.move_to(ending)

    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 16 * 365))

    assert list_titles(infused_services) == WINDOW_TITLES[:1]
    assert set(list_skipped().values()) == {"closed"}


def test_after_a_handback_only_the_visits_are_told(infused_services):
    """The window is over, and its rows say so."""
    run_daily_job(infused_services, until=20)
    infused_services.now = compute_time_on_day(infused_services, 20)
    infused_services.move_to("window_complete")
    infused_services.report("handed_back", member=build_member(PRACTICE), at=infused_services.now + MINUTE)

    for day in (21, 28, 30, 31, 90):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services)[3:] == ["Follow-up visit due: day 30", "Follow-up visit due: day 90"]
    assert set(list_skipped().values()) == {"handed_back"}


# ----------------------------------------------------------------------------- overdue


def test_three_days_without_a_handback_are_told_and_then_escalated(infused_services):
    """Both sides, and on the third day those who lead the center."""
    lead = replace(build_member(CENTER, n=7), roles=frozenset({Role.COORDINATOR, Role.ADMIN}))
    infused_services.stores.members.add(lead)
    run_daily_job(infused_services, until=31)

    mine, theirs = list_titles(infused_services)[-4:], list_titles(infused_services, CENTER)[-3:]
    theirs_lead, _ = infused_services.stores.notices.list_page(lead.member_id, limit=1, start=None)

    assert [title.partition(":")[0] for title in mine if "overdue" in title] == [
        "Return to referring provider is 1 day overdue",
        "Return to referring provider is 2 days overdue",
        "Return to referring provider is 3 days overdue",
    ]
    assert len(theirs) == 3
    assert theirs_lead[0].title == (
        "Return to referring provider is 3 days overdue; the referring practice is waiting: "
        "make sure someone on your team responds"
    )


def test_a_package_that_waits_three_days_is_reminded_of_and_no_more_overdue(infused_services):
    """The practice is reminded, the center knows."""
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
