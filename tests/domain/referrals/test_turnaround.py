"""Turnaround: how long a stage may take, and from which day it is overdue."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.turnaround import (
    STAGES_WITH_OWN_DATE,
    TURNAROUND_LIMITS,
    DayUnit,
    TurnaroundLevel,
    compute_federal_holidays,
    compute_turnaround,
    is_business_day,
)
from tests.support.holidays import HOLIDAYS

ZONE = "America/New_York"
DAY = timedelta(days=1)


def noon(day):
    """Noon at the center."""
    return datetime.fromisoformat(f"{day}T17:00:00+00:00")


def compute(stage, since, now, *, on_hold=False, **days):
    """Compute a turnaround in the center's time zone."""
    return compute_turnaround(stage, since=since, on_hold=on_hold, now=now, time_zone=ZONE, **days)


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_federal_holidays_match_the_official_calendar(year):
    """On the days when they are observed."""
    assert compute_federal_holidays(year) == {day for day in HOLIDAYS if day.year == year}


@pytest.mark.parametrize(
    ("day", "is_business"),
    [
        ("2026-11-20", True),
        ("2026-11-21", False),
        ("2026-11-22", False),
        ("2026-11-23", True),
        ("2026-11-26", False),
        ("2026-11-27", True),
        ("2027-12-31", False),
    ],
)
def test_weekends_and_holidays_are_not_business_days(day, is_business):
    """The day after Thanksgiving is a business day."""
    assert is_business_day(date.fromisoformat(day)) is is_business


@pytest.mark.parametrize(
    ("since", "amber", "red"),
    [
        ("2026-11-16", "2026-11-17", "2026-11-19"),
        ("2026-11-20", "2026-11-23", "2026-11-25"),
        ("2026-11-21", "2026-11-23", "2026-11-25"),
        ("2026-11-25", "2026-11-27", "2026-12-01"),
        ("2026-12-24", "2026-12-28", "2026-12-30"),
        ("2026-12-31", "2027-01-04", "2027-01-06"),
    ],
)
def test_limits_in_business_days_skip_weekends_and_holidays(since, amber, red):
    """A submitted referral is overdue after one business day and long overdue after three."""
    turnaround = compute(Stage.SUBMITTED, noon(since), noon(since))

    assert (turnaround.amber_on, turnaround.red_on) == (date.fromisoformat(amber), date.fromisoformat(red))
    assert turnaround.unit is DayUnit.BUSINESS


@pytest.mark.parametrize(
    ("days", "level"), [(0, "on_time"), (14, "on_time"), (15, "amber"), (21, "amber"), (22, "red"), (400, "red")]
)
def test_the_level_changes_when_the_day_of_the_limit_is_over(days, level):
    """Accepted: amber after 14 days, red after 21; the published median is the expected day."""
    since = noon("2026-11-02")

    turnaround = compute(Stage.ACCEPTED, since, since + days * DAY)

    assert turnaround.level == level
    assert turnaround.expected_by == date(2026, 11, 13)
    assert turnaround.source
    assert "Battiwalla" in turnaround.source


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.CONSULT_SCHEDULED])
def test_the_time_to_the_consultation_is_counted_from_the_referral(stage):
    """As in the published median: scheduling it, or a new date, does not restart the days."""
    turnaround = compute(stage, noon("2026-11-16"), noon("2026-11-17"), referred_at=noon("2026-11-02"))

    assert turnaround.expected_by == date(2026, 11, 13)
    assert turnaround.level is TurnaroundLevel.AMBER


def test_other_stages_are_counted_from_their_own_start():
    """Their limits are for the stage itself."""
    turnaround = compute(Stage.RECEIVED, noon("2026-11-16"), noon("2026-11-17"), referred_at=noon("2026-11-02"))

    assert turnaround.level is TurnaroundLevel.ON_TIME


@pytest.mark.parametrize(("hour", "level"), [(4, TurnaroundLevel.ON_TIME), (5, TurnaroundLevel.AMBER)])
def test_a_day_ends_at_midnight_in_the_viewers_time_zone(hour, level):
    """In New York, not in UTC."""
    now = datetime(2026, 11, 17, hour, 59, tzinfo=UTC)

    assert compute(Stage.ACCEPTED, noon("2026-11-02"), now).level is level


@pytest.mark.parametrize("stage", Stage)
def test_nothing_is_overdue_during_a_hold(stage):
    """Regardless of how long the hold lasts."""
    since = noon("2026-01-01")

    assert compute(stage, since, since + 900 * DAY, on_hold=True).level is TurnaroundLevel.ON_HOLD


@pytest.mark.parametrize("stage", sorted(set(Stage) - set(TURNAROUND_LIMITS)))
def test_a_stage_without_limits_is_never_overdue(stage):
    """An ending, follow-up, or a stage with a date of its own while the date is unknown."""
    turnaround = compute(stage, noon("2026-01-01"), noon("2028-01-01"))

    assert turnaround.level is TurnaroundLevel.NONE
    assert (turnaround.expected_by, turnaround.amber_on, turnaround.red_on) == (None, None, None)


@pytest.mark.parametrize("stage", STAGES_WITH_OWN_DATE)
@pytest.mark.parametrize(("day", "level"), [(15, "on_time"), (16, "amber"), (22, "amber"), (23, "red")])
def test_a_stage_with_its_own_date_is_overdue_from_the_day_after(stage, day, level):
    """Regardless of when it began: the date was set by the center or by the monitoring window."""
    turnaround = compute(stage, noon("2026-01-01"), noon(f"2026-11-{day}"), ends_on=date(2026, 11, 15))

    assert turnaround.level == level
    assert (turnaround.expected_by, turnaround.amber_on) == (date(2026, 11, 15), date(2026, 11, 15))
    assert turnaround.source == STAGES_WITH_OWN_DATE[stage]


def test_other_stages_ignore_the_date():
    """The end of the window does not limit follow-up."""
    turnaround = compute(Stage.FOLLOW_UP, noon("2026-01-01"), noon("2028-01-01"), ends_on=date(2026, 11, 15))

    assert (turnaround.level, turnaround.expected_by, turnaround.source) == (TurnaroundLevel.NONE, None, None)


@pytest.mark.parametrize("stage", TURNAROUND_LIMITS)
def test_limits_are_in_order_and_have_a_source(stage):
    """Expected before amber before red, and only for open stages."""
    limits = TURNAROUND_LIMITS[stage]

    days = [day for day in (limits.typical, limits.amber, limits.red) if day is not None]
    assert days == sorted(set(days))
    assert limits.source
    assert stage not in TERMINAL_STAGES
