"""The planned and follow-up dates as iCalendar (RFC 5545), in words that any calendar can show.

`chalicelib.domain.handback.calendar_entries` decides what an entry says. The library is imported when a
calendar is requested, because it would add 30 ms to a cold start.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chalicelib import wiring
from chalicelib.domain.handback.calendar_entries import CalendarEntry
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.mail.invitation import build_uid
from chalicelib.routes.platform.endpoint import ApiResponse

if TYPE_CHECKING:
    from icalendar import Event

_HOURS_12 = timedelta(hours=12)
_PRODID = "-//CAR T Referral Dashboard//Follow-up//EN"


def build_calendar(entries: Iterable[tuple[Referral, CalendarEntry]], *, name: str) -> ApiResponse[str]:
    """Build a calendar as a file that clients subscribe to or import."""
    from icalendar import Calendar  # noqa: PLC0415 few requests need it

    calendar = Calendar()
    calendar.add("prodid", _PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", "Follow-up")
    # How often to refresh: as RFC 7986 defines it, and as older programs read it.
    calendar.add("refresh-interval", _HOURS_12, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT12H")
    for referral, entry in entries:
        calendar.add_component(_build_event(referral, entry))
    return ApiResponse(
        body=calendar.to_ical().decode(),
        headers={
            "Content-Type": "text/calendar; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.ics"',
        },
    )


def _build_event(referral: Referral, entry: CalendarEntry) -> "Event":
    """Build one event. Its UID stays when the date moves, and SEQUENCE grows with each change.

    A time is in UTC. Only a booked consultation has an end, because no one reports how long another visit takes.
    """
    from icalendar import Event  # noqa: PLC0415 as above

    event = Event()
    event.add("uid", build_uid(entry.uid or derive_id("cal", referral.referral_id, entry.key)))
    event.add("sequence", entry.sequence if entry.uid else referral.version)
    # When it last changed, not when it was requested: the same dates give the same bytes.
    event.add("dtstamp", referral.updated_at)
    if entry.starts_at is None:
        event.add("dtstart", entry.on)
        event.add("dtend", entry.on + timedelta(days=1))
    else:
        event.add("dtstart", entry.starts_at)
        if entry.minutes:
            event.add("dtend", entry.starts_at + timedelta(minutes=entry.minutes))
    event.add("summary", f"{referral.alias}: {entry.title}")
    event.add("description", _describe(entry))
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event


def _describe(entry: CalendarEntry) -> str:
    link = f"Sign in for details: {wiring.get_settings().public_url}"
    if entry.starts_at is None:
        return link
    local = entry.starts_at.astimezone(ZoneInfo(entry.time_zone))
    # Programs show the reader's own time, so the center's is in the text.
    return f"{local:%I:%M %p} {local:%Z} at the center ({entry.time_zone}). {link}".removeprefix("0")
