"""Which side gets which notice, its title, and its recipients."""

from dataclasses import replace
from datetime import date

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.domain.notices.care_notices import READMISSION_RULE
from chalicelib.domain.notices.notice_rules import EVENT_RULES, OPT_IN_CATEGORIES, STAGE_RULES, Category
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE, NoticeSeries
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import (
    STAGE_CHANGED_RULE,
    DateChangeReason,
    OutboxTask,
    TaskQueue,
    build_event_task,
)
from chalicelib.domain.referrals.events import ToxicityNoticed
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_actors_for
from tests.support.factories import CENTER, build_member
from tests.support.referral_values import NOON, build_event, build_stage_change


def build_planned_task(rule, **changed):
    """A task of the plan."""
    task = OutboxTask(
        outbox_id="out_1", referral_id="ref_1", rule=rule, queue=TaskQueue.PLAN, due_at=NOON, due_on=date(2026, 11, 3)
    )
    return replace(task, **changed)


def list_titles(task):
    """Each side with the title and the category of its notice."""
    return [(side.value, rule.title, rule.category) for side, rule in list_notice_rules(task)]


def test_an_event_task_is_due_at_once_and_its_id_comes_from_the_event():
    """One event makes one row; another event makes another row."""
    first = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    repeated = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    other = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_2"), now=NOON)

    assert first == repeated
    assert first.outbox_id != other.outbox_id
    assert (first.queue, first.due_at, first.rule) == (TaskQueue.EVENT, NOON, STAGE_CHANGED_RULE)


def test_each_side_has_a_title_of_its_own():
    """The practice schedules the visit, the center writes the summary."""
    assert list_titles(build_planned_task(MilestoneKind.HANDBACK_NEAR)) == [
        ("practice", "Return to your practice in 7 days: schedule the visit and labs", Category.WINDOW),
        (
            "center",
            "Return to referring provider in 7 days: start the transition-of-care summary",
            Category.WINDOW,
        ),
    ]


@pytest.mark.parametrize(
    ("day", "overdue"), [(1, "is 1 day overdue"), (2, "is 2 days overdue"), (3, "is 3 days overdue")]
)
def test_an_overdue_return_counts_its_days(day, overdue):
    """One day is singular, in the title of every side."""
    titles = [title for _, title, _ in list_titles(build_planned_task(f"handback_overdue_{day}"))]

    assert titles
    assert all(title.startswith(f"Return to referring provider {overdue}") for title in titles)


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"is_late": True}, "Target return date is today (was due November 3, 2026)"),
        ({"date_change": DateChangeReason.CORRECTED}, "Corrected: Target return date is today"),
        ({"date_change": DateChangeReason.EXTENDED}, "New date: Target return date is today"),
    ],
    ids=["late", "corrected infusion date", "extended monitoring"],
)
def test_a_title_explains_a_late_notice_and_a_changed_date(changed, title):
    """Otherwise the reader takes "today" for the day of reading, or the new date for a mistake."""
    [(_, practice_title, _), _] = list_titles(build_planned_task(MilestoneKind.HANDBACK_TARGET, **changed))

    assert practice_title == title


def test_the_third_day_of_an_overdue_return_also_goes_to_the_centers_administrators():
    """Their notice comes first: one person gets one notice per task."""
    rules = [
        (side.value, rule.admins_only) for side, rule in list_notice_rules(build_planned_task("handback_overdue_3"))
    ]

    assert rules == [("center", True), ("practice", False), ("center", False)]
    assert not [rule for _, rule in list_notice_rules(build_planned_task("handback_overdue_2")) if rule.admins_only]


def test_a_notice_for_administrators_goes_to_everyone_if_there_is_no_administrator():
    """Otherwise no one would receive it."""
    rule = next(rule for _, rule in list_notice_rules(build_planned_task("handback_overdue_3")) if rule.admins_only)
    nurse = build_member(CENTER)
    lead = replace(nurse, member_id="mem_lead", roles=nurse.roles | {Role.ADMIN})

    assert rule.list_recipients([nurse, lead]) == [lead]
    assert rule.list_recipients([nurse]) == [nurse]
    assert rule.list_recipients([]) == []


def test_the_day_1_check_in_is_not_emailed_by_default():
    """Nothing is due on day 1."""
    [(side, _, category)] = list_titles(build_planned_task("first_day"))

    assert (side, category) == ("practice", Category.CHECK_IN)
    assert category in OPT_IN_CATEGORIES
    assert [notice.series for notice in NOTICE_SCHEDULE.values()].count(NoticeSeries.CHECK_IN) == 1


@pytest.mark.parametrize(
    ("rule", "category"),
    [
        ("daily_monitoring_ends", Category.WINDOW),
        ("second_part_due", Category.WINDOW),
        ("driving_minimum_ends", Category.WINDOW),
        ("handback_overdue_1", Category.OVERDUE),
        ("handback_unacknowledged", Category.OVERDUE),
        ("visit_day_30", Category.FOLLOW_UP),
        ("visit_year_15", Category.FOLLOW_UP),
    ],
)
def test_each_scheduled_notice_has_a_category(rule, category):
    """Members choose by category whether a notice is emailed."""
    assert {found for _, _, found in list_titles(build_planned_task(rule))} == {category}


def test_a_readmission_has_its_own_notice():
    """A webhook reports it as a kind of toxicity event; the practice is notified of a readmission."""
    task = build_event_task(build_event(ToxicityNoticed, kind="readmission"), now=NOON)
    other = build_event_task(build_event(ToxicityNoticed, kind="crs"), now=NOON)

    assert list_titles(task) == [("practice", "The patient was readmitted", Category.CRITICAL)]
    assert list_titles(other) == [("practice", "The center reported a toxicity", Category.CRITICAL)]
    assert (task.rule, task.queue) == (READMISSION_RULE, TaskQueue.EVENT)


@pytest.mark.parametrize("stage", [Stage.OUT_OF_SPECIFICATION, Stage.MANUFACTURING_FAILED, Stage.DECEASED])
def test_a_manufacturing_failure_or_death_is_a_critical_notice(stage):
    """The practice is notified the same day, and no one can turn it off."""
    task = build_event_task(build_stage_change(stage), now=NOON)

    assert {category for _, _, category in list_titles(task)} == {Category.CRITICAL}
    assert "practice" in {side for side, _, _ in list_titles(task)}


@pytest.mark.parametrize("stage", sorted(STAGE_RULES))
def test_the_side_that_did_not_change_the_stage_is_notified(stage):
    """The other side already knows, but both sides are notified of every ending."""
    notified = {side.value for side in STAGE_RULES[stage].sides}
    actors = {actor.value for actor in list_actors_for(stage)}

    assert notified == {"practice", "center"} if stage in TERMINAL_STAGES else notified != actors
    assert STAGE_RULES[stage].title


def test_the_practice_is_notified_of_every_ending_that_the_center_decides():
    """Referring providers complain most about silence when a patient does not proceed."""
    decided_by_center = {
        stage for stage in TERMINAL_STAGES if "practice" not in {actor.value for actor in list_actors_for(stage)}
    }
    notified = {stage for stage, rule in STAGE_RULES.items() if TenantKind.PRACTICE in rule.sides}

    assert decided_by_center <= notified


def test_no_title_has_a_placeholder():
    """Members of both sides read titles in a list; the patient's alias is next to the title."""
    scheduled = [title for notice in NOTICE_SCHEDULE.values() for title in notice[1:] if title]
    titles = [rule.title for rule in (*EVENT_RULES.values(), *STAGE_RULES.values())]

    assert not [title for title in (*scheduled, *titles) if "{" in title or "%" in title]
