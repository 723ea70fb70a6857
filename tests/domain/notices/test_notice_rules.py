"""Who is told of what, in which words, and whom a rule leaves out."""

from dataclasses import replace
from datetime import date

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.domain.notices.notice_rules import EVENT_RULES, MAILED_IF_CHOSEN, STAGE_RULES, Category
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE, NoticeSeries
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import (
    READMISSION_RULE,
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


def a_planned(rule, **changed):
    """A task of the plan."""
    task = OutboxTask(
        outbox_id="out_1", referral_id="ref_1", rule=rule, queue=TaskQueue.PLAN, due_at=NOON, due_on=date(2026, 11, 3)
    )
    return replace(task, **changed)


def told(task):
    """Each side with what it is told."""
    return [(side.value, rule.title, rule.category) for side, rule in list_notice_rules(task)]


def test_a_follow_up_is_due_at_once_and_has_its_id_from_the_event():
    """One event, one row; another event, another row."""
    first = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    again = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_1"), now=NOON)
    other = build_event_task(build_stage_change(Stage.ACCEPTED, event_id="evt_2"), now=NOON)

    assert first == again
    assert first.outbox_id != other.outbox_id
    assert (first.queue, first.due_at, first.rule) == (TaskQueue.EVENT, NOON, STAGE_CHANGED_RULE)


def test_each_side_is_told_in_words_of_its_own():
    """The practice books, the center writes."""
    assert told(a_planned(MilestoneKind.HANDBACK_NEAR)) == [
        ("practice", "Hand-back in 7 days: book the visit and the labs", Category.WINDOW),
        ("center", "Hand-back in 7 days: start the package", Category.WINDOW),
    ]


def test_what_is_told_late_says_when_it_was_due():
    """Else its reader takes "today" for today."""
    [(_, title, _), _] = told(a_planned(MilestoneKind.HANDBACK_NEAR, is_late=True))

    assert title == "Hand-back in 7 days: book the visit and the labs (was due on 2026-11-03)"


@pytest.mark.parametrize(
    ("moved", "begins"),
    [(DateChangeReason.CORRECTED, "Corrected: Hand"), (DateChangeReason.EXTENDED, "New date: Hand")],
)
def test_what_was_told_for_another_day_says_so_first(moved, begins):
    """In a list the first words are read."""
    assert all(
        title.startswith(begins) for _, title, _ in told(a_planned(MilestoneKind.HANDBACK_NEAR, date_change=moved))
    )


def test_the_third_day_without_a_handback_goes_to_those_who_lead_the_center_too():
    """They come first: one person has one notice of a task."""
    rules = [(side.value, rule.leads) for side, rule in list_notice_rules(a_planned("handback_overdue_3"))]

    assert rules == [("center", True), ("practice", False), ("center", False)]
    assert not [rule for _, rule in list_notice_rules(a_planned("handback_overdue_2")) if rule.leads]


def test_who_leads_is_who_manages_among_those_who_see_patients():
    """Where nobody does both, it is everybody: else nobody would hear."""
    rule = next(rule for _, rule in list_notice_rules(a_planned("handback_overdue_3")) if rule.leads)
    nurse = build_member(CENTER)
    lead = replace(nurse, member_id="mem_lead", roles=nurse.roles | {Role.ADMIN})

    assert rule.list_recipients([nurse, lead]) == [lead]
    assert rule.list_recipients([nurse]) == [nurse]
    assert rule.list_recipients([]) == []


def test_day_1_is_mailed_to_nobody_who_has_not_asked():
    """Nothing is due on it."""
    [(side, _, category)] = told(a_planned("first_day"))

    assert (side, category) == ("practice", Category.CHECK_IN)
    assert category in MAILED_IF_CHOSEN
    assert [entry.series for entry in NOTICE_SCHEDULE.values()].count(NoticeSeries.CHECK_IN) == 1


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
def test_each_row_of_the_schedule_has_its_category(rule, category):
    """By which its reader chooses whether to be mailed."""
    assert {found for _, _, found in told(a_planned(rule))} == {category}


def test_a_readmission_is_told_as_one():
    """It is a kind of toxicity notice in a feed, and the same day's news for the practice."""
    task = build_event_task(build_event(ToxicityNoticed, kind="readmission"), now=NOON)
    other = build_event_task(build_event(ToxicityNoticed, kind="crs"), now=NOON)

    assert told(task) == [("practice", "The patient was readmitted", Category.CRITICAL)]
    assert told(other) == [("practice", "The center noticed a toxicity", Category.CRITICAL)]
    assert (task.rule, task.queue) == (READMISSION_RULE, TaskQueue.EVENT)


@pytest.mark.parametrize("stage", [Stage.OUT_OF_SPECIFICATION, Stage.MANUFACTURING_FAILED, Stage.DECEASED])
def test_what_cannot_wait_is_critical(stage):
    """Told the same day, and nobody can turn it off."""
    task = build_event_task(build_stage_change(stage), now=NOON)

    assert {category for _, _, category in told(task)} == {Category.CRITICAL}
    assert "practice" in {side for side, _, _ in told(task)}


@pytest.mark.parametrize("stage", sorted(STAGE_RULES))
def test_the_side_that_did_not_move_is_told(stage):
    """Who makes a move knows of it; a death, which either may report, is told to both."""
    told = {side.value for side in STAGE_RULES[stage].sides}
    movers = {actor.value for actor in list_actors_for(stage)}

    assert told != movers or stage is Stage.DECEASED
    assert STAGE_RULES[stage].title


def test_a_practice_is_told_of_every_ending_that_the_center_decides():
    """Silence about a patient who does not go on is what referrers complain of most."""
    by_center = {
        stage for stage in TERMINAL_STAGES if "practice" not in {actor.value for actor in list_actors_for(stage)}
    }
    told = {stage for stage, rule in STAGE_RULES.items() if TenantKind.PRACTICE in rule.sides}

    assert by_center <= told


def test_no_title_holds_a_place_for_a_name():
    """Titles are read in a list by people of either side; who it is stands beside them."""
    entries = [title for entry in NOTICE_SCHEDULE.values() for title in entry[1:] if title]
    titles = [rule.title for rule in (*EVENT_RULES.values(), *STAGE_RULES.values())]

    assert not [title for title in (*entries, *titles) if "{" in title or "%" in title]
