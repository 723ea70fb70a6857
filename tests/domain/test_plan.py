"""What is planned from an infusion on, when it is due, and why it is not told after all."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.notices.notice_rules import OPEN_MONITORING, Lane, follow_up
from chalicelib.domain.notices.planning import WhyNot, day_of, opening, plan_of, why_not
from chalicelib.domain.referrals.stages import FACTS, TERMINAL, Phase, Stage
from tests.support.journey import NOON, a_change, a_referral
from tests.support.monitored import (
    DAY,
    INFUSED_AT,
    INFUSED_ON,
    SPLIT,
    WINDOW,
    extended,
    monitored,
    on_hold,
    rules,
)

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
        task.rule: (day_of(task) - INFUSED_ON).days
        for task in plan_of(referral)
        if not task.rule.startswith("visit_year")
    }


def reasons(referral, plan=None):
    """Why each planned rule is not told, those that are told left out."""
    plan = plan if plan is not None else list(plan_of(monitored()))
    found = {task.rule: why_not(task, referral) for task in plan}
    return {rule: why for rule, why in found.items() if why}


# ------------------------------------------------------------------------------ the plan


def test_a_plan_has_the_whole_schedule():
    """Of the window, the days after it, the first year, and every year to the fifteenth."""
    plan = list(plan_of(monitored()))
    years = [task for task in plan if task.rule.startswith("visit_year")]

    assert days(monitored()) == WINDOW_RULES | VISIT_DAYS
    assert [task.due_on for task in years] == [date(2026 + n, 10, 24) for n in range(2, 16)]
    assert len(plan) == 28


def test_a_split_dose_has_its_second_part_and_days_of_its_own():
    """The label's day 10 is our day 9: the label calls the first infusion day 1."""
    own = {rule: day for rule, day in days(monitored(window=SPLIT)).items() if day > 1}

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

    assert days(monitored(window=extended(WINDOW, 35))) == WINDOW_RULES | VISIT_DAYS | moved


def test_a_window_that_ends_within_a_week_has_no_day_a_week_before():
    """It would lie before the infusion."""
    assert "handback_near" not in days(monitored(window=extended(WINDOW, 5)))


def test_a_handback_plans_its_reminder():
    """Three days of the center's calendar after the package was ready."""
    late = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)  # 23:30 on the 21st in New York
    ready = monitored(Stage.HANDBACK_READY, reached={Stage.HANDBACK_READY: late})

    reminder = {task.rule: task.due_on for task in plan_of(ready)}["handback_unacknowledged"]

    assert reminder == date(2026, 11, 24)


def test_nothing_is_planned_before_the_infusion():
    """There is no day to count from."""
    assert list(plan_of(a_referral(Stage.LYMPHODEPLETION_STARTED))) == []


def test_planning_twice_makes_the_same_rows():
    """The ids come from what a task is about, so that nothing can be planned twice."""
    assert list(plan_of(monitored())) == list(plan_of(monitored()))


