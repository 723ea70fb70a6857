"""A plan counts calendar days of the center, in every zone and whenever the job runs."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.notices.planning import build_plan
from chalicelib.domain.referrals.monitoring_window import MilestoneKind, get_start_of_day, open_window, to_local_day
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import PROFILE, build_referral

FIRST, LAST = date(2024, 1, 1), date(2030, 12, 31)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
ZONES_FOR_EVERY_DAY = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix"),
    *("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico"),
    *("America/St_Johns", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Kiritimati"),
)
"""The zones of the United States, and those whose clocks change at unusual times or by unusual steps."""

YEARS = range(FIRST.year, LAST.year + 1)
EDGE_DAYS = sorted(
    {date(year, 1, 1) for year in YEARS}
    | {date(year, 12, 31) for year in YEARS}
    | {date(2024, 2, 29), date(2028, 2, 29)}
    # The clock changes of 2026 in the United States and the days after them.
    | {date(2026, 3, 8), date(2026, 3, 9), date(2026, 11, 1), date(2026, 11, 2)}
)


def build_window(infused_at, zone, target):
    """The monitoring window of an infusion."""
    profile = replace(PROFILE, handback_target_day=target)
    return open_window(infused_at=infused_at, local_date=None, time_zone=zone, profile=profile)


def build_tasks(infused_at, zone, target):
    """The planned tasks of an infusion."""
    window = build_window(infused_at, zone, target)
    return list(build_plan(build_referral(Stage.MONITORING, window=window)))


def list_day_faults(zone, infused_on):
    """What is wrong with a day of a zone: its start, which a task's due time uses, and the window's end."""
    begins = get_start_of_day(infused_on, zone)
    if to_local_day(begins, zone) != infused_on or to_local_day(begins - MOMENT, zone) >= infused_on:
        yield infused_on, "does not start at its first instant"
    for target in (14, 28):
        window = build_window(begins, zone, target)
        if (window.ends_on - window.infused_on).days != target or window.infused_on != infused_on:
            yield infused_on, f"has no end {target} days later"


@pytest.mark.parametrize("zone", ZONES_FOR_EVERY_DAY)
def test_every_day_of_seven_years_starts_and_ends_correctly(zone):
    """A day starts at its first instant, so everything due by then belongs to it."""
    days = (FIRST + n * DAY for n in range((LAST - FIRST).days + 1))

    assert [fault for day in days for fault in list_day_faults(zone, day)] == []


def test_every_zone_has_correct_edge_days():
    """At year ends, leap days and clock changes."""
    assert [(zone, *fault) for zone in ZONES for day in EDGE_DAYS for fault in list_day_faults(zone, day)] == []


@given(
    zone=st.sampled_from(ZONES),
    infused_on=st.dates(FIRST, LAST),
    at=st.times(),
    target=st.sampled_from([14, 28]),
    day=st.integers(-1, 40),
    minute=st.integers(0, 24 * 60 - 1),
)
@example("America/New_York", date(2026, 2, 8), time(2, 30), 28, 28, 0)
@example("America/New_York", date(2026, 10, 4), time(23, 30), 28, 28, 1439)
@example("Pacific/Honolulu", date(2026, 12, 31), time(23, 59), 14, 14, 600)
@example("America/Phoenix", date(2026, 10, 31), time(0, 0), 28, 1, 420)
@example("America/Chicago", date(2028, 2, 29), time(12, 0), 28, 28, 720)
def test_the_job_finds_the_same_tasks_at_any_minute_of_the_day(zone, infused_on, at, target, day, minute):
    """What is due by an instant is everything up to the local day of that instant."""
    infused_at = datetime.combine(infused_on, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    plan = build_tasks(infused_at, zone, target)
    now = datetime.combine(infused_on + day * DAY, time(), tzinfo=UTC) + minute * timedelta(minutes=1)

    found = {task.rule for task in plan if task.due_at <= now}

    assert found == {task.rule for task in plan if task.due_on <= to_local_day(now, zone)}


@pytest.mark.parametrize(
    ("infused_at", "zone", "near", "target"),
    [
        pytest.param(
            datetime(2026, 2, 13, 18, tzinfo=UTC),
            "America/New_York",
            datetime(2026, 3, 6, 5, tzinfo=UTC),
            datetime(2026, 3, 13, 4, tzinfo=UTC),
            id="the clocks go forward between day 21 and day 28",
        ),
        pytest.param(
            datetime(2026, 10, 9, 18, tzinfo=UTC),
            "America/New_York",
            datetime(2026, 10, 30, 4, tzinfo=UTC),
            datetime(2026, 11, 6, 5, tzinfo=UTC),
            id="the clocks go back between day 21 and day 28",
        ),
        pytest.param(
            datetime(2028, 2, 8, 18, tzinfo=UTC),
            "America/Chicago",
            datetime(2028, 2, 29, 6, tzinfo=UTC),
            datetime(2028, 3, 7, 6, tzinfo=UTC),
            id="day 21 is the leap day",
        ),
        pytest.param(
            datetime(2026, 12, 4, 18, tzinfo=UTC),
            "Pacific/Honolulu",
            datetime(2026, 12, 25, 10, tzinfo=UTC),
            datetime(2027, 1, 1, 10, tzinfo=UTC),
            id="day 28 is new year's day in Honolulu",
        ),
        pytest.param(
            datetime(2026, 10, 12, 18, tzinfo=UTC),
            "America/Phoenix",
            datetime(2026, 11, 2, 7, tzinfo=UTC),
            datetime(2026, 11, 9, 7, tzinfo=UTC),
            id="Phoenix keeps its clocks while the others change",
        ),
        pytest.param(
            datetime(2026, 10, 11, 3, 30, tzinfo=UTC),
            "America/New_York",
            datetime(2026, 10, 31, 4, tzinfo=UTC),
            datetime(2026, 11, 7, 5, tzinfo=UTC),
            id="23:30 in New York is tomorrow in UTC",
        ),
    ],
)
def test_known_days_are_due_at_their_local_midnight(infused_at, zone, near, target):
    """Worked out by hand with a calendar and the published rules of each zone."""
    due = {task.rule: task.due_at for task in build_tasks(infused_at, zone, 28)}

    assert due[MilestoneKind.HANDBACK_NEAR] == near
    assert due[MilestoneKind.HANDBACK_TARGET] == target
