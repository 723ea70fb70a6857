"""Weekly patterns, exceptions, and the days on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.consultation.local_times import resolve_local_time
from chalicelib.domain.consultation.patterns import LocalStart, SlotPattern, Weekday, list_times
from chalicelib.domain.referrals.plan_terms import VisitMode

MONDAY = date(2026, 11, 30)


def build_pattern(**changed):
    fields = {
        "pattern_id": "pat_1",
        "center_id": "ctr_harbor",
        "weekdays": (Weekday.MONDAY, Weekday.THURSDAY),
        "starts": (time(9), time(10, 30)),
        "minutes": 60,
        "mode": VisitMode.IN_PERSON,
        "capacity": 1,
        "begins_on": MONDAY,
    }
    return SlotPattern(**{**fields, **changed})


def list_local(pattern, *, days=7):
    return list(pattern.list_local_starts(MONDAY, MONDAY + timedelta(days=days - 1)))


def test_a_week_has_the_times_of_its_days():
    thursday = MONDAY + timedelta(days=3)

    assert list_local(build_pattern()) == [
        (MONDAY, time(9)),
        (MONDAY, time(10, 30)),
        (thursday, time(9)),
        (thursday, time(10, 30)),
    ]


def test_a_day_off_has_no_time():
    assert {start.on for start in list_local(build_pattern(days_off=(MONDAY,)))} == {MONDAY + timedelta(days=3)}


def test_an_extra_time_is_added_also_on_a_day_off():
    extra = (LocalStart(MONDAY, time(15)), LocalStart(MONDAY + timedelta(days=1), time(8)))
    times = list_local(build_pattern(days_off=(MONDAY,), extra=extra), days=2)

    assert times == [(MONDAY, time(15)), (MONDAY + timedelta(days=1), time(8))]


def test_an_extra_time_that_the_week_has_already_comes_once():
    assert list_local(build_pattern(extra=(LocalStart(MONDAY, time(9)),)), days=1) == [
        (MONDAY, time(9)),
        (MONDAY, time(10, 30)),
    ]


def test_nothing_comes_before_the_first_or_after_the_last_day():
    pattern = build_pattern(begins_on=MONDAY + timedelta(days=7), ends_on=MONDAY + timedelta(days=7))

    assert {start.on for start in list_local(pattern, days=30)} == {MONDAY + timedelta(days=7)}


def test_the_hour_that_clocks_skip_is_skipped_and_shown():
    """Clocks in Chicago skip from 2:00 to 3:00 on March 14, 2027."""
    sunday = date(2027, 3, 14)
    pattern = build_pattern(weekdays=(Weekday.SUNDAY,), starts=(time(1, 30), time(2, 30), time(3, 30)))
    times = list_times(pattern, time_zone="America/Chicago", first=sunday, last=sunday)

    assert list(times.skipped) == [(sunday, time(2, 30))]
    assert [moment.isoformat() for moment in times.starts] == [
        "2027-03-14T07:30:00+00:00",
        "2027-03-14T08:30:00+00:00",
    ]


def test_the_hour_that_comes_twice_is_offered_once_and_first():
    """Clocks in Chicago go back from 2:00 to 1:00 on November 1, 2026."""
    sunday = date(2026, 11, 1)
    pattern = build_pattern(weekdays=(Weekday.SUNDAY,), starts=(time(1, 30),), begins_on=sunday)
    times = list_times(pattern, time_zone="America/Chicago", first=sunday, last=sunday)

    assert [moment.isoformat() for moment in times.starts] == ["2026-11-01T06:30:00+00:00"]
    assert times.skipped == []


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Asia/Kolkata", "03:30"),
        ("Asia/Kathmandu", "03:15"),
        ("America/Phoenix", "16:00"),
        ("Pacific/Honolulu", "19:00"),
    ],
)
def test_offsets_of_half_and_quarter_hours_are_exact(zone, expected):
    moment = resolve_local_time(date(2026, 12, 8), time(9), zone)

    assert moment is not None
    assert f"{moment:%H:%M}" == expected


ZONES = ("America/Chicago", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham", "UTC")


@given(
    on=st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(ZONES),
)
def test_a_local_time_is_a_moment_with_that_local_time_or_none_at_all(on, minute, zone):
    at = time(minute // 60, minute % 60)
    moment = resolve_local_time(on, at, zone)
    written = datetime.combine(on, at)

    if moment is None:
        # No moment of two days around it has this local time.
        middle = written.replace(tzinfo=UTC)
        steps = (middle + timedelta(minutes=15 * n) for n in range(-4 * 26, 4 * 26))
        assert written not in {step.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for step in steps}
    else:
        local = moment.astimezone(ZoneInfo(zone))
        assert (local.replace(tzinfo=None), local.fold) == (written, 0)
