"""A plan as a referral changes: corrected, extended, paused; and how it is listed."""

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, WindowExtended
from chalicelib.services.notices.planned_list import planned_notices
from chalicelib.store.notices.leases import LEASE
from tests.support import shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.faults import injected, meanwhile
from tests.support.planning import (
    DAY,
    THE_WINDOW,
    correct,
    infuse,
    on_day,
    run,
    skipped,
    tell,
    titles,
)


@pytest.fixture
def infused(referred):
    """The desk after an infusion, when everything of day 0 was told."""
    return infuse(referred)


# ------------------------------------------------------------------- corrected and extended


def test_what_was_told_and_is_corrected_says_so(infused):
    """Day 7 was told; the infusion was three days later, so day 7 comes again."""
    run(infused, until=7)
    correct(infused, day=8, really=3)

    # Counted from the day that was right.
    for day in (7, 14):
        infused.work_off(Lane.PLAN, now=on_day(infused, day))

    rule = "daily_monitoring_ends"
    assert titles(infused, rule=rule) == [THE_WINDOW[1], f"Corrected: {THE_WINDOW[1]}"]
    assert titles(infused, rule="label_minimum_ends") == [THE_WINDOW[2]]


def test_a_correction_of_a_correction_remembers_what_was_told(infused):
    """The second plan was never told of; the first was."""
    run(infused, until=7)
    correct(infused, day=8, really=3)
    correct(infused, day=5, really=4)
    infused.work_off(Lane.PLAN, now=on_day(infused, 8))

    told = titles(infused, rule="daily_monitoring_ends")

    assert told == [THE_WINDOW[1], f"Corrected: {THE_WINDOW[1]}"]


def test_a_day_that_is_right_after_all_knows_what_was_told_meanwhile(infused):
    """It was skipped for the wrong one, of which its reader was told."""
    correct(infused, day=1, really=3)
    infused.work_off(Lane.PLAN, now=on_day(infused, 4))
    infused.work_off(Lane.PLAN, now=on_day(infused, 7))
    correct(infused, day=8, really=0)
    infused.work_off(Lane.PLAN, now=on_day(infused, 11))

    told = titles(infused, rule="daily_monitoring_ends")

    day = infused.referral().window.infused_on + 7 * DAY
    # Listed by their days.
    assert told == [f"Corrected: {THE_WINDOW[1]} (was due on {day})", THE_WINDOW[1]]


def test_a_day_that_waits_and_is_right_after_all_knows_it_too(infused):
    """From three days later to one, and back to three, before its own day came."""
    correct(infused, day=1, really=3)
    correct(infused, day=-1, really=1)
    infused.work_off(Lane.PLAN, now=on_day(infused, 7))
    correct(infused, day=7, really=3)
    infused.work_off(Lane.PLAN, now=on_day(infused, 7))

    told = titles(infused, rule="daily_monitoring_ends")

    assert told == [THE_WINDOW[1], f"Corrected: {THE_WINDOW[1]}"]


def test_an_extension_after_what_was_told_names_a_new_date(infused):
    """Nothing was wrong: the center monitors longer."""
    run(infused, until=21)
    ends_on = infused.referral().window.infused_on + 35 * DAY
    tell(infused, WindowExtended, day=22, ends_on=ends_on, reason_code="infection_hold")
    for day in (28, 35):
        infused.work_off(Lane.PLAN, now=on_day(infused, day))

    assert titles(infused, rule="handback_near") == [THE_WINDOW[3], f"New date: {THE_WINDOW[3]}"]
    assert titles(infused, rule="handback_target") == [THE_WINDOW[4]]
    assert skipped()["handback_target"] == "superseded"


# ---------------------------------------------------------------------------------- hold


def test_under_a_hold_nothing_is_told_and_its_end_says_once_where_things_stand(infused):
    """Days 7, 14 and 21 fall under it; day 28 comes after it."""
    run(infused, until=3)
    tell(infused, HoldStarted, day=4)
    run(infused, until=22)
    under = titles(infused)
    paused = {row["rule"] for row in shelves.rows("outbox") if row.get("why") == "on_hold"}
    tell(infused, HoldEnded, day=23)
    for day in (23, 28):
        infused.work_off(Lane.PLAN, now=on_day(infused, day) + 5 * MINUTE)

    assert under == THE_WINDOW[:1]
    assert paused == {"daily_monitoring_ends", "label_minimum_ends", "handback_near"}
    assert titles(infused)[1:] == [
        f"{THE_WINDOW[2]} (was due on 2026-11-16)",
        f"{THE_WINDOW[3]} (was due on 2026-11-23)",
        THE_WINDOW[4],
    ]
    assert skipped() == {"daily_monitoring_ends": "on_hold"}


def test_a_hold_that_ends_as_the_job_skips_loses_nothing(infused):
    """The job read the hold; before it writes, the hold is over and left the task to it."""
    tell(infused, HoldStarted, day=4)

    def release():
        tell(infused, HoldEnded, day=7)

    with injected(meanwhile("TransactWriteItems", release)):
        infused.work_off(Lane.PLAN, now=on_day(infused, 7))
    infused.work_off(Lane.PLAN, now=infused.now + LEASE)

    assert THE_WINDOW[1] in titles(infused)


def test_a_task_that_is_skipped_as_a_hold_ends_is_planned_again(infused):
    """The end of the hold saw it waiting; before it is written, the job has skipped it."""
    tell(infused, HoldStarted, day=4)

    def skip():
        infused.anew().work_off(Lane.PLAN, now=on_day(infused, 7))

    # The first try finds the row there, the second one that it waits no more.
    with injected(meanwhile("TransactWriteItems", skip, number=2)):
        tell(infused, HoldEnded, day=7)
    infused.work_off(Lane.PLAN, now=infused.now)

    assert THE_WINDOW[1] in titles(infused)


# ------------------------------------------------------------------------- as it is listed


def listed(desk):
    """Each rule of the plan with its state and why."""
    return {
        n.rule: (n.state.value, n.why) for n in planned_notices(desk.referral(), stores=desk.stores)
    }


def test_a_plan_is_listed_with_what_became_of_it(infused):
    """Told, skipped with why, and planned."""
    run(infused, until=8)
    tell(infused, HoldStarted, day=9)
    infused.work_off(Lane.PLAN, now=on_day(infused, 14))
    plan = listed(infused)

    assert plan["daily_monitoring_ends"] == ("told", None)
    assert plan["label_minimum_ends"] == ("skipped", "on_hold")
    assert plan["handback_near"] == ("planned", "on_hold")
    assert len(plan) == 28


def test_what_will_not_be_told_is_listed_as_skipped_before_its_day(infused):
    """As the referral stands; nobody waits for a reminder that will not come."""
    infused.move_to("deceased")

    plan = listed(infused)

    assert plan["visit_year_15"] == ("skipped", "closed")
    assert plan["window_opened"] == ("told", None)


def test_what_was_past_when_the_plan_was_made_is_listed_as_overtaken(referred):
    """The infusion was learned of on day 9: of the watch only its last word was planned."""
    referred.move_to(*TO_CONDITIONED)
    at = referred.now + MINUTE
    referred.now += 9 * DAY
    referred.deliver("infused", at=at)

    plan = listed(referred)

    assert plan["window_opened"] == ("skipped", "overtaken")
    assert plan["daily_monitoring_ends"] == ("planned", None)


def test_there_is_no_plan_before_an_infusion(referred):
    """And nothing to read for it."""
    assert listed(referred) == {}
