"""Dates without a time, as many centers' systems send them: `"occurred_at": "2026-10-10"`."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_dates_as_days(body: Any, *, get_time_zone: Callable[[], str]) -> None:
    """Replace a date without a time in a delivery by midnight at the center, which means the whole day.

    Only `occurred_at` of the report and of a correction's replacement are read this way. A date that does not
    exist stays as it is and is refused with the other fields.
    """
    for part in _list_reports(body):
        day = _parse_date(part.get("occurred_at"))
        if day:
            # An hour that the clocks skip keeps its name, so the day still starts with midnight.
            part["occurred_at"] = datetime.combine(day, time.min, ZoneInfo(get_time_zone())).isoformat()


def _list_reports(body: Any) -> list[dict[str, Any]]:
    data = body.get("data") if isinstance(body, dict) else None
    replacement = data.get("replacement") if isinstance(data, dict) else None
    return [part for part in (body, replacement) if isinstance(part, dict)]


def _parse_date(value: Any) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
