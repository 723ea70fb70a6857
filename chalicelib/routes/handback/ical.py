"""The follow-up as iCalendar (RFC 5545), in words that any calendar may see.

Files and feeds end up in calendars of third parties, so an entry says the practice's nickname
for the patient and what kind of day it is, and nothing else. The library is fetched when a
calendar is asked for: it is 30 ms of a cold start.
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
    FollowUpDateKind.CENTER_VISIT: "Visit elsewhere",
    FollowUpDateKind.VISIT: "Visit due",
    FollowUpDateKind.CARE_POINT: "Task due",
    FollowUpDateKind.UNTIL: "Date to check",
}
"""All that a calendar is told of a day."""

_HOURS_12 = timedelta(hours=12)
_PRODID = "-//CAR T Referral Dashboard//Follow-up//EN"


def build_calendar(entries: Iterable[tuple[Referral, FollowUpDate]], *, name: str) -> ApiResponse:
    """A calendar of whole days as a file that clients subscribe to or take in."""
    from icalendar import Calendar  # noqa: PLC0415 few requests need it

    made = Calendar()
    made.add("prodid", _PRODID)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", "Follow-up")
    # How often to come again: as RFC 7986 spells it, and as older programs read it.
    made.add("refresh-interval", _HOURS_12, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT12H")
    for referral, day in entries:
        made.add_component(_build_event(referral, day))
    return ApiResponse(
        body=made.to_ical().decode(),
        headers={
            "Content-Type": "text/calendar; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.ics"',
        },
    )


def _build_event(referral: Referral, day: FollowUpDate) -> "Event":
    """One whole day. Its UID stays when the day moves, and SEQUENCE grows with each change."""
    from icalendar import Event  # noqa: PLC0415 as above

    event = Event()
    uid = derive_id("cal", referral.referral_id, day.key)
    event.add("uid", f"{uid}@car-t-referral-dashboard")
    event.add("sequence", referral.version)
    # When it last changed, not when it was asked for: the same days are the same bytes.
    event.add("dtstamp", referral.updated_at)
    event.add("dtstart", day.on)
    event.add("dtend", day.on + timedelta(days=1))
    event.add("summary", f"{referral.alias}: {NEUTRAL_TITLES[day.kind]}")
    event.add("description", f"Sign in for what it is about: {wiring.get_settings().public_url}")
    event.add("transp", "TRANSPARENT")
    event.add("class", "PRIVATE")
    return event
