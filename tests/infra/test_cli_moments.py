"""Times as people type them."""

from datetime import UTC, datetime

import pytest

from infra.cli.moments import parse_end_of_day, parse_event_time

NOW = datetime(2026, 11, 22, 20, 0, 0, 123456, tzinfo=UTC)


def at(text, time_zone="America/New_York"):
    return parse_event_time(text, time_zone=time_zone, now=NOW)


def test_a_day_lasts_to_its_end_in_utc():
    """What is due on a day is due by its end, wherever the job runs."""
    assert parse_end_of_day("2026-11-29") == datetime(2026, 11, 29, 23, 59, 59, 999999, tzinfo=UTC)


def test_a_time_is_the_time():
    assert parse_end_of_day("2026-11-29T05:00:00Z") == datetime(2026, 11, 29, 5, tzinfo=UTC)
    assert at("2026-10-10T23:30:00-04:00") == datetime(2026, 10, 11, 3, 30, tzinfo=UTC)


def test_an_event_is_of_now_if_nothing_is_said():
    """To the microsecond, so that two events in a row are in order."""
    assert at(None) == NOW


def test_a_day_of_an_event_is_its_noon_where_it_happened():
    assert at("2026-11-20") == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert at("2026-11-20", "Pacific/Honolulu") == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def test_a_noon_that_is_still_to_come_today_is_now():
    assert at("2026-11-22", "Pacific/Honolulu") == NOW


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "2026-11-22T10:00:00", ""])
def test_anything_else_is_refused(text):
    """A time without its offset too: it would be read as that of some machine."""
    with pytest.raises(ValueError):
        parse_end_of_day(text)
    with pytest.raises(ValueError):
        at(text)
