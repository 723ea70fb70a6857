"""Invitations to a consultation as iCalendar (RFC 5545, RFC 5546).

Each message has one VEVENT and one recipient. METHOD is in the calendar and in the type of the part that
carries it, because programs read only one of the two. Times are in UTC, so no time zone has to be described.
For privacy, an invitation has the alias, a neutral title and the time, and nothing else about the patient:
no center, no place, no diagnosis.

The library is imported when an invitation is built, because it would add 30 ms to a cold start.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from chalicelib.domain.consultation.invitations import CalendarInvitation, InvitationMethod
from chalicelib.domain.handback.calendar_entries import PLAN_TITLES
from chalicelib.domain.referrals.plan_terms import PlanKind, VisitMode

if TYPE_CHECKING:
    from icalendar import Event

UID_DOMAIN = "car-t-referral-dashboard"
PRODID = "-//CAR T Referral Dashboard//Consultation//EN"

_PLACES = {
    VisitMode.IN_PERSON: "In person: sign in for the address",
    VisitMode.TELEHEALTH: "Video: sign in for the link",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPart:
    """The calendar of an email, and its method."""

    text: str
    method: str


def build_invitation_part(
    invitation: CalendarInvitation, *, alias: str, sender: str, recipient: str, link: str, now: datetime
) -> CalendarPart:
    """Build the calendar of one message.

    Args:
        invitation: What it says.
        alias: The patient's alias.
        sender: The address of ours that sends the email. Programs trust an update only from the organizer.
        recipient: The one person who is invited.
        link: Where to sign in.
        now: When the message is made; DTSTAMP is new with each message.
    """
    from icalendar import Calendar, vCalAddress  # noqa: PLC0415 few emails need it

    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", invitation.method.value)
    event = build_event(invitation, alias=alias, link=link, stamped_at=now)
    event.add("organizer", vCalAddress(f"mailto:{parseaddr(sender)[1]}"))
    attendee = vCalAddress(f"mailto:{recipient}")
    attendee.params.update({"RSVP": "FALSE", "PARTSTAT": "NEEDS-ACTION", "ROLE": "REQ-PARTICIPANT"})
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return CalendarPart(text=calendar.to_ical().decode(), method=invitation.method.value)


def build_appointment_file(invitation: CalendarInvitation, *, alias: str, link: str, stamped_at: datetime) -> str:
    """Build a file to import: the same entry, without an organizer who would send updates."""
    from icalendar import Calendar  # noqa: PLC0415 as above

    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add_component(build_event(invitation, alias=alias, link=link, stamped_at=stamped_at))
    text: str = calendar.to_ical().decode()
    return text


def build_event(invitation: CalendarInvitation, *, alias: str, link: str, stamped_at: datetime) -> "Event":
    """Build the entry that all messages about an appointment share."""
    from icalendar import Event  # noqa: PLC0415 as above

    event = Event()
    event.add("uid", build_uid(invitation.uid))
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", stamped_at.astimezone(UTC))
    for name, value in _build_times(invitation).items():
        event.add(name, value)
    event.add("summary", f"{alias}: {PLAN_TITLES[PlanKind.CONSULTATION]}")
    event.add("description", f"Sign in for details: {link}")
    if invitation.mode:
        event.add("location", _PLACES[invitation.mode])
    event.add("status", "CANCELLED" if invitation.method is InvitationMethod.CANCEL else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event


def build_uid(uid: str) -> str:
    """Build the UID of an entry; the feed has the same one, so that a subscriber does not see two."""
    return f"{uid}@{UID_DOMAIN}"


def _build_times(invitation: CalendarInvitation) -> dict[str, Any]:
    if invitation.starts_at:
        starts_at = invitation.starts_at.astimezone(UTC)
        times: dict[str, Any] = {"dtstart": starts_at}
        # Of a time that the center set itself, the length is not known.
        return times | ({"dtend": starts_at + timedelta(minutes=invitation.minutes)} if invitation.minutes else {})
    if invitation.on is None:
        raise ValueError("an invitation needs a time or a day")
    return {"dtstart": invitation.on, "dtend": invitation.on + timedelta(days=1)}


def build_raw_mail(
    *, sender: str, to: str, subject: str, text: str, html: str, calendar: CalendarPart, headers: dict[str, str]
) -> bytes:
    """Build a MIME message: text, HTML and calendar as alternatives, and the calendar as an attachment too."""
    # The calendar is the last alternative, because programs show the last one that they understand.
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    message.add_alternative(calendar.text, subtype="calendar", params={"method": calendar.method})
    message.add_attachment(
        calendar.text.encode(),
        maintype="text",
        subtype="calendar",
        filename="invite.ics",
        params={"method": calendar.method, "charset": "utf-8"},
    )
    return message.as_bytes()
