"""A booking and what the center reports set the same fact, so there is always one consultation."""

import json
from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.bookings import Booker, count_free_seats, find_time, publish_slot, refer_accepted


@pytest.fixture
def booker(api):
    return refer_accepted(api)


@pytest.fixture
def slot_id(api):
    return publish_slot(api, place="Clinic 4")


def get_plan(api, referral_id):
    plans = api.practice.get(f"/v1/referrals/{referral_id}").json["plans"]
    return next(plan for plan in plans if plan["plan"] == "consultation")


def change_plan(api, referral_id, **data):
    body = {
        "type": "plan.changed",
        "referral_id": referral_id,
        "occurred_at": data.pop("occurred_at", None) or wiring.read_clock().isoformat(),
        "data": {"plan": "consultation", **data},
    }
    answer = api.deliver_raw(json.dumps(body).encode())
    assert answer.status == 200, answer.text
    return answer.json


def count_open_consultations(api, referral_id):
    plans = api.practice.get(f"/v1/referrals/{referral_id}").json["plans"]
    return sum(plan["plan"] == "consultation" and plan["open"] for plan in plans)


def test_a_report_of_the_booked_time_is_recorded_only(api, booker, slot_id):
    booked = booker.book(slot_id).json

    answer = api.deliver(booker.referral_id, "consult_scheduled", starts_at=booked["starts_at"])

    assert answer.json["status"] == "recorded"
    after = booker.read()
    assert (after["slot_id"], after["place"]) == (slot_id, "Clinic 4")


def test_a_person_of_the_center_who_reports_the_booked_time_notifies_no_one(api, booker, slot_id):
    booked = booker.book(slot_id).json
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "consult_scheduled", "starts_at": booked["starts_at"]},
    }

    answer = api.center.post(f"/v1/referrals/{booker.referral_id}/events", event)

    assert answer.json["status"] == "recorded"


def test_a_report_of_another_time_moves_the_consultation_and_frees_the_seat(api, booker, slot_id):
    booker.book(slot_id)
    other = find_time(days=9).isoformat()

    assert api.deliver(booker.referral_id, "consult_scheduled", starts_at=other).json["status"] == "applied"

    after = booker.read()
    assert (after["state"], after["slot_id"], after["source"]) == ("booked", None, "center_event")
    assert count_free_seats(api, slot_id) == 1
    assert count_open_consultations(api, booker.referral_id) == 1


def test_a_report_of_another_place_moves_the_consultation_and_frees_the_seat(api, booker, slot_id):
    booked = booker.book(slot_id).json

    change_plan(api, booker.referral_id, starts_at=booked["starts_at"], place="Clinic 9")

    assert (booker.read()["place"], booker.read()["slot_id"]) == ("Clinic 9", None)
    assert count_free_seats(api, slot_id) == 1


def test_a_status_without_a_time_keeps_the_booked_time(api):
    """The status is new, because the booking came before the acceptance."""
    booker = Booker(api.practice, api.refer()["referral_id"])
    slot_id = publish_slot(api)
    booker.book(slot_id)
    api.move_to(booker.referral_id, "received", "accepted", "consult_scheduled")

    assert booker.read()["slot_id"] == slot_id
    assert api.get_stage(booker.referral_id) == "consult_scheduled"


def test_a_report_without_a_booking_sets_the_date_and_takes_no_seat(api, booker, slot_id):
    api.deliver(booker.referral_id, "consult_scheduled", starts_at=find_time().isoformat())

    after = booker.read()
    assert (after["state"], after["source"], after["slot_id"]) == ("booked", "center_event", None)
    assert count_free_seats(api, slot_id) == 1


def test_a_day_without_a_time_is_a_consultation_too(api, booker):
    on = find_time().date().isoformat()
    change_plan(api, booker.referral_id, on=on)

    assert (booker.read()["on"], booker.read()["starts_at"]) == (on, None)


def test_a_booking_does_not_replace_the_center_s_own_date_unasked(api, booker, slot_id):
    change_plan(api, booker.referral_id, starts_at=find_time(days=5).isoformat())

    answer = booker.book(slot_id)

    assert (answer.status, answer.json["code"]) == (409, "consultation_planned")
    assert count_free_seats(api, slot_id) == 1


def test_the_center_s_own_date_can_be_rescheduled_to_a_published_time(api, booker, slot_id):
    change_plan(api, booker.referral_id, starts_at=find_time(days=5).isoformat())

    assert booker.book(slot_id, reschedule=True).json["slot_id"] == slot_id
    assert count_open_consultations(api, booker.referral_id) == 1


