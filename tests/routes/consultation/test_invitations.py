"""Notices, invitations and reminders of a consultation, from the booking to the email."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from tests.support.bookings import Booker, find_time, publish_slot, refer_accepted
from tests.support.service_driver import MailRecorder


@pytest.fixture
def postbox(api):
    """A mail service for this test; what earlier tests left is sent before."""
    send_mail(MailRecorder())
    return MailRecorder()


@pytest.fixture
def booker(api):
    return refer_accepted(api)


def send_mail(recorder, *, at=None, queue=TaskQueue.EVENT):
    context = replace(wiring.build_job_context(at), mailer=recorder)
    process_queue(queue, context=context)


def list_invitations(recorder):
    """Return each invitation as its recipient and its calendar."""
    found = []
    for message, _ in recorder.accepted:
        if message.calendar:
            calendar = icalendar.Calendar.from_ical(message.calendar.text)
            (event,) = calendar.walk("VEVENT")
            found.append((message.to, str(calendar["METHOD"]), event))
    return found


def read_titles(site, referral_id):
    items = site.get("/v1/notices?limit=100").json["items"]
    return [item["title"] for item in items if item["referral_id"] == referral_id]


def change_plan(api, referral_id, **data):
    occurred_at = wiring.read_clock().isoformat()
    body = {"type": "plan.changed", "referral_id": referral_id, "occurred_at": occurred_at}
    answer = api.deliver_raw(json.dumps({**body, "data": {"plan": "consultation", **data}}).encode())
    assert answer.json["status"] == "applied", answer.text


def test_both_teams_are_notified_and_invited(api, booker, postbox):
    booked = booker.book(publish_slot(api)).json
    send_mail(postbox)

    invitations = list_invitations(postbox)
    assert {to.partition("@")[2] for to, _, _ in invitations} == {"prc-cedar.example", "ctr-harbor.example"}
    assert {(method, int(event.decoded("SEQUENCE"))) for _, method, event in invitations} == {("REQUEST", 0)}
    assert {event.decoded("DTSTART") for _, _, event in invitations} == {datetime.fromisoformat(booked["starts_at"])}
    for site in (api.practice, api.center):
        assert "The consultation was booked or moved" in read_titles(site, booker.referral_id)


def test_each_invitation_goes_to_one_person(api, booker, postbox):
    booker.book(publish_slot(api))
    send_mail(postbox)

    for to, _, event in list_invitations(postbox):
        assert str(event["ATTENDEE"]) == f"mailto:{to}"


def test_an_invitation_names_no_center_place_or_patient(api, booker, postbox):
    booker.book(publish_slot(api, place="Pavilion 4"), note="Needs a lift.")
    send_mail(postbox)

    messages = [message for message, _ in postbox.accepted if message.calendar]
    text = "".join(f"{m.subject}{m.text}{m.html}{m.calendar.text}" for m in messages)
    assert not [word for word in ("Harbor", "Pavilion", "lift", "Ana", "Example", "CAR T infusion") if word in text]


def test_a_moved_consultation_keeps_its_uid_and_raises_its_sequence(api, booker, postbox):
    booker.book(publish_slot(api))
    send_mail(postbox)
    booker.book(publish_slot(api))
    send_mail(postbox)

    events = [event for _, _, event in list_invitations(postbox)]
    assert len({str(event["UID"]) for event in events}) == 1
    assert {int(event.decoded("SEQUENCE")) for event in events} == {0, 1}


def test_a_cancellation_is_sent_with_a_higher_sequence(api, booker, postbox):
    booker.book(publish_slot(api))
    send_mail(postbox)
    booker.cancel()
    send_mail(postbox)

    methods = {(method, int(event.decoded("SEQUENCE"))) for _, method, event in list_invitations(postbox)}
    assert methods == {("REQUEST", 0), ("CANCEL", 1)}
    for site in (api.practice, api.center):
        assert "The consultation was canceled" in read_titles(site, booker.referral_id)


def test_a_new_booking_after_a_cancellation_has_a_new_uid(api, booker, postbox):
    booker.book(publish_slot(api))
    booker.cancel()
    booker.book(publish_slot(api))
    send_mail(postbox)

    uids = {method: str(event["UID"]) for _, method, event in list_invitations(postbox)}
    assert uids["REQUEST"] != uids["CANCEL"]


def test_an_invitation_that_a_later_one_replaces_is_not_sent(api, booker, postbox):
    """Both were due in the same run; a calendar must not get them in the wrong order."""
    booker.book(publish_slot(api))
    booker.book(publish_slot(api))
    send_mail(postbox)

    assert {int(event.decoded("SEQUENCE")) for _, _, event in list_invitations(postbox)} == {1}


def test_an_invitation_is_sent_although_its_notice_was_read(api, booker, postbox):
    booker.book(publish_slot(api))
    process_queue(TaskQueue.EVENT, context=replace(wiring.build_job_context(), mailer=postbox, has_time=lambda: True))
    postbox.accepted.clear()
    booker.book(publish_slot(api))
    unread = api.practice.get("/v1/notices?limit=100").json["items"]
    api.practice.post("/v1/notices/read", {"notice_ids": [item["notice_id"] for item in unread]})
    send_mail(postbox)

    assert api.members["practice"].email in {to for to, _, _ in list_invitations(postbox)}


def test_the_center_s_own_date_invites_the_practice_only(api, booker, postbox):
    """The center has it in its own calendar."""
    change_plan(api, booker.referral_id, starts_at=find_time().isoformat())
    send_mail(postbox)

    assert {to.partition("@")[2] for to, _, _ in list_invitations(postbox)} == {"prc-cedar.example"}


def test_a_booking_that_the_center_moves_updates_both_calendars(api, booker, postbox):
    booker.book(publish_slot(api))
    send_mail(postbox)
    postbox.accepted.clear()
    change_plan(api, booker.referral_id, starts_at=find_time(days=9).isoformat())
    send_mail(postbox)

    assert {to.partition("@")[2] for to, _, _ in list_invitations(postbox)} == {
        "prc-cedar.example",
        "ctr-harbor.example",
    }
    assert {int(event.decoded("SEQUENCE")) for _, _, event in list_invitations(postbox)} == {1}


def test_a_death_cancels_the_entry_and_is_a_critical_notice_besides(api, booker, postbox):
    booker.book(publish_slot(api))
    send_mail(postbox)
    postbox.accepted.clear()
    api.deliver(booker.referral_id, "deceased")
    send_mail(postbox)

    assert {method for _, method, _ in list_invitations(postbox)} == {"CANCEL"}
    assert any("critical" in message.subject.lower() for message, _ in postbox.accepted)


def test_a_cancellation_reaches_calendars_although_a_death_is_reported_before_it_is_sent(api, booker, postbox):
    """Nothing else is emailed about what was before a death. A calendar would go on to show the visit."""
    booker.book(publish_slot(api))
    send_mail(postbox)
    postbox.accepted.clear()
    booker.cancel()
    api.deliver(booker.referral_id, "deceased")
    send_mail(postbox)

    invitations = list_invitations(postbox)
    assert {method for _, method, _ in invitations} == {"CANCEL"}
    assert {to.partition("@")[2] for to, _, _ in invitations} == {"prc-cedar.example", "ctr-harbor.example"}


def test_a_member_who_turned_status_emails_off_gets_no_invitation(api, booker, postbox):
    member = api.members["provider"]
    site = api.get_client_for(member)
    found = site.get("/v1/me/notification-preferences")
    known = found.json
    wanted = {name: known[name] for name in ("categories", "digest_hour", "quiet_hours", "time_zone")}
    wanted["categories"] = {**wanted["categories"], "journey": "never"}
    saved = site.put("/v1/me/notification-preferences", wanted, version=found.headers["etag"].strip('"'))
    assert saved.status == 200, saved.text
    booker.book(publish_slot(api))
    send_mail(postbox)

    assert member.email not in {to for to, _, _ in list_invitations(postbox)}
    wanted["categories"]["journey"] = "at_once"
    site.put("/v1/me/notification-preferences", wanted, version=saved.headers["etag"].strip('"'))


def test_both_teams_are_reminded_the_day_before(api, booker, postbox):
    booked = booker.book(publish_slot(api)).json
    send_mail(postbox)
    due_at = datetime.fromisoformat(booked["reminder_at"])
    send_mail(postbox, at=due_at + timedelta(hours=1), queue=TaskQueue.PLAN)

    for site in (api.practice, api.center):
        assert [title for title in read_titles(site, booker.referral_id) if title.startswith("Consultation reminder")]
    starts_at = datetime.fromisoformat(booked["starts_at"])
    assert timedelta(hours=22) < starts_at - due_at < timedelta(hours=50)


def test_a_moved_consultation_has_one_reminder_only(api, booker, postbox):
    first = booker.book(publish_slot(api, starts_at=find_time(days=5).isoformat())).json
    booker.book(publish_slot(api, starts_at=find_time(days=9).isoformat()))
    send_mail(postbox)
    at = datetime.fromisoformat(first["reminder_at"]) + timedelta(hours=1)
    send_mail(postbox, at=at, queue=TaskQueue.PLAN)

    titles = read_titles(api.practice, booker.referral_id)
    assert not [title for title in titles if title.startswith("Consultation reminder")]


def test_a_consultation_that_is_moved_away_and_back_is_reminded(api, booker, postbox):
    first = publish_slot(api, starts_at=find_time(days=5).isoformat())
    booked = booker.book(first).json
    booker.book(publish_slot(api, starts_at=find_time(days=9).isoformat()))
    assert booker.book(first).status == 200
    send_mail(postbox)
    at = datetime.fromisoformat(booked["reminder_at"]) + timedelta(hours=1)
    send_mail(postbox, at=at, queue=TaskQueue.PLAN)

    titles = read_titles(api.practice, booker.referral_id)
    assert [title for title in titles if title.startswith("Consultation reminder")]


def test_the_feed_and_the_file_have_the_entry_of_the_invitation(api, booker, postbox):
    """So a subscriber who was invited does not see two."""
    booker.book(publish_slot(api))
    send_mail(postbox)
    invited = {str(event["UID"]) for _, _, event in list_invitations(postbox)}
    feed = api.practice.post("/v1/me/calendar", None).json["url"]
    texts = [
        api.anyone.get(urlsplit(feed).path).text,
        api.practice.get(f"{booker.path}.ics").text,
        api.practice.get(f"/v1/referrals/{booker.referral_id}/follow-up.ics").text,
    ]

    for text in texts:
        events = icalendar.Calendar.from_ical(text).walk("VEVENT")
        (found,) = [event for event in events if str(event["UID"]) in invited]
        assert int(found.decoded("SEQUENCE")) == 0
        assert found.decoded("DTEND") - found.decoded("DTSTART") == timedelta(hours=1)
        assert found.decoded("DTSTART").tzinfo is UTC or found.decoded("DTSTART").utcoffset() == timedelta()


def test_a_canceled_consultation_is_in_no_calendar(api, booker):
    booker.book(publish_slot(api))
    booker.cancel()
    alias = api.practice.get(f"/v1/referrals/{booker.referral_id}").json["alias"]

    feed = api.practice.post("/v1/me/calendar", None).json["url"]
    events = icalendar.Calendar.from_ical(api.anyone.get(urlsplit(feed).path).text).walk("VEVENT")

    assert [event for event in events if str(event["SUMMARY"]).startswith(f"{alias}:")] == []
    assert api.practice.get(f"/v1/referrals/{booker.referral_id}/follow-up.ics").status == 404
    assert api.practice.get(f"{booker.path}.ics").status == 404


def test_there_is_no_file_without_a_consultation(booker):
    assert booker.site.get(f"{booker.path}.ics").status == 404


def test_a_question_for_a_time_notifies_the_center_only(api, booker, postbox):
    booker.ask(preferred_days=["friday"])
    send_mail(postbox)

    assert "The practice asks for a consultation time" in read_titles(api.center, booker.referral_id)
    assert "The practice asks for a consultation time" not in read_titles(api.practice, booker.referral_id)
    assert list_invitations(postbox) == []


def test_a_booking_by_the_center_notifies_the_practice_too(api, booker, postbox):
    Booker(api.center, booker.referral_id).book(publish_slot(api))
    send_mail(postbox)

    assert "The consultation was booked or moved" in read_titles(api.practice, booker.referral_id)


def test_no_one_is_invited_to_a_time_that_is_past(api, booker, postbox):
    """As for a patient who is already on the way."""
    before = (wiring.read_clock() - timedelta(minutes=5)).isoformat()
    change_plan(api, booker.referral_id, starts_at=before)
    send_mail(postbox)

    assert list_invitations(postbox) == []
