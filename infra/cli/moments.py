"""Times as people type them: a day, or an RFC 3339 time."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def parse_end_of_day(text: str) -> datetime:
    """The time, or the end of the day in UTC: what is due that day is due by then.

    Raises:
        ValueError: it is neither.
    """
    day = _parse_day(text)
    return datetime.combine(day, time.max, tzinfo=UTC) if day else _parse_timestamp(text)


def parse_event_time(text: str | None, *, time_zone: str, now: datetime) -> datetime:
    """When an event was true: now, the time, or noon of the day where it happened.

    Today's noon may still be to come; then it is now.

    Raises:
        ValueError: it is neither a time nor a day.
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
    return date.fromisoformat(text) if len(text) == len("2026-11-22") else None


def _parse_timestamp(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs its offset, as in 2026-11-22T10:00:00-05:00")
    return at
