"""Planned dates in the calendar file of a referral and in the feed of a member."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from chalicelib import wiring
from tests.routes.referrals.test_care_events import report

DAY = timedelta(days=1)


def read_events(answer):
    return list(Calendar.from_ical(answer.text).walk("VEVENT"))


def in_days(days):
    return (wiring.read_clock() + days * DAY).date()


def plan(world, referral_id, kind="consultation", **data):
    answer = report(world, referral_id, "plan.changed", {"plan": kind, **data})
    assert answer.json["status"] == "applied", answer.text


def read_file(world, referral_id, side="practice"):
    return getattr(world, side).get(f"/v1/referrals/{referral_id}/follow-up.ics")


def read_feed(world, side="practice"):
    address = urlsplit(getattr(world, side).post("/v1/me/calendar", None).json["url"]).path
    return read_events(world.anyone.get(address))


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer(patient__alias="Calm Avocet")["referral_id"]


def test_a_referral_without_any_date_has_no_file(shared_api, referral_id):
    """There is nothing to put into a calendar."""
    assert read_file(shared_api, referral_id).status == 404


def test_a_planned_time_is_in_utc_and_names_the_zone(shared_api, referral_id):
    """The reader's program shows the reader's time, so the text has the center's."""
    starts_at = f"{in_days(20)}T15:30:00Z"
    plan(shared_api, referral_id, starts_at=starts_at)

    [event] = read_events(read_file(shared_api, referral_id))

    local = datetime.fromisoformat(starts_at).astimezone(ZoneInfo("America/New_York"))
    assert event.start == datetime.fromisoformat(starts_at).astimezone(UTC)
    assert f"DTSTART:{in_days(20):%Y%m%d}T153000Z" in read_file(shared_api, referral_id).text
    assert str(event["description"]).startswith(f"{local:%I:%M %p %Z} at the center (America/New_York). Sign in")


def test_a_planned_day_is_a_whole_day(shared_api, referral_id):
    """From its start to the start of the next day."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())

    [event] = read_events(read_file(shared_api, referral_id))

    assert (event.start, event.end) == (in_days(20), in_days(21))


@pytest.mark.parametrize(
    ("kind", "title"), [("infusion", "Appointment"), ("leukapheresis", "Appointment"), ("delivery", "Delivery")]
)
def test_a_title_does_not_say_what_the_visit_is_for(shared_api, referral_id, kind, title):
    """The calendar may be shared with people who know whom the alias means."""
    plan(shared_api, referral_id, kind, on=in_days(20).isoformat(), place="Ward 9", contact="Desk 4")

    [event] = read_events(read_file(shared_api, referral_id))

    assert str(event["summary"]) == f"Calm Avocet: {title}"
    assert "Ward 9" not in event.to_ical().decode()
    assert "Desk 4" not in event.to_ical().decode()


def test_a_moved_date_keeps_its_uid_and_grows_in_sequence(shared_api, referral_id):
    """So a program moves the entry."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())
    [before] = read_events(read_file(shared_api, referral_id))
    plan(shared_api, referral_id, starts_at=f"{in_days(22)}T15:30:00Z")
    [after] = read_events(read_file(shared_api, referral_id))

    assert after["uid"] == before["uid"]
    assert after["sequence"] > before["sequence"]
    assert after.start.date() == in_days(22)


@pytest.mark.parametrize("side", ["practice", "center"])
def test_a_planned_date_is_in_the_feed_of_both_sides_before_the_infusion(shared_api, referral_id, side):
    """The consultation is months before the first follow-up date."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())
    [of_file] = read_events(read_file(shared_api, referral_id))

    assert of_file["uid"] in {event["uid"] for event in read_feed(shared_api, side)}


def test_a_planned_date_is_not_in_the_feed_of_others(shared_api, referral_id):
    """Neither is the file."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())
    [of_file] = read_events(read_file(shared_api, referral_id))

    assert read_file(shared_api, referral_id, "other_practice").status == 404
    for side in ("other_practice", "other_center"):
        assert of_file["uid"] not in {event["uid"] for event in read_feed(shared_api, side)}


def test_a_canceled_date_leaves_both_calendars(shared_api, referral_id):
    """A program removes what the feed no longer has."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())
    [canceled] = read_events(read_file(shared_api, referral_id))
    plan(shared_api, referral_id, "infusion", on=in_days(60).isoformat())
    plan(shared_api, referral_id, canceled=True)

    [event] = read_events(read_file(shared_api, referral_id))

    assert event.start == in_days(60)
    in_feed = {each["uid"] for each in read_feed(shared_api)}
    assert (event["uid"] in in_feed, canceled["uid"] in in_feed) == (True, False)


def test_after_a_death_no_planned_date_is_left(shared_api, referral_id):
    """In either calendar."""
    plan(shared_api, referral_id, on=in_days(20).isoformat())
    [before] = read_events(read_file(shared_api, referral_id))
    assert report(shared_api, referral_id, "stage.changed", {"stage": "deceased"}).status == 200

    assert read_file(shared_api, referral_id).status == 404
    assert before["uid"] not in {event["uid"] for event in read_feed(shared_api)}


def test_a_file_of_a_returned_patient_still_counts_from_the_infusion(shared_api):
    """Follow-up dates and planned dates are in the same file."""
    from tests.routes.handback.test_calendar_feeds import return_referral

    path = return_referral(shared_api)
    days = {event.start for event in read_events(shared_api.practice.get(f"{path}/follow-up.ics"))}

    assert date(2026, 12, 8) in days
