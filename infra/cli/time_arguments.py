"""Parses dates and times as people type them: a date, or an RFC 3339 time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

_EXAMPLES = "enter a date, such as 2026-11-22, or a time, such as 2026-11-22T10:00:00-05:00"


def parse_end_of_day(text: str) -> datetime:
    """Parse a time, or a date as the end of that day in UTC, when everything due that day is due.

    Raises:
        ValueError: it is neither a date nor a time.
    """
    day = _parse_day(text)
    return datetime.combine(day, time.max, tzinfo=UTC) if day else _parse_timestamp(text)


def parse_event_time(text: str | None, *, time_zone: str, now: datetime) -> datetime:
    """Parse when an event happened: a time, or a date as noon in the given time zone. Default: now.

    If today's noon is still in the future, the result is now.

    Raises:
        ValueError: it is neither a date nor a time.
    """
    if text is None:
        return now
    day = _parse_day(text)
    if day is None:
        return _parse_timestamp(text)
    zone = ZoneInfo(time_zone)
    noon = datetime.combine(day, time(12), tzinfo=zone)
    return min(noon, now) if day == now.astimezone(zone).date() else noon


def _parse_day(text: str) -> date | None:
    if len(text) != len("2026-11-22"):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(_EXAMPLES) from None


def _parse_timestamp(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_EXAMPLES) from None
    if at.tzinfo is None:
        raise ValueError("include a UTC offset, for example 2026-11-22T10:00:00-05:00")
    return at
