"""Dates as people read them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def format_date(day: date) -> str:
    """Format a day for a sentence: "December 2, 2026", never "2026-12-02"."""
    return f"{day:%B} {day.day}, {day.year}"


def format_short_date(day: date) -> str:
    """Format a day for a list or a table: "Dec 2, 2026"."""
    return f"{day:%b} {day.day}, {day.year}"


def format_short_time(at: datetime, time_zone: str) -> str:
    """Format a time for a list or a table, with its zone: "Dec 2, 2026, 7:00 AM CST"."""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{format_short_date(local.date())}, {local.hour % 12 or 12}:{local:%M %p %Z}"
