"""How long a stage may take, and from which day on somebody should ask."""

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
    """Noon at the center's."""
    return datetime.fromisoformat(f"{day}T17:00:00+00:00")


def clock(stage, since, now, *, on_hold=False, **days):
    """A clock at the center's."""
    return compute_turnaround(stage, since=since, on_hold=on_hold, now=now, time_zone=ZONE, **days)


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_federal_holidays_are_those_of_the_calendar(year):
    """On the days they are observed on."""
    assert compute_federal_holidays(year) == {day for day in HOLIDAYS if day.year == year}


@pytest.mark.parametrize(
    ("day", "works"),
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
def test_a_business_day_is_no_weekend_and_no_holiday(day, works):
    """The day after Thanksgiving is one."""
    assert is_business_day(date.fromisoformat(day)) is works


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
def test_business_days_pass_over_weekends_and_holidays(since, amber, red):
    """A submission has one to be seen and three to be late."""
    told = clock(Stage.SUBMITTED, noon(since), noon(since))

    assert (told.amber_on, told.red_on) == (date.fromisoformat(amber), date.fromisoformat(red))
    assert told.unit is DayUnit.BUSINESS


@pytest.mark.parametrize(
    ("days", "level"), [(0, "on_time"), (14, "on_time"), (15, "amber"), (21, "amber"), (22, "red"), (400, "red")]
)
def test_a_level_changes_when_the_day_of_its_limit_is_over(days, level):
    """Accepted: amber after 14 days, red after 21; the median stands beside them."""
    since = noon("2026-11-02")

    told = clock(Stage.ACCEPTED, since, since + days * DAY)

    assert told.level == level
    assert told.expected_by == date(2026, 11, 13)
    assert told.source
    assert "Battiwalla" in told.source


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.CONSULT_SCHEDULED])
def test_the_way_to_the_consultation_is_counted_from_the_referral(stage):
    """As its median was published: a booking, or a new date, does not begin it anew."""
    told = clock(stage, noon("2026-11-16"), noon("2026-11-17"), referred_at=noon("2026-11-02"))

    assert told.expected_by == date(2026, 11, 13)
    assert told.level is TurnaroundLevel.AMBER


def test_no_other_stage_is_counted_from_the_referral():
    """Its limits are for the stage itself."""
    told = clock(Stage.RECEIVED, noon("2026-11-16"), noon("2026-11-17"), referred_at=noon("2026-11-02"))

    assert told.level is TurnaroundLevel.ON_TIME


@pytest.mark.parametrize(("hour", "level"), [(4, TurnaroundLevel.ON_TIME), (5, TurnaroundLevel.AMBER)])
def test_a_day_is_the_readers_own(hour, level):
    """It is over at midnight in New York, not in Greenwich."""
    now = datetime(2026, 11, 17, hour, 59, tzinfo=UTC)

    assert clock(Stage.ACCEPTED, noon("2026-11-02"), now).level is level


@pytest.mark.parametrize("stage", Stage)
def test_nothing_is_late_under_a_hold(stage):
    """However long it lasts."""
    since = noon("2026-01-01")

    assert clock(stage, since, since + 900 * DAY, on_hold=True).level is TurnaroundLevel.ON_HOLD


@pytest.mark.parametrize("stage", sorted(set(Stage) - set(TURNAROUND_LIMITS)))
def test_a_stage_without_limits_is_never_late(stage):
    """An ending, a wait with a date of its own, or what the window dates."""
    told = clock(stage, noon("2026-01-01"), noon("2028-01-01"))

    assert told.level is TurnaroundLevel.NONE
    assert (told.expected_by, told.amber_on, told.red_on) == (None, None, None)


@pytest.mark.parametrize("stage", STAGES_WITH_OWN_DATE)
@pytest.mark.parametrize(("day", "level"), [(15, "on_time"), (16, "amber"), (22, "amber"), (23, "red")])
def test_a_dated_stage_is_late_from_the_day_after(stage, day, level):
    """Whenever it began: the center named the day, or the product's window did."""
    told = clock(stage, noon("2026-01-01"), noon(f"2026-11-{day}"), ends_on=date(2026, 11, 15))

    assert told.level == level
    assert (told.expected_by, told.amber_on) == (date(2026, 11, 15), date(2026, 11, 15))
    assert told.source == STAGES_WITH_OWN_DATE[stage]


def test_only_a_dated_stage_goes_by_the_day():
    """A window's end says nothing of the hand-back that is waited for."""
    told = clock(Stage.FOLLOW_UP, noon("2026-01-01"), noon("2028-01-01"), ends_on=date(2026, 11, 15))

    assert (told.level, told.expected_by, told.source) == (TurnaroundLevel.NONE, None, None)


@pytest.mark.parametrize("stage", TURNAROUND_LIMITS)
def test_limits_are_in_order_and_have_a_source(stage):
    """Expected before amber before red, and only of open stages."""
    limits = TURNAROUND_LIMITS[stage]

    days = [day for day in (limits.typical, limits.amber, limits.red) if day is not None]
    assert days == sorted(set(days))
    assert limits.source
    assert stage not in TERMINAL_STAGES
