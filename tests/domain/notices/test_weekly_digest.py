"""The weekly digest: its Mondays in every zone, what is on it, and its one sentence."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.notices.weekly_digest import (
    WEEK,
    DigestEntry,
    build_digest_entry,
    compute_digest_time,
    compute_next_digest_time,
    find_current_digest_week,
    format_digest_title,
    sort_digest_entries,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, NextActor, Stage
from chalicelib.domain.referrals.worklists import StageSummary

NOW = datetime(2026, 11, 9, 12, tzinfo=UTC)
ZONES = ("America/New_York", "America/Phoenix", "Pacific/Honolulu", "Pacific/Apia", "UTC")

moments = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
hours, zones = st.integers(0, 23), st.sampled_from(ZONES)

AFTER = {
    Stage.INFUSED,
    Stage.MONITORING,
    Stage.WINDOW_COMPLETE,
    Stage.HANDBACK_READY,
    Stage.HANDED_BACK,
    Stage.FOLLOW_UP,
    Stage.LONG_TERM_FOLLOW_UP,
}


def entry(stage, side=NextActor.PRACTICE, *, days=1, **standing):
    """A referral that came to a stage some days ago, on the digest of a side."""
    changed_at = NOW - timedelta(days=days)
    stands = StageSummary(stage=stage, since=changed_at, **standing)
    return build_digest_entry("ref_1", stands, changed_at=changed_at, side=side, now=NOW)


def some(mine, others=0, changed=0):
    """So many entries of each kind."""
    whose = [True] * mine + [False] * others
    return [DigestEntry(f"ref_{n}", is_mine, n < changed) for n, is_mine in enumerate(whose)]


@given(now=moments, hour=hours, zone=zones)
def test_the_week_is_that_of_the_last_monday_at_the_hour(now, hour, zone):
    """On the wall of the member, whatever clocks do there."""
    week = find_current_digest_week(now, hour=hour, zone=zone)
    due = compute_digest_time(week, hour=hour, zone=zone)

    assert week.weekday() == 0
    assert due.astimezone(ZoneInfo(zone)).strftime("%a %H:%M") == f"Mon {hour:02}:00"
    assert due <= now < compute_digest_time(week + WEEK, hour=hour, zone=zone)


@given(now=moments, hour=hours, zone=zones, missed=st.integers(0, 5))
def test_what_was_missed_is_due_once_and_then_the_next_monday(now, hour, zone, missed):
    """However many weeks it was."""
    week = find_current_digest_week(now, hour=hour, zone=zone)
    settled = week - missed * WEEK

    due = compute_next_digest_time(settled, now=now, hour=hour, zone=zone)

    assert (due <= now) is (missed > 0)
    assert due == compute_digest_time(week if missed else week + WEEK, hour=hour, zone=zone)


@pytest.mark.parametrize("stage", Stage)
def test_a_practice_is_told_of_all_before_infusion(stage):
    """From a draft to the day before; neither of ends, nor of what is on the windows' plan."""
    assert (entry(stage) is not None) is (stage not in TERMINAL_STAGES | AFTER)


@pytest.mark.parametrize(
    ("stage", "is_told"), [(Stage.SUBMITTED, True), (Stage.INFO_REQUESTED, False), (Stage.DRAFT, False)]
)
def test_a_center_is_told_of_what_waits_for_it(stage, is_told):
    """And of nothing that it asked for and waits for itself."""
    assert (entry(stage, NextActor.CENTER) is not None) is is_told


def test_a_request_to_withdraw_waits_for_the_center():
    """Whoever had the move before."""
    asked = entry(Stage.INFO_REQUESTED, NextActor.CENTER, withdrawal_requested=True)

    assert asked is not None
    assert asked.is_mine


@pytest.mark.parametrize(("days", "has_changed"), [(7, True), (8, False)])
def test_a_change_is_told_for_a_week(days, has_changed):
    """The last digest told of it before."""
    told = entry(Stage.SUBMITTED, days=days)

    assert told is not None
    assert told.has_changed is has_changed


def test_ones_own_moves_come_first_and_then_what_changed():
    """A mail names some of many."""
    old, new = some(1, 1), some(1, 1, changed=2)

    order = [(e.is_mine, e.has_changed) for e in sort_digest_entries([*old, *new])]

    assert order == [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize(
    ("entries", "title"),
    [
        (some(1, 2, changed=2), "3 referrals before infusion: 1 needs your action, 2 changed in the last week"),
        (some(2), "2 referrals before infusion: 2 need your action, none changed in the last week"),
        (some(0, 1, changed=1), "1 referral before infusion: none needs your action, 1 changed in the last week"),
    ],
)
def test_a_practice_reads_one_sentence(entries, title):
    """How many, how many for itself, and how many have news."""
    assert format_digest_title(entries, side=NextActor.PRACTICE, due_at=None) == title


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (1, "1 referral before infusion waits for your center: none changed in the last week"),
        (2, "2 referrals before infusion wait for your center: none changed in the last week"),
    ],
)
def test_a_center_reads_what_it_has_not_answered(count, title):
    """All of it waits for the center."""
    assert format_digest_title(some(count), side=NextActor.CENTER, due_at=None) == title


def test_a_late_digest_says_so():
    """As any notice does."""
    title = format_digest_title(some(1), side=NextActor.CENTER, due_at=date(2026, 11, 2))

    assert title.endswith(" (was due on 2026-11-02)")
