"""What is planned from an infusion on, when it is due, and why it is not told after all."""

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


def days(referral):
    """The days of a plan after day 0, by rule; yearly ones left out."""
    return {
        task.rule: (get_local_day(task) - INFUSED_ON).days
        for task in build_plan(referral)
        if not task.rule.startswith("visit_year")
    }


def reasons(referral, plan=None):
    """Why each planned rule is not told, those that are told left out."""
    plan = plan if plan is not None else list(build_plan(build_monitored_referral()))
    found = {task.rule: find_skip_reason(task, referral) for task in plan}
    return {rule: why for rule, why in found.items() if why}


# ------------------------------------------------------------------------------ the plan


def test_a_plan_has_the_whole_schedule():
    """Of the window, the days after it, the first year, and every year to the fifteenth."""
    plan = list(build_plan(build_monitored_referral()))
    years = [task for task in plan if task.rule.startswith("visit_year")]

    assert days(build_monitored_referral()) == WINDOW_RULES | VISIT_DAYS
    assert [task.due_on for task in years] == [date(2026 + n, 10, 24) for n in range(2, 16)]
    assert len(plan) == 28


def test_a_split_dose_has_its_second_part_and_days_of_its_own():
    """The label's day 10 is our day 9: the label calls the first infusion day 1."""
    own = {rule: day for rule, day in days(build_monitored_referral(window=SPLIT_DOSE_WINDOW)).items() if day > 1}

    assert own == VISIT_DAYS | {
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


def test_an_extension_moves_the_handback_and_nothing_else():
    """What the label asks for is counted from the infusion, whatever the center adds."""
    moved = {"handback_near": 28, "handback_target": 35}
    moved |= {f"handback_overdue_{n}": 35 + n for n in (1, 2, 3)}

    assert days(build_monitored_referral(window=with_extension(WINDOW, 35))) == WINDOW_RULES | VISIT_DAYS | moved


def test_a_window_that_ends_within_a_week_has_no_day_a_week_before():
    """It would lie before the infusion."""
    assert "handback_near" not in days(build_monitored_referral(window=with_extension(WINDOW, 5)))


def test_a_handback_plans_its_reminder():
    """Three days of the center's calendar after the package was ready."""
    late = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)  # 23:30 on the 21st in New York
    ready = build_monitored_referral(Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: late})

    reminder = {task.rule: task.due_on for task in build_plan(ready)}["handback_unacknowledged"]

    assert reminder == date(2026, 11, 24)


def test_nothing_is_planned_before_the_infusion():
    """There is no day to count from."""
    assert list(build_plan(build_referral(Stage.LYMPHODEPLETION_STARTED))) == []


def test_planning_twice_makes_the_same_rows():
    """The ids come from what a task is about, so that nothing can be planned twice."""
    assert list(build_plan(build_monitored_referral())) == list(build_plan(build_monitored_referral()))


