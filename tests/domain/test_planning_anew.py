"""What is planned because a referral changed: new days, and what speaks again."""

from dataclasses import replace

from chalicelib.domain.notices.notice_schedule import SCHEDULE
from chalicelib.domain.notices.planning import day_of, plan_of, to_plan
from chalicelib.domain.referrals.referral import Overlay
from chalicelib.domain.referrals.stages import Stage
from tests.support.journey import a_referral
from tests.support.monitored import (
    DAY,
    INFUSED_AT,
    INFUSED_ON,
    SPLIT,
    WINDOW,
    monitored,
    on_day,
    on_hold,
    rules,
)


def test_an_infusion_plans_everything_at_once():
    """All rows are written with it, to the last year."""
    before = a_referral(Stage.LYMPHODEPLETION_STARTED)

    assert list(to_plan(before, on_day(monitored(), 0))) == list(plan_of(monitored()))


def test_an_infusion_learned_of_late_tells_of_the_past_only_where_things_stand():
    """On day 22: of the watch its minimum, of the hand-back its week; not every day before."""
    before = a_referral(Stage.LYMPHODEPLETION_STARTED)
    planned = list(to_plan(before, on_day(monitored(), 22)))
    past = [task.rule for task in planned if day_of(task) < INFUSED_ON + 22 * DAY]

    assert set(past) == {"first_day", "label_minimum_ends", "handback_near"}
    assert len(planned) == 28 - len({"window_opened", "daily_monitoring_ends"})


def test_nothing_is_planned_anew_where_nothing_moved():
    """A report of the center in the middle of the window."""
    assert list(to_plan(on_day(monitored(), 8), on_day(monitored(), 9))) == []


def test_what_moves_knows_what_it_stands_for():
    """So that it can say that another day was told before."""
    moved = monitored(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    old = {task.rule: task.outbox_id for task in plan_of(monitored())}

    planned = list(to_plan(monitored(), on_day(moved, 0)))

    assert {task.rule: task.replaces for task in planned} == old


def test_a_second_handback_is_no_correction_of_the_first():
    """Its reminder stands for itself."""
    first = monitored(Stage.HANDBACK_READY, reached={Stage.HANDBACK_READY: INFUSED_AT + 28 * DAY})
    second = monitored(Stage.HANDBACK_READY, reached={Stage.HANDBACK_READY: INFUSED_AT + 30 * DAY})

    [task] = to_plan(on_day(first, 28), on_day(second, 30))

    assert (task.rule, task.replaces) == ("handback_unacknowledged", None)


def test_the_end_of_a_hold_tells_once_where_things_stand():
    """What fell due meanwhile and is still true: of each line the last. The rest goes on."""
    held = on_hold(monitored())

    missed = list(to_plan(on_day(held, 3), on_day(monitored(), 23)))

    assert set(rules(missed)) == {"first_day", "label_minimum_ends", "handback_near"}
    assert [task.replaces for task in missed] == [None] * 3


def test_what_is_due_on_the_day_that_a_hold_ends_is_told_by_its_own_row():
    """Its row may have been skipped in the morning."""
    held = on_hold(monitored())

    assert "handback_near" in rules(to_plan(on_day(held, 3), on_day(monitored(), 21)))


def test_a_hold_that_ends_after_the_handback_tells_nothing_of_the_window():
    """It is not true any more."""
    held = on_hold(monitored(Stage.HANDED_BACK))
    free = on_day(monitored(Stage.HANDED_BACK), 40)

    assert rules(to_plan(on_day(held, 3), free)) == ["visit_day_30"]


def test_a_death_that_was_reported_in_error_leaves_nothing_out():
    """The plan speaks again, as after a hold."""
    dead = on_day(monitored(Stage.DECEASED), 6)

    assert "daily_monitoring_ends" in rules(to_plan(dead, on_day(monitored(), 8)))


def test_every_rule_of_the_schedule_is_planned_by_somebody():
    """A row that no window leads to would look as if it were told."""
    far = replace(SPLIT, profile=replace(SPLIT.profile, proximity_days=30))
    ready = monitored(Stage.HANDBACK_READY, far, overlay=Overlay())

    assert set(rules(plan_of(ready))) == set(SCHEDULE)
