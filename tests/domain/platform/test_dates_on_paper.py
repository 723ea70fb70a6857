"""Dates, times and phones as lists and paper show them."""

from datetime import UTC, date, datetime

import pytest

from chalicelib.domain.platform.dates import format_short_date, format_short_time
from chalicelib.domain.platform.phone import format_phone


def test_a_day_has_a_short_month_and_no_leading_zero():
    """Never 2026-12-02."""
    assert format_short_date(date(2026, 12, 2)) == "Dec 2, 2026"


@pytest.mark.parametrize(
    ("at", "zone", "written"),
    [
        (datetime(2026, 11, 29, 16, 5, tzinfo=UTC), "America/Chicago", "Nov 29, 2026, 10:05 AM CST"),
        (datetime(2026, 7, 1, 4, 0, tzinfo=UTC), "America/New_York", "Jul 1, 2026, 12:00 AM EDT"),
        (datetime(2026, 7, 1, 19, 0, tzinfo=UTC), "America/Phoenix", "Jul 1, 2026, 12:00 PM MST"),
        (datetime(2026, 7, 2, 1, 30, tzinfo=UTC), "Pacific/Honolulu", "Jul 1, 2026, 3:30 PM HST"),
    ],
)
def test_a_time_has_twelve_hours_and_its_zone(at, zone, written):
    """The day is that of the zone."""
    assert format_short_time(at, zone) == written


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("+17135550142", "(713) 555-0142"),
        ("+17135550142;ext=12", "(713) 555-0142 ext. 12"),
        ("1-855-288-5227", "(855) 288-5227"),
        ("+442071838750", "+442071838750"),
        ("1-800-FDA-1088", "1-800-FDA-1088"),
    ],
)
def test_a_phone_number_of_the_us_is_written_as_people_write_it(stored, written):
    """Others stay as they are."""
    assert format_phone(stored) == written
