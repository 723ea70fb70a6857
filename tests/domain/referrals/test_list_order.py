"""The order of a list: the worst first."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.referrals.list_order import DueGroup, build_worst_first_key, find_due_facts, find_start
from chalicelib.domain.referrals.stages import NextActor, Stage
from chalicelib.domain.referrals.worklists import ListViewer, StageSummary

NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
PRACTICE = ListViewer(side=NextActor.PRACTICE, now=NOW, time_zone="America/New_York")


def summarize(days, **changed):
    """Build the summary of a referral that was accepted some days ago, so that its step is due after 14 days."""
    return StageSummary(stage=Stage.ACCEPTED, since=NOW - timedelta(days=days), **changed)


@pytest.mark.parametrize(
    ("days", "group"),
    [
        (99, DueGroup.LATE),
        (15, DueGroup.LATE),
        (14, DueGroup.DUE_SOON),
        (13, DueGroup.DUE_SOON),
        (12, DueGroup.THIS_WEEK),
        (7, DueGroup.THIS_WEEK),
        (6, DueGroup.LATER),
    ],
)
def test_a_row_is_in_the_group_of_its_due_day(days, group):
    """Today and tomorrow are one group, and the next days of a week another."""
    assert find_due_facts(summarize(days), PRACTICE).group is group


@pytest.mark.parametrize("summary", [summarize(99, on_hold=True), StageSummary(stage=Stage.FOLLOW_UP, since=NOW)])
def test_a_step_without_a_limit_is_due_later(summary):
    """Also during a hold, when nothing is late."""
    facts = find_due_facts(summary, PRACTICE)

    assert (facts.due_on, facts.is_late, facts.group) == (None, False, DueGroup.LATER)


def test_a_late_step_with_a_gap_in_the_updates_is_late():
    """A gap may never close, and the patient waits."""
    facts = find_due_facts(summarize(99, has_gap=True), PRACTICE)

    assert (facts.is_late, facts.group) == (True, DueGroup.LATE)


def test_a_due_day_is_a_day_of_the_viewer():
    """At midnight in New York the next day begins, and in Honolulu it does not."""
    midnight = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
    viewers = [
        ListViewer(side=NextActor.CENTER, now=midnight, time_zone=zone)
        for zone in ("America/New_York", "Pacific/Honolulu")
    ]
    summary = summarize(14)

    assert [find_due_facts(summary, viewer).is_late for viewer in viewers] == [True, False]


def list_sorted(**rows):
    """The names of rows, each given as days since acceptance and urgency, in the order of a list."""
    keys = {
        name: build_worst_first_key(
            find_due_facts(summarize(days), PRACTICE), is_urgent=is_urgent, since=str(NOW - timedelta(days=days))
        )
        for name, (days, is_urgent) in rows.items()
    }
    return sorted(rows, key=lambda name: tuple(keys[name]))


def test_among_late_rows_the_latest_comes_first():
    """Also before an urgent one that is less late."""
    assert list_sorted(urgent=(15, True), latest=(47, False), late=(20, False)) == ["latest", "late", "urgent"]


def test_in_the_other_groups_urgent_rows_come_first():
    """Then the day, and each group after the one that is worse."""
    rows = {"later": (1, True), "soon": (13, False), "today": (14, False), "urgent": (13, True), "week": (10, True)}

    assert list_sorted(**rows) == ["urgent", "today", "soon", "week", "later"]


@pytest.mark.parametrize(
    ("after", "is_descending", "start"),
    [(None, False, 0), (("b",), False, 2), (("bb",), False, 2), (("c",), False, 3), (("b",), True, 2)],
)
def test_a_page_begins_behind_the_last_row_of_the_one_before(after, is_descending, start):
    """Also if that row is no longer in the list."""
    keys = [("a",), ("b",), ("c",)]

    assert find_start(keys[::-1] if is_descending else keys, after, is_descending=is_descending) == start


def test_the_due_day_is_the_last_day_in_time():
    """The day after the limit is the first late one."""
    assert find_due_facts(summarize(14), PRACTICE).due_on == date(2026, 11, 20)
