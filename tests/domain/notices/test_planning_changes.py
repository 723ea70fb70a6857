"""What is planned because a referral changed: new days, and what speaks again."""

from dataclasses import replace

from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE
from chalicelib.domain.notices.planning import build_plan, get_local_day, list_tasks_to_plan
from chalicelib.domain.referrals.referral import ReferralStatus
from chalicelib.domain.referrals.stages import Stage
from tests.support.monitored_referrals import (
    DAY,
    INFUSED_AT,
    INFUSED_ON,
    SPLIT_DOSE_WINDOW,
    WINDOW,
    build_monitored_referral,
    list_rules,
    with_day,
    with_hold,
)
from tests.support.referral_values import build_referral


def test_an_infusion_plans_everything_at_once():
    """All rows are written with it, to the last year."""
    before = build_referral(Stage.LYMPHODEPLETION_STARTED)

    assert list(list_tasks_to_plan(before, with_day(build_monitored_referral(), 0))) == list(
        build_plan(build_monitored_referral())
    )


def test_an_infusion_learned_of_late_tells_of_the_past_only_where_things_stand():
    """On day 22: of the watch its minimum, of the hand-back its week; not every day before."""
    before = build_referral(Stage.LYMPHODEPLETION_STARTED)
    planned = list(list_tasks_to_plan(before, with_day(build_monitored_referral(), 22)))
    past = [task.rule for task in planned if get_local_day(task) < INFUSED_ON + 22 * DAY]

    assert set(past) == {"first_day", "label_minimum_ends", "handback_near"}
    assert len(planned) == 28 - len({"window_opened", "daily_monitoring_ends"})


def test_nothing_is_planned_anew_where_nothing_moved():
    """A report of the center in the middle of the window."""
    assert (
        list(list_tasks_to_plan(with_day(build_monitored_referral(), 8), with_day(build_monitored_referral(), 9))) == []
    )


def test_what_moves_knows_what_it_stands_for():
    """So that it can say that another day was told before."""
    moved = build_monitored_referral(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    old = {task.rule: task.outbox_id for task in build_plan(build_monitored_referral())}

    planned = list(list_tasks_to_plan(build_monitored_referral(), with_day(moved, 0)))

    assert {task.rule: task.replaces for task in planned} == old


def test_a_second_handback_is_no_correction_of_the_first():
    """Its reminder stands for itself."""
    first = build_monitored_referral(
        Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: INFUSED_AT + 28 * DAY}
    )
    second = build_monitored_referral(
        Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: INFUSED_AT + 30 * DAY}
    )

    [task] = list_tasks_to_plan(with_day(first, 28), with_day(second, 30))

    assert (task.rule, task.replaces) == ("handback_unacknowledged", None)


def test_the_end_of_a_hold_tells_once_where_things_stand():
    """What fell due meanwhile and is still true: of each line the last. The rest goes on."""
    held = with_hold(build_monitored_referral())

    missed = list(list_tasks_to_plan(with_day(held, 3), with_day(build_monitored_referral(), 23)))

    assert set(list_rules(missed)) == {"first_day", "label_minimum_ends", "handback_near"}
    assert [task.replaces for task in missed] == [None] * 3


def test_what_is_due_on_the_day_that_a_hold_ends_is_told_by_its_own_row():
    """Its row may have been skipped in the morning."""
    held = with_hold(build_monitored_referral())

    assert "handback_near" in list_rules(
        list_tasks_to_plan(with_day(held, 3), with_day(build_monitored_referral(), 21))
    )


def test_a_hold_that_ends_after_the_handback_tells_nothing_of_the_window():
    """It is not true any more."""
    held = with_hold(build_monitored_referral(Stage.HANDED_BACK))
    free = with_day(build_monitored_referral(Stage.HANDED_BACK), 40)

    assert list_rules(list_tasks_to_plan(with_day(held, 3), free)) == ["visit_day_30"]


def test_a_death_that_was_reported_in_error_leaves_nothing_out():
    """The plan speaks again, as after a hold."""
    dead = with_day(build_monitored_referral(Stage.DECEASED), 6)

    assert "daily_monitoring_ends" in list_rules(list_tasks_to_plan(dead, with_day(build_monitored_referral(), 8)))


def test_every_rule_of_the_schedule_is_planned_by_somebody():
    """A row that no window leads to would look as if it were told."""
    far = replace(SPLIT_DOSE_WINDOW, profile=replace(SPLIT_DOSE_WINDOW.profile, proximity_days=30))
    ready = build_monitored_referral(Stage.HANDBACK_READY, far, status=ReferralStatus())

    assert set(list_rules(build_plan(ready))) == set(NOTICE_SCHEDULE)
