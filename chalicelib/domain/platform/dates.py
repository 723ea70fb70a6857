"""Dates as people read them."""

from datetime import date


def format_date(day: date) -> str:
    """Format a day for a sentence: "December 2, 2026", never "2026-12-02"."""
    return f"{day:%B} {day.day}, {day.year}"
