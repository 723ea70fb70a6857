"""Times of day in a center's time zone, on the days on which its clocks change.

In spring an hour does not exist, so a time in it is no time at all. In autumn an hour comes twice; a time
in it means the first one, so that it is offered once.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def resolve_local_time(on: date, at: time, time_zone: str) -> datetime | None:
    """Convert a time of a local day to UTC; None if the clocks skip this time on that day."""
    zone = ZoneInfo(time_zone)
    written = datetime.combine(on, at)
    # `fold=0` is the first of two.
    moment = written.replace(tzinfo=zone, fold=0).astimezone(UTC)
    exists = moment.astimezone(zone).replace(tzinfo=None) == written
    return moment if exists else None
