"""The weekly digest: its Mondays in every zone, which referrals are on it, and its title."""

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

FROM_INFUSION_ON = {
    Stage.INFUSED,
    Stage.MONITORING,
    Stage.WINDOW_COMPLETE,
    Stage.HANDBACK_READY,
    Stage.HANDED_BACK,
    Stage.FOLLOW_UP,
    Stage.LONG_TERM_FOLLOW_UP,
}


def build_entry(stage, side=NextActor.PRACTICE, *, days=1, **changed):
    """The entry of a referral that reached a stage some days ago; None if it is not on the digest."""
    changed_at = NOW - timedelta(days=days)
    summary = StageSummary(stage=stage, since=changed_at, **changed)
    return build_digest_entry("ref_1", summary, changed_at=changed_at, side=side, now=NOW)


def build_entries(mine, others=0, changed=0):
    """This many entries of each kind."""
    flags = [True] * mine + [False] * others
    return [DigestEntry(f"ref_{n}", is_mine, n < changed) for n, is_mine in enumerate(flags)]


@given(now=moments, hour=hours, zone=zones)
def test_the_current_digest_is_of_the_last_monday_at_the_members_hour(now, hour, zone):
    """In the member's time zone, including clock changes."""
    week = find_current_digest_week(now, hour=hour, zone=zone)
    due = compute_digest_time(week, hour=hour, zone=zone)

    assert week.weekday() == 0
    assert due.astimezone(ZoneInfo(zone)).strftime("%a %H:%M") == f"Mon {hour:02}:00"
    assert due <= now < compute_digest_time(week + WEEK, hour=hour, zone=zone)


@given(now=moments, hour=hours, zone=zones, missed=st.integers(0, 5))
def test_missed_digests_are_due_once_and_then_on_the_next_monday(now, hour, zone, missed):
    """Whatever the number of missed weeks."""
    week = find_current_digest_week(now, hour=hour, zone=zone)
    last_done = week - missed * WEEK

    due = compute_next_digest_time(last_done, now=now, hour=hour, zone=zone)

    assert (due <= now) is (missed > 0)
    assert due == compute_digest_time(week if missed else week + WEEK, hour=hour, zone=zone)


@pytest.mark.parametrize("stage", Stage)
def test_the_practices_digest_has_every_stage_before_the_infusion(stage):
    """From a draft to the day before the infusion; no closed referral, and none in monitoring."""
    assert (build_entry(stage) is not None) is (stage not in TERMINAL_STAGES | FROM_INFUSION_ON)


@pytest.mark.parametrize(
    ("stage", "is_listed"), [(Stage.SUBMITTED, True), (Stage.INFO_REQUESTED, False), (Stage.DRAFT, False)]
)
def test_the_centers_digest_has_only_what_waits_for_the_center(stage, is_listed):
    """Not a referral for which the center requested information and waits itself."""
    assert (build_entry(stage, NextActor.CENTER) is not None) is is_listed


def test_a_withdrawal_request_waits_for_the_center():
    """Even if the practice had the next action before."""
    requested = build_entry(Stage.INFO_REQUESTED, NextActor.CENTER, withdrawal_requested=True)

    assert requested is not None
    assert requested.is_mine


def test_an_open_information_request_needs_the_practices_action():
    """At every stage before the infusion, although the center has the next step."""
    entry = build_entry(Stage.CONSULT_COMPLETED, requested_items=1)

    assert entry is not None
    assert entry.is_mine


@pytest.mark.parametrize(("days", "has_changed"), [(7, True), (8, False)])
def test_a_change_counts_as_recent_for_a_week(days, has_changed):
    """The digest before covered earlier changes."""
    entry = build_entry(Stage.SUBMITTED, days=days)

    assert entry is not None
    assert entry.has_changed is has_changed


def test_the_readers_own_actions_come_first_and_then_what_changed():
    """An email lists only the first entries."""
    unchanged, changed = build_entries(1, 1), build_entries(1, 1, changed=2)

    order = [(entry.is_mine, entry.has_changed) for entry in sort_digest_entries([*unchanged, *changed])]

    assert order == [(True, True), (True, False), (False, True), (False, False)]


PRACTICE, CENTER = NextActor.PRACTICE, NextActor.CENTER


@pytest.mark.parametrize(
    ("side", "entries", "was_due_on", "title"),
    [
        (
            PRACTICE,
            build_entries(1, 2, changed=2),
            None,
            "3 referrals before infusion: 1 needs your action, 2 updated in the last 7 days",
        ),
        (
            PRACTICE,
            build_entries(2),
            None,
            "2 referrals before infusion: 2 need your action, none updated in the last 7 days",
        ),
        (
            PRACTICE,
            build_entries(0, 1, changed=1),
            None,
            "1 referral before infusion: none needs your action, 1 updated in the last 7 days",
        ),
        (
            CENTER,
            build_entries(1),
            None,
            "1 referral before infusion waiting for your center; none updated in the last 7 days",
        ),
        (
            CENTER,
            build_entries(2),
            date(2026, 11, 2),
            (
                "2 referrals before infusion waiting for your center; none updated in the last 7 days"
                " (was due November 2, 2026)"
            ),
        ),
    ],
    ids=["practice", "practice, all need action", "practice, none needs action", "center", "center, late"],
)
def test_the_title_counts_the_referrals_in_one_sentence(side, entries, was_due_on, title):
    """For a practice with those that need its action; for a center, all of them do."""
    assert format_digest_title(entries, side=side, was_due_on=was_due_on) == title
