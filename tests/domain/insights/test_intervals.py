"""The days of an interval are calendar days at the center."""

from datetime import UTC, date, datetime

import pytest

from chalicelib.domain.insights.figures import Period, get_period_start
from chalicelib.domain.insights.intervals import MAX_DAYS, Interval, compute_quartiles, count_days
from chalicelib.domain.insights.milestones import Milestone


def count(times, *, zone="America/Chicago", referred_on=None, ends_on=None):
    return count_days(times, referred_on=referred_on, monitoring_ends_on=ends_on, time_zone=zone)


@pytest.mark.parametrize(("zone", "days"), [("America/Chicago", 0), ("UTC", 1)])
def test_the_day_is_that_of_the_center(zone, days):
    """23:30 and 0:30 in UTC are one evening in Chicago."""
    times = {
        Milestone.SUBMITTED: datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
        Milestone.RECEIVED: datetime(2026, 3, 2, 0, 30, tzinfo=UTC),
    }

    assert count(times, zone=zone)[Interval.REFERRAL_TO_RECEIVED] == days


def test_a_change_of_the_clock_is_no_day():
    """The night of March 8 has 23 hours in Chicago."""
    times = {
        Milestone.SUBMITTED: datetime(2026, 3, 8, 5, 59, tzinfo=UTC),
        Milestone.RECEIVED: datetime(2026, 3, 9, 5, 1, tzinfo=UTC),
    }

    assert count(times)[Interval.REFERRAL_TO_RECEIVED] == 2


def test_a_patient_already_on_the_way_counts_from_the_day_of_the_referral():
    """The referral was entered here later."""
    times = dict.fromkeys((Milestone.SUBMITTED, Milestone.CONSULTED), datetime(2026, 5, 20, 12, tzinfo=UTC))

    assert count(times, referred_on=date(2026, 5, 1))[Interval.REFERRAL_TO_CONSULTATION] == 19


@pytest.mark.parametrize(("day", "expected"), [(date(2026, 5, 25), 0), (date(2026, 5, 18), 2)])
def test_a_return_before_the_planned_end_is_not_late(day, expected):
    """It counts as 0 days."""
    times = {Milestone.SUMMARY_READY: datetime(2026, 5, 20, 12, tzinfo=UTC)}

    assert count(times, ends_on=day)[Interval.MONITORING_END_TO_RETURN] == expected


@pytest.mark.parametrize(("days", "is_counted"), [(MAX_DAYS, True), (MAX_DAYS + 1, False), (-1, False)])
def test_an_implausible_length_is_not_counted(days, is_counted):
    """A wrong year, or steps in the wrong order."""
    start = datetime(2024, 1, 10, 12, tzinfo=UTC)
    end = datetime.fromordinal(start.toordinal() + days).replace(hour=12, tzinfo=UTC)

    counted = count({Milestone.COLLECTED: start, Milestone.INFUSED: end})

    assert (Interval.LEUKAPHERESIS_TO_INFUSION in counted) is is_counted


def test_quartiles_are_interpolated():
    """Compared with R, quantile(c(1, 2, 4, 8, 16, 32), c(.25, .5, .75))."""
    assert compute_quartiles([32, 1, 16, 2, 8, 4]) == (2.5, 6, 14)


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 11, 29), date(2025, 12, 1)),
        (date(2026, 12, 1), date(2026, 1, 1)),
        (date(2026, 1, 31), date(2025, 2, 1)),
    ],
)
def test_twelve_months_begin_on_the_first_of_a_month(today, start):
    """This month and the eleven before it."""
    assert get_period_start(Period.LAST_12_MONTHS, today) == start