def test_no_two_planned_tasks_share_an_id():
    """Another referral, rule or day is another row."""
    other_day = monitored(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    other = replace(monitored(), referral_id="ref_b")
    ids = [task.outbox_id for each in (monitored(), other_day, other) for task in plan_of(each)]

    assert len(set(ids)) == len(ids)


def test_a_planned_task_is_due_from_the_start_of_its_day_at_the_center():
    """The clocks go back between infusion and day 14, and midnight moves with them."""
    due = {task.due_on: task.due_at for task in plan_of(monitored())}

    assert due[date(2026, 10, 31)] == datetime(2026, 10, 31, 4, tzinfo=UTC)
    assert due[date(2026, 11, 7)] == datetime(2026, 11, 7, 5, tzinfo=UTC)
    assert {at.astimezone(ZoneInfo("America/New_York")).hour for at in due.values()} == {0}


def test_monitoring_is_opened_the_day_after_the_last_infusion():
    """Of a split dose the window counts from the first part, and the opening from the last."""
    task = opening(monitored(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON + 9 * DAY)

    assert (task.rule, task.due_on) == (OPEN_MONITORING, date(2026, 11, 3))
    assert task.due_at == datetime(2026, 11, 3, 5, tzinfo=UTC)


# ------------------------------------------------------------------------------ why not


@pytest.mark.parametrize("stage", Stage)
def test_what_follows_from_an_event_is_always_told(stage):
    """Even of a referral that has ended since: the other side has to hear of the ending."""
    task = follow_up(a_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)

    assert task.lane is Lane.EVENT
    assert why_not(task, on_hold(a_referral(stage))) is None


@pytest.mark.parametrize("stage", sorted(TERMINAL))
def test_an_ending_silences_everything(stage):
    """Nobody is reminded of the hand-back or the check-in of a patient who has died."""
    found = reasons(monitored(stage))

    assert set(found.values()) == {WhyNot.CLOSED}
    assert len(found) == 28


@pytest.mark.parametrize("stage", [Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE])
def test_an_open_window_keeps_its_notices(stage):
    """From infusion to hand-back every planned notice counts."""
    assert reasons(monitored(stage)) == {}


def test_a_package_that_is_ready_is_not_overdue():
    """The patient is still with the center, so that the days of the window count."""
    overdue = {f"handback_overdue_{n}": WhyNot.SATISFIED for n in (1, 2, 3)}

    assert reasons(monitored(Stage.HANDBACK_READY)) == overdue


@pytest.mark.parametrize("stage", [Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP])
def test_a_handback_silences_what_is_left_of_the_window(stage):
    """The patient is back; the visits go on."""
    assert reasons(monitored(stage)) == dict.fromkeys(WINDOW_RULES, WhyNot.HANDED_BACK)


def test_driving_is_told_after_the_handback_too():
    """Where the label asks for more than four weeks, the patient is home by then."""
    plan = list(plan_of(monitored(window=SPLIT)))

    assert "driving_minimum_ends" not in reasons(monitored(Stage.FOLLOW_UP, SPLIT), plan)


def test_a_window_that_is_gone_supersedes_its_plan():
    """The infusion was reported in error."""
    assert set(reasons(monitored(window=None)).values()) == {WhyNot.SUPERSEDED}


def test_another_day_of_infusion_supersedes_the_plan():
    """No rule keeps its day, but for none."""
    found = reasons(monitored(window=replace(WINDOW, infused_on=INFUSED_ON + DAY)))

    assert set(found) == set(rules(plan_of(monitored())))
    assert set(found.values()) == {WhyNot.SUPERSEDED}


def test_a_hold_pauses_the_plan_and_not_the_opening():
    """A move is no notice."""
    assert set(reasons(on_hold(monitored())).values()) == {WhyNot.ON_HOLD}
    infused = on_hold(monitored(Stage.INFUSED))
    assert why_not(opening(infused, WINDOW, infused_on=INFUSED_ON), infused) is None


def test_a_second_part_that_was_given_is_not_asked_for():
    """Nor one that was dropped."""
    infused = replace(monitored(Stage.INFUSED, SPLIT), of=2)
    [task] = [task for task in plan_of(infused) if task.rule == "second_part_due"]

    assert why_not(task, infused) is None
    assert why_not(task, replace(infused, part=2)) is WhyNot.SATISFIED
    assert why_not(task, replace(infused, stage=Stage.MONITORING)) is WhyNot.SATISFIED


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (Stage.HANDBACK_READY, None),
        (Stage.HANDED_BACK, WhyNot.SATISFIED),
        (Stage.MONITORING, WhyNot.SUPERSEDED),
        (Stage.DECEASED, WhyNot.CLOSED),
    ],
)
def test_a_handback_that_was_acknowledged_is_not_reminded_of(stage, why):
    """Nor one that the center took back."""
    ready = monitored(Stage.HANDBACK_READY)
    [task] = [task for task in plan_of(ready) if task.rule == "handback_unacknowledged"]

    assert why_not(task, replace(ready, stage=stage)) == why


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.INFUSED}))
def test_monitoring_is_opened_only_from_the_infusion(stage):
    """Where the center has reported more, there is nothing left to open."""
    task = opening(monitored(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)

    assert why_not(task, monitored(Stage.INFUSED)) is None
    expected = WhyNot.CLOSED if stage in TERMINAL else WhyNot.SATISFIED
    assert why_not(task, monitored(stage)) is expected


def test_an_opening_of_an_infusion_that_was_later_after_all_is_off():
    """The corrected one has an opening of its own."""
    task = opening(monitored(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)
    later = monitored(Stage.INFUSED, reached={Stage.INFUSED: INFUSED_AT + 3 * DAY})

    assert why_not(task, later) is WhyNot.SUPERSEDED


def test_a_phase_tells_who_has_the_patient():
    """What a hand-back silences leans on it: all but the package itself is after it."""
    assert {stage for stage in Stage if FACTS[stage].phase is Phase.FOLLOW_UP} == {
        Stage.HANDBACK_READY,
        Stage.HANDED_BACK,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