def test_a_rescheduling_counts_although_the_center_s_clock_is_ahead(api, booker, slot_id):
    ahead = (wiring.read_clock() + timedelta(minutes=8)).isoformat()
    change_plan(api, booker.referral_id, starts_at=find_time(days=5).isoformat(), occurred_at=ahead)

    booked = booker.book(slot_id, reschedule=True)

    assert booked.status == 200, booked.text
    assert get_plan(api, booker.referral_id)["starts_at"] == booked.json["starts_at"]


def test_a_cancellation_by_the_center_s_system_frees_the_seat(api, booker, slot_id):
    booker.book(slot_id)

    change_plan(api, booker.referral_id, canceled=True)

    assert booker.read()["state"] == "canceled"
    assert count_free_seats(api, slot_id) == 1
    assert api.get_stage(booker.referral_id) == "consult_scheduled"


def test_the_practice_can_cancel_the_center_s_own_date(api, booker):
    change_plan(api, booker.referral_id, starts_at=find_time().isoformat())

    assert booker.cancel(reason="patient_cannot_attend").json["state"] == "canceled"
    assert get_plan(api, booker.referral_id)["canceled"]


def test_a_late_report_from_before_the_booking_is_history(api, booker, slot_id):
    booked = booker.book(slot_id).json
    yesterday = (wiring.read_clock() - timedelta(hours=12)).isoformat()

    change_plan(api, booker.referral_id, starts_at=find_time(days=3).isoformat(), occurred_at=yesterday)

    assert booker.read()["slot_id"] == slot_id
    assert get_plan(api, booker.referral_id)["starts_at"] == booked["starts_at"]


def test_a_no_show_keeps_the_seat_used_and_allows_a_new_booking(api, booker, slot_id):
    booker.book(slot_id)
    api.deliver(booker.referral_id, "consult_scheduled", reason_code="no_show")

    missed = booker.read()
    again = booker.book(publish_slot(api, starts_at=find_time(days=10).isoformat()))

    assert missed["state"] == "no_show"
    assert count_free_seats(api, slot_id) == 0
    assert again.json["state"] == "booked"
    rows = api.practice.get("/v1/referrals?worklist=no_show_or_cancelled").json["items"]
    assert booker.referral_id not in {row["referral_id"] for row in rows}


def list_worklists(api, side, referral_id):
    site = getattr(api, side)
    names = ("needs_my_action", "awaiting_booking", "no_show_or_cancelled")
    rows = {name: site.get(f"/v1/referrals?worklist={name}").json["items"] for name in names}
    return {name for name in names if referral_id in {row["referral_id"] for row in rows[name]}}


def report_no_show(api, referral_id, **more):
    answer = api.deliver(referral_id, "consult_scheduled", reason_code="no_show", **more)
    assert answer.status == 200, answer.text
    return answer.json


def test_after_a_no_show_the_practice_acts_next(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)

    assert api.practice.get(f"/v1/referrals/{booker.referral_id}").json["clock"]["owner"] == "practice"
    assert list_worklists(api, "practice", booker.referral_id) == {"needs_my_action", "no_show_or_cancelled"}


def test_after_a_no_show_the_center_acts_on_what_the_practice_asked(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)
    booker.ask()

    assert api.practice.get(f"/v1/referrals/{booker.referral_id}").json["clock"]["owner"] == "center"


@pytest.mark.parametrize("as_status", [True, False])
def test_a_date_that_the_center_sets_after_a_no_show_ends_it(api, booker, slot_id, as_status):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)
    starts_at = find_time(days=11).isoformat()
    if as_status:
        api.deliver(booker.referral_id, "consult_scheduled", starts_at=starts_at)
    else:
        change_plan(api, booker.referral_id, starts_at=starts_at)

    assert booker.read()["state"] == "booked"
    assert api.practice.get(f"/v1/referrals/{booker.referral_id}").json["outcome"] is None
    assert list_worklists(api, "practice", booker.referral_id) == set()
    assert list_worklists(api, "center", booker.referral_id) == {"needs_my_action"}


def test_a_new_date_can_be_missed_too(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)
    change_plan(api, booker.referral_id, starts_at=find_time(days=11).isoformat())
    report_no_show(api, booker.referral_id)

    assert booker.read()["state"] == "no_show"
    assert "no_show_or_cancelled" in list_worklists(api, "practice", booker.referral_id)


def test_a_late_no_show_is_about_the_earlier_booking(api, booker, slot_id):
    booker.book(slot_id)
    missed_at = wiring.read_clock().isoformat()
    booker.book(publish_slot(api, starts_at=find_time(days=10).isoformat()))

    assert report_no_show(api, booker.referral_id, at=missed_at)["status"] == "recorded"
    assert booker.read()["state"] == "booked"


