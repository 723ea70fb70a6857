"""Shipped facts expire: each has the day that it is known for, and a day by which someone must review it.

After that day nothing is withdrawn, because an old fact is often still right; every page says that it may
be out of date.
"""

from datetime import date


def is_due(review_by: str, today: date) -> bool:
    """Whether a fact may be out of date: the day of its review (YYYY-MM-DD) has passed."""
    return today > date.fromisoformat(review_by)
