"""Dates of which only the year, or the year and the month, is known: "1961", "1961-04"."""

import re
from datetime import date

_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def parse_partial_date(text: str) -> tuple[date, date] | None:
    """Parse a whole or partial date as its first and its last possible day; None if it is not one.

    Raises:
        ValueError: it has the right form, but there is no such month or day.
    """
    found = _PARTIAL.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups()
    first = date(int(year), int(month or 1), int(day or 1))
    if day:
        return first, first
    last_month = int(month or 12)
    following = date(first.year + last_month // 12, last_month % 12 + 1, 1)
    return first, date.fromordinal(following.toordinal() - 1)