def test_no_two_planned_tasks_share_an_id():
    """Another referral, rule or day is another row."""
    other_day = build_monitored_referral(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    other = replace(build_monitored_referral(), referral_id="ref_b")
    ids = [task.outbox_id for each in (build_monitored_referral(), other_day, other) for task in build_plan(each)]

    assert len(set(ids)) == len(ids)


def test_a_planned_task_is_due_from_the_start_of_its_day_at_the_center():
    """The clocks go back between infusion and day 14, and midnight moves with them."""
    due = {task.due_on: task.due_at for task in build_plan(build_monitored_referral())}

    assert due[date(2026, 10, 31)] == datetime(2026, 10, 31, 4, tzinfo=UTC)
    assert due[date(2026, 11, 7)] == datetime(2026, 11, 7, 5, tzinfo=UTC)
    assert {at.astimezone(ZoneInfo("America/New_York")).hour for at in due.values()} == {0}


def test_monitoring_is_opened_the_day_after_the_last_infusion():
    """Of a split dose the window counts from the first part, and the opening from the last."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON + 9 * DAY)

    assert (task.rule, task.due_on) == (OPEN_MONITORING_RULE, date(2026, 11, 3))
    assert task.due_at == datetime(2026, 11, 3, 5, tzinfo=UTC)


# ------------------------------------------------------------------------------ why not


@pytest.mark.parametrize("stage", Stage)
def test_what_follows_from_an_event_is_always_told(stage):
    """Even of a referral that has ended since: the other side has to hear of the ending."""
    task = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)

    assert task.queue is TaskQueue.EVENT
    assert find_skip_reason(task, with_hold(build_referral(stage))) is None


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_an_ending_silences_everything(stage):
    """Nobody is reminded of the hand-back or the check-in of a patient who has died."""
    found = reasons(build_monitored_referral(stage))

    assert set(found.values()) == {SkipReason.CLOSED}
    assert len(found) == 28


@pytest.mark.parametrize("stage", [Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE])
def test_an_open_window_keeps_its_notices(stage):
    """From infusion to hand-back every planned notice counts."""
    assert reasons(build_monitored_referral(stage)) == {}


def test_a_package_that_is_ready_is_not_overdue():
    """The patient is still with the center, so that the days of the window count."""
    overdue = {f"handback_overdue_{n}": SkipReason.SATISFIED for n in (1, 2, 3)}

    assert reasons(build_monitored_referral(Stage.HANDBACK_READY)) == overdue


@pytest.mark.parametrize("stage", [Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP])
def test_a_handback_silences_what_is_left_of_the_window(stage):
    """The patient is back; the visits go on."""
    assert reasons(build_monitored_referral(stage)) == dict.fromkeys(WINDOW_RULES, SkipReason.HANDED_BACK)


def test_driving_is_told_after_the_handback_too():
    """Where the label asks for more than four weeks, the patient is home by then."""
    plan = list(build_plan(build_monitored_referral(window=SPLIT_DOSE_WINDOW)))

    assert "driving_minimum_ends" not in reasons(build_monitored_referral(Stage.FOLLOW_UP, SPLIT_DOSE_WINDOW), plan)


def test_a_window_that_is_gone_supersedes_its_plan():
    """The infusion was reported in error."""
    assert set(reasons(build_monitored_referral(window=None)).values()) == {SkipReason.SUPERSEDED}


def test_another_day_of_infusion_supersedes_the_plan():
    """No rule keeps its day, but for none."""
    found = reasons(build_monitored_referral(window=replace(WINDOW, infused_on=INFUSED_ON + DAY)))

    assert set(found) == set(list_rules(build_plan(build_monitored_referral())))
    assert set(found.values()) == {SkipReason.SUPERSEDED}


def test_a_hold_pauses_the_plan_and_not_the_opening():
    """A move is no notice."""
    assert set(reasons(with_hold(build_monitored_referral())).values()) == {SkipReason.ON_HOLD}
    infused = with_hold(build_monitored_referral(Stage.INFUSED))
    assert find_skip_reason(build_open_monitoring_task(infused, WINDOW, infused_on=INFUSED_ON), infused) is None


def test_a_second_part_that_was_given_is_not_asked_for():
    """Nor one that was dropped."""
    infused = replace(build_monitored_referral(Stage.INFUSED, SPLIT_DOSE_WINDOW), dose_total=2)
    [task] = [task for task in build_plan(infused) if task.rule == "second_part_due"]

    assert find_skip_reason(task, infused) is None
    assert find_skip_reason(task, replace(infused, doses_given=2)) is SkipReason.SATISFIED
    assert find_skip_reason(task, replace(infused, stage=Stage.MONITORING)) is SkipReason.SATISFIED


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (Stage.HANDBACK_READY, None),
        (Stage.HANDED_BACK, SkipReason.SATISFIED),
        (Stage.MONITORING, SkipReason.SUPERSEDED),
        (Stage.DECEASED, SkipReason.CLOSED),
    ],
)
def test_a_handback_that_was_acknowledged_is_not_reminded_of(stage, why):
    """Nor one that the center took back."""
    ready = build_monitored_referral(Stage.HANDBACK_READY)
    [task] = [task for task in build_plan(ready) if task.rule == "handback_unacknowledged"]

    assert find_skip_reason(task, replace(ready, stage=stage)) == why


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.INFUSED}))
def test_monitoring_is_opened_only_from_the_infusion(stage):
    """Where the center has reported more, there is nothing left to open."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)

    assert find_skip_reason(task, build_monitored_referral(Stage.INFUSED)) is None
    expected = SkipReason.CLOSED if stage in TERMINAL_STAGES else SkipReason.SATISFIED
    assert find_skip_reason(task, build_monitored_referral(stage)) is expected


def test_an_opening_of_an_infusion_that_was_later_after_all_is_off():
    """The corrected one has an opening of its own."""
    task = build_open_monitoring_task(build_monitored_referral(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)
    later = build_monitored_referral(Stage.INFUSED, stage_entered_at={Stage.INFUSED: INFUSED_AT + 3 * DAY})

    assert find_skip_reason(task, later) is SkipReason.SUPERSEDED


def test_a_phase_tells_who_has_the_patient():
    """What a hand-back silences leans on it: all but the package itself is after it."""
    assert {stage for stage in Stage if STAGE_FACTS[stage].phase is Phase.FOLLOW_UP} == {
        Stage.HANDBACK_READY,
        Stage.HANDED_BACK,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
