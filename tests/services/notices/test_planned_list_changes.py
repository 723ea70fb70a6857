"""The plan of notices after corrections, extensions and holds, and how it is listed."""

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, WindowExtended
from chalicelib.services.notices.planned_list import list_planned_notices
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support.faults import inject_faults, plan_interruption
from tests.support.new_worlds import open_services_after
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
from tests.support.stores import list_rows


@pytest.fixture
def infused_services(stores):
    """Services after an infusion, when the notices of day 0 were sent."""
    return open_services_after(play_to_infusion, stores)


# ------------------------------------------------------------------- corrected and extended


def test_a_notice_that_is_sent_again_after_a_correction_says_so(infused_services):
    """Day 7 was sent. The infusion was three days later, so day 7 comes again."""
    run_daily_job(infused_services, until=7)
    correct_infusion_day(infused_services, day=8, really=3)

    # Counted from the correct day.
    for day in (7, 14):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    rule = "daily_monitoring_ends"
    assert list_titles(infused_services, rule=rule) == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]
    assert list_titles(infused_services, rule="label_minimum_ends") == [WINDOW_TITLES[2]]


def test_a_second_correction_still_knows_the_notice_that_was_sent(infused_services):
    """Nothing of the second plan was sent, but a notice of the first one was."""
    run_daily_job(infused_services, until=7)
    correct_infusion_day(infused_services, day=8, really=3)
    correct_infusion_day(infused_services, day=5, really=4)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 8))

    titles = list_titles(infused_services, rule="daily_monitoring_ends")

    assert titles == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]


def test_a_skipped_notice_whose_day_is_right_again_knows_what_replaced_it(infused_services):
    """It was skipped for the wrong day, and the notice of the wrong day was sent."""
    correct_infusion_day(infused_services, day=1, really=3)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 4))
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    correct_infusion_day(infused_services, day=8, really=0)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 11))

    titles = list_titles(infused_services, rule="daily_monitoring_ends")

    day = infused_services.get_referral().window.infused_on + 7 * DAY
    # In the order of their days.
    assert titles == [f"Corrected: {WINDOW_TITLES[1]} (was due {format_date(day)})", WINDOW_TITLES[1]]


def test_a_waiting_notice_whose_day_is_right_again_knows_what_replaced_it(infused_services):
    """From three days later to one, and back to three, before its own day."""
    correct_infusion_day(infused_services, day=1, really=3)
    correct_infusion_day(infused_services, day=-1, really=1)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    correct_infusion_day(infused_services, day=7, really=3)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))

    titles = list_titles(infused_services, rule="daily_monitoring_ends")

    assert titles == [WINDOW_TITLES[1], f"Corrected: {WINDOW_TITLES[1]}"]


def test_an_extension_after_a_sent_notice_sends_it_with_a_new_date(infused_services):
    """Nothing was wrong; the center extends the monitoring."""
    run_daily_job(infused_services, until=21)
    ends_on = infused_services.get_referral().window.infused_on + 35 * DAY
    report_event(infused_services, WindowExtended, day=22, ends_on=ends_on, reason_code="infection_hold")
    for day in (28, 35):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day))

    assert list_titles(infused_services, rule="handback_near") == [WINDOW_TITLES[3], f"New date: {WINDOW_TITLES[3]}"]
    assert list_titles(infused_services, rule="handback_target") == [WINDOW_TITLES[4]]
    assert list_skipped()["handback_target"] == "superseded"


# ---------------------------------------------------------------------------------- hold


def test_during_a_hold_nothing_is_sent_and_its_end_sends_the_current_notices_once(infused_services):
    """Days 7, 14 and 21 are during the hold, day 28 after it."""
    run_daily_job(infused_services, until=3)
    report_event(infused_services, HoldStarted, day=4)
    run_daily_job(infused_services, until=22)
    during_hold = list_titles(infused_services)
    paused = {row["rule"] for row in list_rows("outbox") if row.get("why") == "on_hold"}
    report_event(infused_services, HoldEnded, day=23)
    for day in (23, 28):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, day) + 5 * MINUTE)

    assert during_hold == WINDOW_TITLES[:1]
    assert paused == {"daily_monitoring_ends", "label_minimum_ends", "handback_near"}
    assert list_titles(infused_services)[1:] == [
        f"{WINDOW_TITLES[2]} (was due November 16, 2026)",
        f"{WINDOW_TITLES[3]} (was due November 23, 2026)",
        WINDOW_TITLES[4],
    ]
    assert list_skipped() == {"daily_monitoring_ends": "on_hold"}


def test_a_hold_that_ends_while_the_job_skips_a_task_loses_no_notice(infused_services):
    """The job read the hold. Before it writes, the hold ends and leaves the task to the job."""
    report_event(infused_services, HoldStarted, day=4)

    def release():
        report_event(infused_services, HoldEnded, day=7)

    with inject_faults(plan_interruption("TransactWriteItems", release)):
        infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now + LEASE_DURATION)

    assert WINDOW_TITLES[1] in list_titles(infused_services)


def test_a_task_that_is_skipped_while_a_hold_ends_is_planned_again(infused_services):
    """The end of the hold read it as waiting. Before that is written, the job skips it."""
    report_event(infused_services, HoldStarted, day=4)

    def skip():
        infused_services.restart().run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 7))

    # The first attempt finds that the row exists, the second one that it no longer waits.
    with inject_faults(plan_interruption("TransactWriteItems", skip, number=2)):
        report_event(infused_services, HoldEnded, day=7)
    infused_services.run_queue(TaskQueue.PLAN, now=infused_services.now)

    assert WINDOW_TITLES[1] in list_titles(infused_services)


# ------------------------------------------------------------------------- as it is listed


def list_plan(driver):
    """The state and the skip reason of each rule of the plan."""
    return {
        n.rule: (n.state.value, n.skip_reason)
        for n in list_planned_notices(driver.get_referral(), stores=driver.stores)
    }


def test_a_plan_is_listed_with_the_state_of_each_notice(infused_services):
    """Sent (`told`), skipped with the reason, and planned."""
    run_daily_job(infused_services, until=8)
    report_event(infused_services, HoldStarted, day=9)
    infused_services.run_queue(TaskQueue.PLAN, now=compute_time_on_day(infused_services, 14))
    plan = list_plan(infused_services)

    assert plan["daily_monitoring_ends"] == ("told", None)
    assert plan["label_minimum_ends"] == ("skipped", "on_hold")
    assert plan["handback_near"] == ("planned", "on_hold")
    assert len(plan) == 28


def test_a_notice_that_will_not_be_sent_is_listed_as_skipped_before_its_day(infused_services):
    """So no one waits for a reminder that will not come."""
    infused_services.move_to("deceased")

    plan = list_plan(infused_services)

    assert plan["visit_year_15"] == ("skipped", "closed")
    assert plan["window_opened"] == ("told", None)


def test_a_notice_whose_day_had_passed_when_the_plan_was_made_is_overtaken(submitted_services):
    """The infusion was reported on day 9, so only the last notice of the daily monitoring was planned."""
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)
    at = submitted_services.now + MINUTE
    submitted_services.now += 9 * DAY
    submitted_services.deliver("infused", at=at)

    plan = list_plan(submitted_services)

    assert plan["window_opened"] == ("skipped", "overtaken")
    assert plan["daily_monitoring_ends"] == ("planned", None)


def test_there_is_no_plan_before_an_infusion(submitted_services):
    """And nothing is read for it."""
    assert list_plan(submitted_services) == {}
