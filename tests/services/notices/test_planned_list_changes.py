"""A plan as a referral changes: corrected, extended, paused; and how it is listed."""

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, WindowExtended
from chalicelib.services.notices.planned_list import list_planned_notices
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import stores as store_tools
from tests.support.faults import inject_faults, plan_interruption
from tests.support.planning import (
    DAY,
    WINDOW_TITLES,
    compute_time_on_day,
    correct_infusion_day,
    list_skipped,
    list_titles,
    play_to_infusion,
    report_event,
    run_daily_job,
)
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION


@pytest.fixture
def infused_services(submitted_services):
    """The desk after an infusion, when everything of day 0 was told."""
    return play_to_infusion(submitted_services)


# ------------------------------------------------------------------- corrected and extended


def test_what_was_told_and_is_corrected_says_so(infused_services):
    """Day 7 was told; the infusion was three days later, so day 7 comes again."""
    run_daily_job(infused_services, until=7)
    correct_infusion_day(infused_services, day=8, really=3)

    # Counted from the day that was right.
    for day in (7, 14):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    rule = "daily_monitoring_ends"
    assert list_titles(infused_services, rule=rule) == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]
    assert list_titles(infused_services, rule="label_minimum_ends") == [WINDOW_TITLES[2]]


def test_a_correction_of_a_correction_remembers_what_was_told(infused_services):
    """The second plan was never told of; the first was."""
    run_daily_job(infused_services, until=7)
    correct_infusion_day(infused_services, day=8, really=3)
    correct_infusion_day(infused_services, day=5, really=4)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 8))

    result = list_titles(infused_services, rule="daily_monitoring_ends")

    assert result == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]


def test_a_day_that_is_right_after_all_knows_what_was_told_meanwhile(infused_services):
    """It was skipped for the wrong one, of which its reader was told."""
    correct_infusion_day(infused_services, day=1, really=3)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 4))
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    correct_infusion_day(infused_services, day=8, really=0)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 11))

    result = list_titles(infused_services, rule="daily_monitoring_ends")

    day = infused_services.get_referral().window.infused_on + 7 * DAY
    # Listed by their days.
    assert result == [f"Corrected: {WINDOW_TITLES[1]} (was due {format_date(day)})", WINDOW_TITLES[1]]


def test_a_day_that_waits_and_is_right_after_all_knows_it_too(infused_services):
    """From three days later to one, and back to three, before its own day came."""
    correct_infusion_day(infused_services, day=1, really=3)
    correct_infusion_day(infused_services, day=-1, really=1)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    correct_infusion_day(infused_services, day=7, really=3)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))

    result = list_titles(infused_services, rule="daily_monitoring_ends")

    assert result == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]


def test_an_extension_after_what_was_told_names_a_new_date(infused_services):
    """Nothing was wrong: the center monitors longer."""
    run_daily_job(infused_services, until=21)
    ends_on = infused_services.get_referral().window.infused_on + 35 * DAY
    report_event(infused_services, WindowExtended, day=22, ends_on=ends_on, reason_code="infection_hold")
    for day in (28, 35):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services, rule="handback_near") == [WINDOW_TITLES[3], f"New date: {WINDOW_TITLES[3]}"]
    assert list_titles(infused_services, rule="handback_target") == [WINDOW_TITLES[4]]
    assert list_skipped()["handback_target"] == "superseded"


# ---------------------------------------------------------------------------------- hold


def test_under_a_hold_nothing_is_told_and_its_end_says_once_where_things_stand(infused_services):
    """Days 7, 14 and 21 fall under it; day 28 comes after it."""
    run_daily_job(infused_services, until=3)
    report_event(infused_services, HoldStarted, day=4)
    run_daily_job(infused_services, until=22)
    under = list_titles(infused_services)
    paused = {row["rule"] for row in store_tools.list_rows("outbox") if row.get("why") == "on_hold"}
    report_event(infused_services, HoldEnded, day=23)
    for day in (23, 28):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day) + 5 * MINUTE)

    assert under == WINDOW_TITLES[:1]
    assert paused == {"daily_monitoring_ends", "label_minimum_ends", "handback_near"}
    assert list_titles(infused_services)[1:] == [
        f"{WINDOW_TITLES[2]} (was due November 16, 2026)",
        f"{WINDOW_TITLES[3]} (was due November 23, 2026)",
        WINDOW_TITLES[4],
    ]
    assert list_skipped() == {"daily_monitoring_ends": "on_hold"}


def test_a_hold_that_ends_as_the_job_skips_loses_nothing(infused_services):
    """The job read the hold; before it writes, the hold is over and left the task to it."""
    report_event(infused_services, HoldStarted, day=4)

    def release():
        report_event(infused_services, HoldEnded, day=7)

    with inject_faults(plan_interruption("TransactWriteItems", release)):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + LEASE_DURATION)

    assert WINDOW_TITLES[1] in list_titles(infused_services)


def test_a_task_that_is_skipped_as_a_hold_ends_is_planned_again(infused_services):
    """The end of the hold saw it waiting; before it is written, the job has skipped it."""
    report_event(infused_services, HoldStarted, day=4)

    def skip():
        infused_services.restart().run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))

    # The first try finds the row there, the second one that it waits no more.
    with inject_faults(plan_interruption("TransactWriteItems", skip, number=2)):
        report_event(infused_services, HoldEnded, day=7)
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now)

    assert WINDOW_TITLES[1] in list_titles(infused_services)


# ------------------------------------------------------------------------- as it is listed


def listed(driver):
    """Each rule of the plan with its state and why."""
    return {
        n.rule: (n.state.value, n.skip_reason)
        for n in list_planned_notices(driver.get_referral(), stores=driver.stores)
    }


def test_a_plan_is_listed_with_what_became_of_it(infused_services):
    """Told, skipped with why, and planned."""
    run_daily_job(infused_services, until=8)
    report_event(infused_services, HoldStarted, day=9)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 14))
    plan = listed(infused_services)

    assert plan["daily_monitoring_ends"] == ("told", None)
    assert plan["label_minimum_ends"] == ("skipped", "on_hold")
    assert plan["handback_near"] == ("planned", "on_hold")
    assert len(plan) == 28


def test_what_will_not_be_told_is_listed_as_skipped_before_its_day(infused_services):
    """As the referral stands; nobody waits for a reminder that will not come."""
    infused_services.move_to("deceased")

    plan = listed(infused_services)

    assert plan["visit_year_15"] == ("skipped", "closed")
    assert plan["window_opened"] == ("told", None)


def test_what_was_past_when_the_plan_was_made_is_listed_as_overtaken(submitted_services):
    """The infusion was learned of on day 9: of the watch only its last word was planned."""
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)
    at = submitted_services.now + MINUTE
    submitted_services.now += 9 * DAY
    submitted_services.deliver("infused", at=at)

    plan = listed(submitted_services)

    assert plan["window_opened"] == ("skipped", "overtaken")
    assert plan["daily_monitoring_ends"] == ("planned", None)


def test_there_is_no_plan_before_an_infusion(submitted_services):
    """And nothing to read for it."""
    assert listed(submitted_services) == {}
