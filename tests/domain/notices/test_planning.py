"""What is planned from the infusion on, when it is due, and why a planned notice is skipped."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.notices.planning import (
    SkipReason,
    build_open_monitoring_task,
    build_plan,
    find_skip_reason,
    get_local_day,
)
from chalicelib.domain.notices.tasks import OPEN_MONITORING_RULE, TaskQueue, build_event_task
from chalicelib.domain.referrals.stages import STAGE_FACTS, TERMINAL_STAGES, Phase, Stage
from tests.support.monitored_referrals import (
    DAY,
    INFUSED_AT,
    INFUSED_ON,
    SPLIT_DOSE_WINDOW,
    WINDOW,
    build_monitored_referral,
    list_rules,
    with_extension,
    with_hold,
)
from tests.support.referral_values import NOON, build_referral, build_stage_change

WINDOW_RULES = {
    "window_opened": 0,
    "first_day": 1,
    "daily_monitoring_ends": 7,
    "label_minimum_ends": 14,
    "handback_near": 21,
    "handback_target": 28,
    "handback_overdue_1": 29,
    "handback_overdue_2": 30,
    "handback_overdue_3": 31,
}
VISIT_DAYS = {f"visit_day_{day}": day for day in (30, 90, 100, 180, 365)}


def compute_days(referral):
    """The days of a plan after day 0, by rule, without the yearly visits."""
    return {
        task.rule: (get_local_day(task) - INFUSED_ON).days
        for task in build_plan(referral)
        if not task.rule.startswith("visit_year")
    }


def find_skip_reasons(referral, plan=None):
    """Why each planned rule is skipped; rules that are sent are left out."""
    plan = plan if plan is not None else list(build_plan(build_monitored_referral()))
    found = {task.rule: find_skip_reason(task, referral) for task in plan}
    return {rule: reason for rule, reason in found.items() if reason}


# ------------------------------------------------------------------------------ the plan


def test_a_plan_has_the_whole_schedule():
    """The notices of monitoring, the days after it, the first year, and every year to the fifteenth."""
    plan = list(build_plan(build_monitored_referral()))
    years = [task for task in plan if task.rule.startswith("visit_year")]

    assert compute_days(build_monitored_referral()) == WINDOW_RULES | VISIT_DAYS
    assert [task.due_on for task in years] == [date(2026 + n, 10, 24) for n in range(2, 16)]
    assert len(plan) == 28


def test_a_split_dose_plans_its_second_infusion_and_its_own_days():
    """The label's day 10 is our day 9, because the label calls the first infusion day 1."""
    days = compute_days(build_monitored_referral(window=SPLIT_DOSE_WINDOW))

    assert {rule: day for rule, day in days.items() if day > 1} == VISIT_DAYS | {
        "second_part_due": 9,
        "daily_monitoring_ends": 14,
        "handback_near": 21,
        "label_minimum_ends": 28,
        "handback_target": 28,
        "handback_overdue_1": 29,
        "handback_overdue_2": 30,
        "handback_overdue_3": 31,
        "driving_minimum_ends": 56,
    }


def test_an_extension_moves_the_return_and_nothing_else():
    """What the label requires counts from the infusion, whatever the center adds."""
    moved = {"handback_near": 28, "handback_target": 35}
    moved |= {f"handback_overdue_{n}": 35 + n for n in (1, 2, 3)}

    assert (
        compute_days(build_monitored_referral(window=with_extension(WINDOW, 35))) == WINDOW_RULES | VISIT_DAYS | moved
    )


def test_monitoring_of_less_than_a_week_has_no_notice_7_days_before_the_return():
    """That day would be before the infusion."""
    assert "handback_near" not in compute_days(build_monitored_referral(window=with_extension(WINDOW, 5)))


def test_an_unacknowledged_return_is_due_for_a_reminder_after_3_days():
    """Three days in the center's calendar after the transition-of-care summary was ready."""
    late = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)  # 23:30 on the 21st in New York
    ready = build_monitored_referral(Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: late})

    reminder = {task.rule: task.due_on for task in build_plan(ready)}["handback_unacknowledged"]

    assert reminder == date(2026, 11, 24)


def test_nothing_is_planned_before_the_infusion():
    """There is no day to count from yet."""
    assert list(build_plan(build_referral(Stage.LYMPHODEPLETION_STARTED))) == []


def test_planning_twice_gives_the_same_tasks():
    """The ids come from what a task is about, so nothing can be planned twice."""
    assert list(build_plan(build_monitored_referral())) == list(build_plan(build_monitored_referral()))


