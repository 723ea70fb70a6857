"""What is planned because a referral changed: new dates, and notices that apply again."""

from dataclasses import replace

from chalicelib.domain.notices.notice_schedule import CONSULTATION_REMINDER_RULE, NOTICE_SCHEDULE
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


def test_an_infusion_plans_every_notice_at_once():
    """All rows are written together, up to the last year."""
    before = build_referral(Stage.LYMPHODEPLETION_STARTED)

    assert list(list_tasks_to_plan(before, with_day(build_monitored_referral(), 0))) == list(
        build_plan(build_monitored_referral())
    )


def test_a_late_reported_infusion_sends_only_the_last_past_notice_of_each_series():
    """On day 22: the label minimum and the week before the return, and not every day before them."""
    before = build_referral(Stage.LYMPHODEPLETION_STARTED)
    planned = list(list_tasks_to_plan(before, with_day(build_monitored_referral(), 22)))
    past = [task.rule for task in planned if get_local_day(task) < INFUSED_ON + 22 * DAY]

    assert set(past) == {"first_day", "label_minimum_ends", "handback_near"}
    assert len(planned) == 28 - len({"window_opened", "daily_monitoring_ends"})


def test_an_update_without_a_new_date_plans_nothing():
    """Such as an update from the center during monitoring."""
    assert (
        list(list_tasks_to_plan(with_day(build_monitored_referral(), 8), with_day(build_monitored_referral(), 9))) == []
    )


def test_a_moved_task_has_the_id_of_the_task_that_it_replaces():
    """So its notice can say that an earlier notice named another day."""
    moved = build_monitored_referral(window=replace(WINDOW, infused_on=INFUSED_ON + DAY))
    old = {task.rule: task.outbox_id for task in build_plan(build_monitored_referral())}

    planned = list(list_tasks_to_plan(build_monitored_referral(), with_day(moved, 0)))

    assert {task.rule: task.replaces for task in planned} == old


def test_a_second_return_does_not_correct_the_first():
    """Its reminder replaces nothing."""
    first = build_monitored_referral(
        Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: INFUSED_AT + 28 * DAY}
    )
    second = build_monitored_referral(
        Stage.HANDBACK_READY, stage_entered_at={Stage.HANDBACK_READY: INFUSED_AT + 30 * DAY}
    )

    [task] = list_tasks_to_plan(with_day(first, 28), with_day(second, 30))

    assert (task.rule, task.replaces) == ("handback_unacknowledged", None)


def test_the_end_of_a_hold_sends_the_last_notice_of_each_series_once():
    """Of what fell due during the hold and still applies. The rest of the plan continues."""
    held = with_hold(build_monitored_referral())

    missed = list(list_tasks_to_plan(with_day(held, 3), with_day(build_monitored_referral(), 23)))

    assert set(list_rules(missed)) == {"first_day", "label_minimum_ends", "handback_near"}
    assert [task.replaces for task in missed] == [None] * 3


def test_a_notice_due_on_the_day_that_a_hold_ends_is_planned_again():
    """Its row may have been skipped in the morning."""
    held = with_hold(build_monitored_referral())

    assert "handback_near" in list_rules(
        list_tasks_to_plan(with_day(held, 3), with_day(build_monitored_referral(), 21))
    )


def test_a_hold_that_ends_after_the_return_sends_no_notice_of_monitoring():
    """Those notices no longer apply."""
    held = with_hold(build_monitored_referral(Stage.HANDED_BACK))
    resumed = with_day(build_monitored_referral(Stage.HANDED_BACK), 40)

    assert list_rules(list_tasks_to_plan(with_day(held, 3), resumed)) == ["visit_day_30"]


def test_a_death_reported_in_error_restores_the_plan():
    """The notices apply again, as after a hold."""
    deceased = with_day(build_monitored_referral(Stage.DECEASED), 6)

    assert "daily_monitoring_ends" in list_rules(list_tasks_to_plan(deceased, with_day(build_monitored_referral(), 8)))


def test_every_rule_of_the_schedule_can_be_planned():
    """A row that no monitoring window leads to would never be sent. A consultation has no window yet."""
    far = replace(SPLIT_DOSE_WINDOW, profile=replace(SPLIT_DOSE_WINDOW.profile, proximity_days=30))
    ready = build_monitored_referral(Stage.HANDBACK_READY, far, status=ReferralStatus())

    assert set(list_rules(build_plan(ready))) | {CONSULTATION_REMINDER_RULE} == set(NOTICE_SCHEDULE)
