"""Invitations to a consultation, read by two parsers that do not know each other."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP

import icalendar
import pytest
import vobject

from chalicelib.domain.consultation.invitations import CalendarInvitation, InvitationMethod
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.mail.invitation import build_appointment_file, build_invitation_part, build_raw_mail

SENDER = "CAR T Referrals <notices@dashboard.example>"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STARTS_AT = datetime(2026, 12, 9, 17, 0, tzinfo=UTC)
REQUEST = CalendarInvitation(
    uid="a" * 26,
    sequence=2,
    method=InvitationMethod.REQUEST,
    starts_at=STARTS_AT,
    on=None,
    minutes=60,
    mode=VisitMode.TELEHEALTH,
    with_center=True,
)
CANCEL = replace(REQUEST, method=InvitationMethod.CANCEL, sequence=3)


def build_part(invitation=REQUEST, **changed):
    fields = {"alias": "Blue Heron", "sender": SENDER, "recipient": "ana@cedar.example", "link": "https://d.example"}
    return build_invitation_part(invitation, **{**fields, **changed}, now=NOW)


def read_with_icalendar(text):
    calendar = icalendar.Calendar.from_ical(text)
    (event,) = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event.decoded("SEQUENCE")),
        "starts_at": event.decoded("DTSTART"),
        "ends_at": event.decoded("DTEND"),
        "stamped_at": event.decoded("DTSTAMP"),
        "summary": str(event["SUMMARY"]),
        "status": str(event["STATUS"]),
        "organizer": str(event["ORGANIZER"]),
        "attendee": str(event["ATTENDEE"]),
    }


def read_with_vobject(text):
    calendar = vobject.readOne(text)
    (event,) = calendar.vevent_list
    return {
        "method": calendar.method.value,
        "uid": event.uid.value,
        "sequence": int(event.sequence.value),
        "starts_at": event.dtstart.value,
        "ends_at": event.dtend.value,
        "stamped_at": event.dtstamp.value,
        "summary": event.summary.value,
        "status": event.status.value,
        "organizer": event.organizer.value,
        "attendee": event.attendee.value,
    }


@pytest.mark.parametrize("invitation", [REQUEST, CANCEL], ids=lambda each: each.method)
@pytest.mark.parametrize("read", [read_with_icalendar, read_with_vobject])
def test_both_parsers_read_the_same_invitation(read, invitation):
    found = read(build_part(invitation).text)

    assert found == {
        "method": invitation.method,
        "uid": f"{'a' * 26}@car-t-referral-dashboard",
        "sequence": invitation.sequence,
        "starts_at": STARTS_AT,
        "ends_at": STARTS_AT + timedelta(hours=1),
        "stamped_at": NOW,
        "summary": "Blue Heron: Appointment",
        "status": "CANCELLED" if invitation.method == "CANCEL" else "CONFIRMED",
        "organizer": "mailto:notices@dashboard.example",
        "attendee": "mailto:ana@cedar.example",
    }


def test_a_cancellation_has_the_same_uid_and_organizer():
    """Otherwise the entry stays in the calendar."""
    request, cancel = read_with_icalendar(build_part().text), read_with_icalendar(build_part(CANCEL).text)

    assert {name for name in request if request[name] != cancel[name]} == {"method", "sequence", "status"}


def test_times_are_in_utc_and_need_no_time_zone():
    text = build_part().text

    assert "DTSTART:20261209T170000Z\r\n" in text
    assert "DTSTAMP:20261120T093000Z\r\n" in text
    assert "VTIMEZONE" not in text
    assert "TZID" not in text


def test_the_recipient_is_not_asked_for_an_answer():
    text = build_part().text.replace("\r\n ", "")

    assert "RSVP=FALSE" in text
    assert "PARTSTAT=NEEDS-ACTION" in text


def test_lines_are_short_and_end_as_the_standard_says():
    text = build_part(alias="Übergroße Rohrdommel " * 5).text

    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert "" not in lines
    assert all("\n" not in line and len(line.encode()) <= 75 for line in lines)


@pytest.mark.parametrize("read", [icalendar.Calendar.from_ical, vobject.readOne])
def test_a_day_without_a_time_is_a_whole_day(read):
    whole_day = replace(REQUEST, starts_at=None, on=date(2026, 12, 9), minutes=None)
    text = build_part(whole_day).text

    assert read(text)
    assert "DTSTART;VALUE=DATE:20261209\r\nDTEND;VALUE=DATE:20261210\r\n" in text


def test_an_alias_cannot_add_a_line():
    text = build_part(alias="Heron\r\nATTENDEE:mailto:evil@evil.example").text

    (event,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(event["ATTENDEE"]) == "mailto:ana@cedar.example"


def test_a_file_to_import_has_no_organizer_and_no_method():
    text = build_appointment_file(REQUEST, alias="Blue Heron", link="https://d.example", stamped_at=NOW)

    assert not any(word in text for word in ("METHOD", "ORGANIZER", "ATTENDEE"))
    assert f"UID:{'a' * 26}@car-t-referral-dashboard\r\n" in text


@pytest.fixture
def message():
    raw = build_raw_mail(
        sender=SENDER,
        to="ana@cedar.example",
        subject="Blue Heron: an appointment was planned or moved",
        text="Text",
        html="<p>Text",
        calendar=build_part(CANCEL),
        headers={"List-Unsubscribe": "<https://d.example/u>"},
    )
    return message_from_bytes(raw, policy=SMTP)


def test_the_calendar_is_the_last_alternative_and_an_attachment(message):
    alternatives, attachment = message.iter_parts()

    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in alternatives.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    assert (attachment.get_content_type(), attachment.get_filename()) == ("text/calendar", "invite.ics")


def test_the_method_is_in_the_type_of_both_calendar_parts(message):
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]

    assert [part.get_param("method") for part in parts] == ["CANCEL", "CANCEL"]
    assert [part.get_content_charset() for part in parts] == ["utf-8", "utf-8"]


def test_the_calendar_arrives_as_it_was_built(message):
    texts = [
        part.get_payload(decode=True).decode() for part in message.walk() if part.get_content_subtype() == "calendar"
    ]

    assert [read_with_vobject(text)["sequence"] for text in texts] == [3, 3]
    assert [read_with_icalendar(text)["method"] for text in texts] == ["CANCEL", "CANCEL"]


def test_the_sender_is_the_organizer(message):
    """Programs take an update only from the organizer."""
    assert message["From"] == SENDER
    assert message["To"] == "ana@cedar.example"
    assert message["List-Unsubscribe"] == "<https://d.example/u>"
