"""Parsing of dates and times as people type them."""

from datetime import UTC, datetime

import pytest

from infra.cli.time_arguments import parse_end_of_day, parse_event_time

NOW = datetime(2026, 11, 22, 20, 0, 0, 123456, tzinfo=UTC)


def parse(text, time_zone="America/New_York"):
    return parse_event_time(text, time_zone=time_zone, now=NOW)


def test_a_date_means_the_end_of_the_day_in_utc():
    """Everything due on a day is due by its end, wherever the job runs."""
    assert parse_end_of_day("2026-11-29") == datetime(2026, 11, 29, 23, 59, 59, 999999, tzinfo=UTC)


def test_a_time_with_an_offset_is_converted_exactly():
    assert parse_end_of_day("2026-11-29T05:00:00Z") == datetime(2026, 11, 29, 5, tzinfo=UTC)
    assert parse("2026-10-10T23:30:00-04:00") == datetime(2026, 10, 11, 3, 30, tzinfo=UTC)


def test_an_event_without_a_time_happened_now():
    """The time keeps its microseconds, so that two events in a row stay in order."""
    assert parse(None) == NOW


def test_the_date_of_an_event_means_noon_where_it_happened():
    assert parse("2026-11-20") == datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    assert parse("2026-11-20", "Pacific/Honolulu") == datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def test_todays_date_before_noon_means_now():
    assert parse("2026-11-22", "Pacific/Honolulu") == NOW


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "2026-11-22T10:00:00", ""])
def test_any_other_text_is_rejected(text):
    """This includes a time without an offset, because its meaning would depend on the machine."""
    with pytest.raises(ValueError):
        parse_end_of_day(text)
    with pytest.raises(ValueError):
        parse(text)
