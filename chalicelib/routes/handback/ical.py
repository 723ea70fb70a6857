"""The follow-up dates as iCalendar (RFC 5545), in words that any calendar can show.

Files and feeds end up in calendars of third parties, so an entry has the practice's alias for the
patient and the kind of day, and nothing else. The library is imported when a calendar is
requested, because it would add 30 ms to a cold start.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.domain.handback.follow_up_dates import FollowUpDate, FollowUpDateKind
from chalicelib.domain.referrals.events import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.platform.endpoint import ApiResponse

if TYPE_CHECKING:
    from icalendar import Event

NEUTRAL_TITLES: Mapping[FollowUpDateKind, str] = {
    FollowUpDateKind.FIRST_VISIT: "First visit",
    FollowUpDateKind.CENTER_VISIT: "Visit at another site",
    FollowUpDateKind.VISIT: "Visit due",
    FollowUpDateKind.CARE_POINT: "Task due",
    FollowUpDateKind.UNTIL: "Date to review",
}
"""All that a calendar entry says about a day."""

_HOURS_12 = timedelta(hours=12)
_PRODID = "-//CAR T Referral Dashboard//Follow-up//EN"


def build_calendar(entries: Iterable[tuple[Referral, FollowUpDate]], *, name: str) -> ApiResponse[str]:
    """Build a calendar of whole days as a file that clients subscribe to or import."""
    from icalendar import Calendar  # noqa: PLC0415 few requests need it

    calendar = Calendar()
    calendar.add("prodid", _PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", "Follow-up")
    # How often to refresh: as RFC 7986 defines it, and as older programs read it.
    calendar.add("refresh-interval", _HOURS_12, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT12H")
    for referral, day in entries:
        calendar.add_component(_build_event(referral, day))
    return ApiResponse(
        body=calendar.to_ical().decode(),
        headers={
            "Content-Type": "text/calendar; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.ics"',
        },
    )


def _build_event(referral: Referral, day: FollowUpDate) -> "Event":
    """Build one whole day. Its UID stays when the day moves, and SEQUENCE grows with each change."""
    from icalendar import Event  # noqa: PLC0415 as above

    event = Event()
    uid = derive_id("cal", referral.referral_id, day.key)
    event.add("uid", f"{uid}@car-t-referral-dashboard")
    event.add("sequence", referral.version)
    # When it last changed, not when it was requested: the same days give the same bytes.
    event.add("dtstamp", referral.updated_at)
    event.add("dtstart", day.on)
    event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", f"{referral.alias}: {NEUTRAL_TITLES[day.kind]}")
    event.add("description", f"Sign in for details: {wiring.get_settings().public_url}")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event
