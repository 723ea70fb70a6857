"""Calendar months, which have different numbers of days."""

from calendar import monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day: August 31, then February 28."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
