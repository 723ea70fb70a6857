"""A center's weekly pattern of consultation times, and the slots that follow from it.

Patterns become slots for the next 12 weeks (`HORIZON`). A slot's id follows from the pattern and the local
time, so making them twice changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.consultation.local_times import resolve_local_time
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.plan_terms import VisitMode

HORIZON = timedelta(weeks=12)
"""How far ahead patterns become slots. This product's own choice."""

MAX_STARTS_PER_DAY = 16
"""How many times a day one pattern can have: one for each half hour of a working day. Our own choice."""

MAX_PATTERNS = 20
"""How many patterns a center can have. Our own choice."""

MAX_EXCEPTIONS = 400
"""How many days off, or extra times, one pattern can have. Our own choice."""


class Weekday(StrEnum):
    """A day of the week, in the order of ISO 8601."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEKDAYS = tuple(Weekday)


class LocalStart(NamedTuple):
    """A time of a day at the center."""

    on: date
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPattern(KeepsUnknown):
    """Times that a center publishes every week.

    Attributes:
        starts: The times of day, at the center.
        begins_on, ends_on: The first and the last day; no last day if it has no end.
        days_off: Days without any time of this pattern.
        extra: Further times on single days.
        is_removed: Whether the center removed it. Its row stays as long as someone is booked in it.
        version: Increases by one with each change; the ETag.
    """

    pattern_id: str
    center_id: str
    weekdays: tuple[Weekday, ...]
    starts: tuple[time, ...]
    minutes: int
    mode: VisitMode
    capacity: int
    begins_on: date
    ends_on: date | None = None
    days_off: tuple[date, ...] = ()
    extra: tuple[LocalStart, ...] = ()
    place: str | None = None
    contact: str | None = None
    is_removed: bool = False
    version: int = 1

    def list_local_starts(self, first: date, last: date) -> Iterator[LocalStart]:
        """List its times from one day to another, both included, each once, in order."""
        day, days_off, extra = max(first, self.begins_on), frozenset(self.days_off), frozenset(self.extra)
        end = min(last, self.ends_on) if self.ends_on else last
        while day <= end:
            starts = {each.at for each in extra if each.on == day}
            if _WEEKDAYS[day.weekday()] in self.weekdays and day not in days_off:
                starts.update(self.starts)
            yield from (LocalStart(day, at) for at in sorted(starts))
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternTimes:
    """What a pattern gives in a range of days.

    Attributes:
        starts: The times in UTC, in order.
        skipped: The times that do not exist, because the clocks of the center skip them.
    """

    starts: Mapping[datetime, LocalStart]
    skipped: Sequence[LocalStart]


def list_times(pattern: SlotPattern, *, time_zone: str, first: date, last: date) -> PatternTimes:
    """List the times of a pattern in UTC, from one local day to another, both included."""
    starts: dict[datetime, LocalStart] = {}
    skipped: list[LocalStart] = []
    for local in pattern.list_local_starts(first, last):
        moment = resolve_local_time(local.on, local.at, time_zone)
        if moment is None:
            skipped.append(local)
        else:
            starts[moment] = local
    return PatternTimes(starts=starts, skipped=skipped)
