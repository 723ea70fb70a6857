"""Which notices follow from what, when, and when they no longer make sense."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.members import TenantKind
from chalicelib.domain.moves import movers_to
from chalicelib.domain.notices import (
    OPEN_MONITORING,
    STAGE_CHANGED,
    STAGE_RULES,
    WINDOW_RULES,
    Lane,
    follow_up,
    opening,
    still_wanted,
    window_plan,
)
from chalicelib.domain.stages import FACTS, TERMINAL, Phase, Stage
from chalicelib.domain.window import MilestoneKind, Window
from tests.support.journey import NOON, PROFILE, a_change, a_referral

INFUSED_ON = date(2026, 10, 24)
WINDOW = Window(time_zone="America/New_York", infused_on=INFUSED_ON, profile=PROFILE)


def monitored(stage=Stage.MONITORING, window=WINDOW):
    """A referral whose window is open."""
    at = datetime(2026, 10, 24, 16, tzinfo=UTC)
    return a_referral(stage, window=window, reached={Stage.INFUSED: at, stage: at})


def planned(window=WINDOW):
    """The plan of a window."""
    return list(window_plan(monitored(), window))


def test_a_window_plans_its_notices_for_both_sides():
    """Days 7, 14, 21 and 28, each for the practice and for the center."""
    days = {
        (task.rule, (task.due_on - INFUSED_ON).days, task.side) for task in planned() if task.due_on
    }

    assert days == {
        (rule, day, side)
        for side in (TenantKind.PRACTICE, TenantKind.CENTER)
        for rule, day in {
            "daily_monitoring_ends": 7,
            "label_minimum_ends": 14,
            "handback_near": 21,
            "handback_target": 28,
        }.items()
    }


def test_planning_a_window_twice_makes_the_same_rows():
    """The ids come from what a task is about, so that nothing can be planned twice."""
    assert planned() == planned()


def test_no_two_planned_tasks_share_an_id():
    """Another referral, rule, day or side is another row."""
    other_day = replace(WINDOW, infused_on=INFUSED_ON + timedelta(days=1))
    other = a_referral(Stage.INFUSED, referral_id="ref_b", window=WINDOW)
    tasks = [*planned(), *planned(other_day), *window_plan(other, WINDOW)]

    assert len({task.outbox_id for task in tasks}) == len(tasks)


def test_a_planned_task_is_due_from_the_start_of_its_day_at_the_center():
    """The clocks go back between infusion and day 14, and midnight moves with them."""
    due = {task.due_on: task.due_at for task in planned()}
    new_york = ZoneInfo("America/New_York")

    assert due[date(2026, 10, 31)] == datetime(2026, 10, 31, 4, tzinfo=UTC)
    assert due[date(2026, 11, 7)] == datetime(2026, 11, 7, 5, tzinfo=UTC)
    assert {at.astimezone(new_york).hour for at in due.values()} == {0}


def test_monitoring_is_opened_the_day_after_the_last_infusion():
    """Of a split dose the window counts from the first part, and the opening from the last."""
    second_part_on = INFUSED_ON + timedelta(days=9)

    task = opening(monitored(Stage.INFUSED), WINDOW, infused_on=second_part_on)

    assert task.rule == OPEN_MONITORING
    assert task.side is None
    assert task.due_on == date(2026, 11, 3)
    assert task.due_at == datetime(2026, 11, 3, 5, tzinfo=UTC)


def test_a_follow_up_is_due_at_once_and_has_its_id_from_the_event():
    """One event, one row; another event, another row."""
    first = follow_up(a_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    again = follow_up(a_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    other = follow_up(a_change(Stage.ACCEPTED, event_id="evt_2"), now=NOON)

    assert first == again
    assert first.outbox_id != other.outbox_id
    assert (first.lane, first.due_at, first.rule) == (Lane.EVENT, NOON, STAGE_CHANGED)


@pytest.mark.parametrize("stage", Stage)
def test_what_follows_from_an_event_is_always_wanted(stage):
    """Even a referral that has ended since: the other side has to hear of the ending."""
    task = follow_up(a_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)

    assert still_wanted(task, a_referral(stage))


@pytest.mark.parametrize("stage", sorted(TERMINAL))
def test_an_ending_silences_the_window(stage):
    """Nobody is reminded of the hand-back of a patient who has died."""
    wanted = [task.rule for task in planned() if still_wanted(task, monitored(stage))]

    assert wanted == []


@pytest.mark.parametrize("stage", [Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE])
def test_an_open_window_keeps_its_notices(stage):
    """From infusion to hand-back every planned notice counts."""
    assert all(still_wanted(task, monitored(stage)) for task in planned())


def test_a_handback_that_waits_for_the_practice_keeps_its_notices():
    """The package is ready; the patient is still with the center."""
    assert all(still_wanted(task, monitored(Stage.HANDBACK_READY)) for task in planned())


@pytest.mark.parametrize("stage", [Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP])
def test_a_handback_silences_what_is_left_of_the_window(stage):
    """The patient is back; a reminder to book the visit would only confuse."""
    assert not any(still_wanted(task, monitored(stage)) for task in planned())


def test_a_referral_without_a_window_wants_nothing_of_one():
    """A task that outlived its window does nothing."""
    assert not any(still_wanted(task, monitored(window=None)) for task in planned())


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.INFUSED}))
def test_monitoring_is_opened_only_from_the_infusion(stage):
    """Where the center has reported more, there is nothing left to open."""
    task = opening(monitored(Stage.INFUSED), WINDOW, infused_on=INFUSED_ON)

    assert still_wanted(task, monitored(Stage.INFUSED))
    assert not still_wanted(task, monitored(stage))


@pytest.mark.parametrize("stage", sorted(STAGE_RULES))
def test_the_side_that_did_not_move_is_told(stage):
    """Who makes a move knows of it; a death, which either may report, is told to both."""
    told = {side.value for side in STAGE_RULES[stage].sides}
    movers = {actor.value for actor in movers_to(stage)}

    assert told != movers or stage is Stage.DECEASED
    assert STAGE_RULES[stage].title


def test_a_practice_is_told_of_every_ending_that_the_center_decides():
    """Silence about a patient who does not go on is what referrers complain of most."""
    by_center = {
        stage for stage in TERMINAL if "practice" not in {actor.value for actor in movers_to(stage)}
    }
    told = {stage for stage, rule in STAGE_RULES.items() if TenantKind.PRACTICE in rule.sides}

    assert by_center <= told


def test_every_milestone_but_the_infusion_and_driving_has_a_notice():
    """Day 0 is told of by its own event, and driving is for the patient's own sheet."""
    silent = set(MilestoneKind) - WINDOW_RULES.keys()

    assert silent == {MilestoneKind.INFUSION, MilestoneKind.DRIVING_MINIMUM_ENDS}


def test_a_title_says_nothing_of_a_patient_product_or_disease():
    """Titles are read in a list by people of either side; who it is stands beside them."""
    titles = [rule.title for rule in (*WINDOW_RULES.values(), *STAGE_RULES.values())]

    assert not [t for t in titles if "{" in t or "%" in t]


def test_follow_up_is_the_phase_that_ends_the_window():
    """What `still_wanted` leans on: all of follow-up but the package itself is after hand-back."""
    phase = {stage for stage in Stage if FACTS[stage].phase is Phase.FOLLOW_UP}

    assert phase == {
        Stage.HANDBACK_READY,
        Stage.HANDED_BACK,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