def test_no_two_planned_tasks_share_an_id():
    """Another referral, rule or day makes another row."""
    other_day = build_monitored_referral(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    other = replace(build_monitored_referral(), referral_id="ref_b")
    referrals = (build_monitored_referral(), other_day, other)
    ids = [task.outbox_id for referral in referrals for task in build_plan(referral)]

    assert len(set(ids)) == len(ids)


def test_a_planned_task_is_due_when_its_day_begins_at_the_center():
    """The clocks go back between the infusion and day 14, and local midnight moves with them."""
    due = {task.due_on: task.due_at for task in build_plan(build_monitored_referral())}

    assert due[date(2026, 10, 31)] == datetime(2026, 10, 31, 4, tzinfo=UTC)
    assert due[date(2026, 11, 7)] == datetime(2026, 11, 7, 5, tzinfo=UTC)
    assert {at.astimezone(ZoneInfo("America/New_York")).hour for at in due.values()} == {0}


def test_monitoring_opens_the_day_after_the_last_infusion():
    """For a split dose, the monitoring window counts from the first infusion, the opening from the last."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON + 9 * DAY)

    assert (task.rule, task.due_on) == (OPEN_MONITORING_RULE, date(2026, 11, 3))
    assert task.due_at == datetime(2026, 11, 3, 5, tzinfo=UTC)


# ------------------------------------------------------------------------------ why a notice is skipped


@pytest.mark.parametrize("stage", Stage)
def test_an_event_task_is_never_skipped(stage):
    """Even if the referral has ended since: the other side must learn how it ended."""
    task = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)

    assert task.queue is TaskQueue.EVENT
    assert find_skip_reason(task, with_hold(build_referral(stage))) is None


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_the_end_of_a_referral_skips_every_planned_notice(stage):
    """No reminder of a return or a check-in is sent about a patient who has died."""
    found = find_skip_reasons(build_monitored_referral(stage))

    assert set(found.values()) == {SkipReason.CLOSED}
    assert len(found) == 28


@pytest.mark.parametrize("stage", [Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE])
def test_monitoring_in_progress_skips_nothing(stage):
    """From the infusion to the return, every planned notice is sent."""
    assert find_skip_reasons(build_monitored_referral(stage)) == {}


def test_a_ready_summary_skips_the_overdue_notices():
    """The patient is still at the center, so the other notices of monitoring are sent."""
    overdue = {f"handback_overdue_{n}": SkipReason.SATISFIED for n in (1, 2, 3)}

    assert find_skip_reasons(build_monitored_referral(Stage.HANDBACK_READY)) == overdue


@pytest.mark.parametrize("stage", [Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP])
def test_the_return_skips_the_remaining_notices_of_monitoring(stage):
    """The patient is back at the practice; the follow-up visits continue."""
    assert find_skip_reasons(build_monitored_referral(stage)) == dict.fromkeys(WINDOW_RULES, SkipReason.HANDED_BACK)


def test_the_driving_notice_is_sent_after_the_return_too():
    """If the label minimum is longer than four weeks, the patient is home by then."""
    plan = list(build_plan(build_monitored_referral(window=SPLIT_DOSE_WINDOW)))
    returned = build_monitored_referral(Stage.FOLLOW_UP, SPLIT_DOSE_WINDOW)

    assert "driving_minimum_ends" not in find_skip_reasons(returned, plan)


@pytest.mark.parametrize(
    "window",
    [None, replace(WINDOW, infused_on=INFUSED_ON + DAY)],
    ids=["infusion reported in error", "infusion on another day"],
)
def test_another_infusion_date_or_none_supersedes_the_whole_plan(window):
    """No rule keeps its day."""
    found = find_skip_reasons(build_monitored_referral(window=window))

    assert set(found) == set(list_rules(build_plan(build_monitored_referral())))
    assert set(found.values()) == {SkipReason.SUPERSEDED}


def test_a_hold_skips_the_notices_but_not_the_opening_of_monitoring():
    """A stage change is not a notice."""
    assert set(find_skip_reasons(with_hold(build_monitored_referral())).values()) == {SkipReason.ON_HOLD}
    infused = with_hold(build_monitored_referral(Stage.INFUSED))
    assert find_skip_reason(build_open_monitoring_task(infused, WINDOW, infused_on=INFUSED_ON), infused) is None


def test_the_second_infusion_notice_is_skipped_once_it_was_given_or_dropped():
    """It is sent only while the second infusion of the split dose is still to come."""
    infused = replace(build_monitored_referral(Stage.INFUSED, SPLIT_DOSE_WINDOW), dose_total=2)
    [task] = [task for task in build_plan(infused) if task.rule == "second_part_due"]

    assert find_skip_reason(task, infused) is None
    assert find_skip_reason(task, replace(infused, doses_given=2)) is SkipReason.SATISFIED
    assert find_skip_reason(task, replace(infused, stage=Stage.MONITORING)) is SkipReason.SATISFIED


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (Stage.HANDBACK_READY, None),
        (Stage.HANDED_BACK, SkipReason.SATISFIED),
        (Stage.MONITORING, SkipReason.SUPERSEDED),
        (Stage.DECEASED, SkipReason.CLOSED),
    ],
)
def test_the_acknowledgment_reminder_is_sent_only_while_the_return_waits(stage, reason):
    """Not after the acknowledgment, and not after the center took the summary back."""
    ready = build_monitored_referral(Stage.HANDBACK_READY)
    [task] = [task for task in build_plan(ready) if task.rule == "handback_unacknowledged"]

    assert find_skip_reason(task, replace(ready, stage=stage)) == reason


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.INFUSED}))
def test_monitoring_opens_only_from_the_infusion(stage):
    """If the center has reported more, there is nothing left to open."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)

    assert find_skip_reason(task, build_monitored_referral(Stage.INFUSED)) is None
    expected = SkipReason.CLOSED if stage in TERMINAL_STAGES else SkipReason.SATISFIED
    assert find_skip_reason(task, build_monitored_referral(stage)) is expected


def test_a_later_infusion_supersedes_the_opening_of_the_earlier_one():
    """The corrected infusion has an opening of its own."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)
    later = build_monitored_referral(Stage.INFUSED, stage_entered_at={Stage.INFUSED: INFUSED_AT + 3 * DAY})

    assert find_skip_reason(task, later) is SkipReason.SUPERSEDED


def test_the_follow_up_phase_begins_with_the_ready_summary():
    """The skip rules rely on it: every stage of this phase except the first is after the return."""
    assert {stage for stage in Stage if STAGE_FACTS[stage].phase is Phase.FOLLOW_UP} == {
        Stage.HANDBACK_READY,
        Stage.HANDED_BACK,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