def test_a_corrected_no_show_is_booked_again(api, booker, slot_id):
    booked = booker.book(slot_id).json
    event_id = report_no_show(api, booker.referral_id)["event_id"]
    body = {
        "type": "event.corrected",
        "referral_id": booker.referral_id,
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"supersedes": event_id, "note": "Wrong patient."},
    }

    assert api.deliver_raw(json.dumps(body).encode()).json["status"] == "applied"
    after = booker.read()
    assert (after["state"], after["slot_id"], after["starts_at"]) == ("booked", slot_id, booked["starts_at"])


def test_a_consultation_that_took_place_after_a_no_show_is_completed(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)
    api.deliver(booker.referral_id, "consult_completed")

    assert booker.read()["state"] == "completed"


def test_a_system_that_sends_the_missed_time_again_does_not_book_it_again(api, booker, slot_id):
    booked = booker.book(slot_id).json
    report_no_show(api, booker.referral_id)

    assert api.deliver(booker.referral_id, "consult_scheduled", starts_at=booked["starts_at"]).status == 200
    assert booker.read()["state"] == "no_show"


def test_a_reopened_referral_keeps_its_no_show(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id)
    api.deliver(booker.referral_id, "declined")
    event = {
        "type": "referral.reopened",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"note": "Declined in error."},
    }

    assert api.center.post(f"/v1/referrals/{booker.referral_id}/events", event).status == 200
    assert booker.read()["state"] == "no_show"


def test_a_booking_after_a_no_show_counts_although_the_center_s_clock_is_ahead(api, booker, slot_id):
    booker.book(slot_id)
    report_no_show(api, booker.referral_id, at=(wiring.read_clock() + timedelta(minutes=8)).isoformat())
    booker.book(publish_slot(api, starts_at=find_time(days=10).isoformat()))

    referral = api.practice.get(f"/v1/referrals/{booker.referral_id}").json
    assert (booker.read()["state"], referral["outcome"]) == ("booked", None)


@pytest.mark.parametrize("reason_code", [None, "no_show"])
def test_a_status_without_a_time_does_not_answer_what_the_practice_asked(api, booker, slot_id, reason_code):
    booker.book(slot_id)
    booker.ask()
    api.deliver(booker.referral_id, "consult_scheduled", reason_code=reason_code)

    assert booker.read()["request"]
    assert "awaiting_booking" in list_worklists(api, "center", booker.referral_id)


def test_a_patient_who_is_booked_before_the_acceptance_does_not_await_a_booking(api):
    booker = Booker(api.practice, api.refer()["referral_id"])
    booker.book(publish_slot(api))
    api.move_to(booker.referral_id, "received", "accepted")

    assert "awaiting_booking" not in list_worklists(api, "center", booker.referral_id)


def test_a_completed_consultation_is_completed(api, booker, slot_id):
    booker.book(slot_id)
    api.deliver(booker.referral_id, "consult_completed")

    assert booker.read()["state"] == "completed"


@pytest.mark.parametrize("stage", ["declined", "deceased"])
def test_an_ending_frees_a_held_time(api, booker, slot_id, stage):
    booker.hold(slot_id)
    api.deliver(booker.referral_id, stage)

    assert (booker.read()["state"], booker.read()["hold"]) == ("none", None)
    assert count_free_seats(api, slot_id) == 1


def test_an_ending_frees_a_booked_time_and_one_that_is_held_to_move_it(api, booker, slot_id):
    other = publish_slot(api, starts_at=find_time(days=10).isoformat())
    booker.book(slot_id)
    booker.hold(other)
    api.deliver(booker.referral_id, "declined")

    assert (count_free_seats(api, slot_id), count_free_seats(api, other)) == (1, 1)


def test_a_death_ends_the_consultation_and_frees_the_seat(api, booker, slot_id):
    booker.book(slot_id)
    api.deliver(booker.referral_id, "deceased")

    assert booker.read()["state"] == "canceled"
    assert count_free_seats(api, slot_id) == 1


def test_a_repeated_delivery_changes_nothing(api, booker, slot_id):
    booker.book(slot_id)
    body = {
        "type": "plan.changed",
        "referral_id": booker.referral_id,
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"plan": "consultation", "starts_at": find_time(days=9).isoformat()},
    }
    api.deliver_raw(json.dumps(body).encode(), webhook_id="msg_again")
    version = booker.read()["version"]

    assert api.deliver_raw(json.dumps(body).encode(), webhook_id="msg_again").json["status"] == "duplicate"
    assert booker.read()["version"] == version


def test_a_reopened_referral_does_not_get_its_seat_back(api, booker, slot_id):
    """Its date is shown again as the center's own, and someone else may have the seat."""
    booker.book(slot_id)
    api.deliver(booker.referral_id, "declined")
    event = {
        "type": "referral.reopened",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"note": "Declined in error."},
    }

    assert api.center.post(f"/v1/referrals/{booker.referral_id}/events", event).status == 200
    assert (booker.read()["state"], booker.read()["slot_id"]) == ("booked", None)
    assert count_free_seats(api, slot_id) == 1
