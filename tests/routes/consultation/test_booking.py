"""Holding, booking, moving and canceling the consultation of a referral."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.bookings import SLOTS, Booker, count_free_seats, find_time, publish_slot, refer_accepted


@pytest.fixture
def booker(api):
    return refer_accepted(api)


def get_plan(api, referral_id):
    plans = api.practice.get(f"/v1/referrals/{referral_id}").json["plans"]
    return next((plan for plan in plans if plan["plan"] == "consultation"), None)


def pass_time(monkeypatch, delta):
    now = wiring.read_clock() + delta
    monkeypatch.setattr(wiring, "read_clock", lambda: now)


def test_a_booking_sets_the_planned_date_and_the_status(api, booker):
    starts_at = find_time()
    slot_id = publish_slot(api, starts_at=starts_at.isoformat(), place="Clinic 4")

    answer = booker.book(slot_id, note="Needs a Spanish interpreter.")

    assert answer.status == 200, answer.text
    assert (answer.json["state"], answer.json["source"]) == ("booked", "booking")
    assert answer.headers["etag"] == f'"{answer.json["version"]}"'
    assert api.get_stage(booker.referral_id) == "consult_scheduled"
    plan = get_plan(api, booker.referral_id)
    assert (plan["starts_at"], plan["mode"], plan["place"]) == (answer.json["starts_at"], "in_person", "Clinic 4")


def test_a_booked_time_is_no_longer_offered_to_practices(api, booker):
    slot_id = publish_slot(api)
    booker.book(slot_id)

    offered = api.other_practice.get(SLOTS).json["items"]

    assert slot_id not in {item["slot_id"] for item in offered}


def test_a_hold_keeps_others_from_the_time(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id)

    answer = refer_accepted(api).book(slot_id)

    assert (answer.status, answer.json["code"]) == (409, "slot_taken")


def test_a_hold_does_not_keep_its_own_holder_from_booking(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id)

    assert booker.book(slot_id).json["state"] == "booked"


def test_a_second_hold_of_the_same_time_takes_the_same_seat(api, booker):
    slot_id = publish_slot(api, capacity=2)
    booker.hold(slot_id)
    booker.hold(slot_id)

    assert count_free_seats(api, slot_id) == 1


def test_a_referral_holds_one_time_only(api, booker):
    first, second = publish_slot(api), publish_slot(api, starts_at=find_time(days=8).isoformat())
    booker.hold(first)
    booker.hold(second)

    assert (count_free_seats(api, first), count_free_seats(api, second)) == (1, 0)


def test_a_held_time_is_offered_to_its_own_holder(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id)

    offered = api.practice.get(f"{SLOTS}?referral_id={booker.referral_id}").json["items"]

    assert slot_id in {item["slot_id"] for item in offered}


def test_a_time_that_a_referral_has_booked_is_not_offered_to_it_again(api, booker):
    slot_id = publish_slot(api, capacity=2)
    booker.book(slot_id)

    own = api.practice.get(f"{SLOTS}?referral_id={booker.referral_id}").json["items"]

    assert slot_id not in {item["slot_id"] for item in own}
    assert slot_id in {item["slot_id"] for item in api.practice.get(SLOTS).json["items"]}


def test_a_time_is_free_when_its_hold_is_over(api, booker, monkeypatch):
    slot_id = publish_slot(api)
    other = refer_accepted(api)
    booker.hold(slot_id)
    pass_time(monkeypatch, timedelta(minutes=10))

    assert other.book(slot_id).status == 200


def test_a_holder_whose_time_was_taken_after_the_hold_gets_a_clear_refusal(api, booker, monkeypatch):
    slot_id = publish_slot(api)
    other = refer_accepted(api)
    booker.hold(slot_id)
    pass_time(monkeypatch, timedelta(minutes=11))
    other.book(slot_id)

    answer = booker.book(slot_id)

    assert (answer.status, answer.json["code"]) == (409, "slot_taken")
    assert "after your hold ended" in answer.json["detail"]


def test_a_hold_that_is_over_can_still_be_booked_if_no_one_took_the_time(api, booker, monkeypatch):
    slot_id = publish_slot(api)
    booker.hold(slot_id)
    pass_time(monkeypatch, timedelta(minutes=11))

    assert booker.book(slot_id).status == 200


def test_moving_a_booking_frees_the_old_time(api, booker):
    first, second = publish_slot(api), publish_slot(api, starts_at=find_time(days=8).isoformat())
    booker.book(first)

    moved = booker.book(second)

    assert moved.json["slot_id"] == second
    assert (count_free_seats(api, first), count_free_seats(api, second)) == (1, 0)
    assert get_plan(api, booker.referral_id)["moved_from"]["starts_at"]


def test_a_booking_stays_while_another_time_is_held(api, booker):
    first, second = publish_slot(api), publish_slot(api, starts_at=find_time(days=8).isoformat())
    booker.book(first)

    held = booker.hold(second).json

    assert (held["state"], held["slot_id"], held["hold"]["slot_id"]) == ("booked", first, second)


@pytest.mark.parametrize("side", ["practice", "center"])
def test_either_side_can_cancel(api, booker, side):
    slot_id = publish_slot(api)
    booker.book(slot_id)

    answer = Booker(getattr(api, side), booker.referral_id).cancel(reason="patient_unwell")

    assert answer.json["state"] == "canceled"
    assert count_free_seats(api, slot_id) == 1
    assert get_plan(api, booker.referral_id)["canceled"]
    assert api.get_stage(booker.referral_id) == "consult_scheduled"


def test_a_canceled_consultation_is_on_the_list_of_those_that_need_a_new_date(api, booker):
    booker.book(publish_slot(api))
    booker.cancel()

    rows = api.practice.get("/v1/referrals?worklist=no_show_or_cancelled").json["items"]

    assert booker.referral_id in {row["referral_id"] for row in rows}


def test_a_cancellation_frees_one_seat_of_a_group(api, booker):
    slot_id = publish_slot(api, capacity=2)
    booker.book(slot_id)
    refer_accepted(api).book(slot_id)
    booker.cancel()

    assert count_free_seats(api, slot_id) == 1


def test_a_canceled_time_can_be_booked_again(api, booker):
    slot_id = publish_slot(api)
    booker.book(slot_id)
    booker.cancel()

    again = booker.book(slot_id)

    assert (again.status, again.json["state"]) == (200, "booked")
    rows = api.practice.get("/v1/referrals?worklist=no_show_or_cancelled").json["items"]
    assert booker.referral_id not in {row["referral_id"] for row in rows}


def test_canceling_ends_a_hold_if_nothing_is_booked(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id)

    assert booker.cancel().json["state"] == "none"
    assert count_free_seats(api, slot_id) == 1


def test_there_is_nothing_to_cancel_without_a_booking_or_a_hold(booker):
    answer = booker.cancel()

    assert (answer.status, answer.json["code"]) == (409, "nothing_planned")


def test_a_repeat_of_a_booking_whose_response_was_lost_gets_the_booking(api, booker):
    slot_id = publish_slot(api)
    version = booker.read()["version"]
    first = booker.book(slot_id, version=version)

    again = booker.book(slot_id, version=version)

    assert (again.status, again.json) == (200, first.json)


def test_another_note_for_a_booked_time_is_refused_and_not_lost(api, booker):
    slot_id = publish_slot(api)
    booker.book(slot_id, note="Uses a wheelchair.")

    again, other = (booker.book(slot_id, note=note) for note in ("Uses a wheelchair.", "Needs an interpreter."))

    assert again.status == 200
    assert (other.status, other.json["code"]) == (409, "already_booked")
    assert booker.read()["note"] == "Uses a wheelchair."


def test_a_repeat_of_a_hold_whose_response_was_lost_gets_the_hold(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id, version=0)

    assert booker.hold(slot_id, version=0).json["version"] == 1


def test_a_repeat_of_a_cancellation_whose_response_was_lost_gets_it(api, booker):
    booker.book(publish_slot(api))
    version = booker.read()["version"]
    first = booker.cancel(version=version)

    assert booker.cancel(version=version).json == first.json


def test_a_change_with_an_old_version_is_refused(api, booker):
    booker.hold(publish_slot(api))

    answer = booker.book(publish_slot(api, starts_at=find_time(days=8).isoformat()), version=0)

    assert answer.status == 412


def test_a_time_that_has_begun_cannot_be_booked(api, booker, monkeypatch):
    soon = (wiring.read_clock() + timedelta(minutes=20)).replace(second=0, microsecond=0)
    slot_id = publish_slot(api, starts_at=soon.isoformat())
    booker.hold(slot_id)
    pass_time(monkeypatch, timedelta(minutes=30))

    answer = booker.book(slot_id)

    assert (answer.status, answer.json["code"]) == (409, "slot_past")


def test_a_removed_time_cannot_be_booked(api, booker):
    slot_id = publish_slot(api)
    booker.hold(slot_id)
    version = next(i["version"] for i in api.center.get(SLOTS).json["items"] if i["slot_id"] == slot_id)
    removed = api.center.send("DELETE", f"{SLOTS}/{slot_id}", headers={"If-Match": f'"{version}"'})

    answer = booker.book(slot_id)

    assert removed.status == 204
    assert (answer.status, answer.json["code"]) == (409, "slot_gone")


@pytest.mark.parametrize("slot_id", ["slot_x", "slot_" + "a" * 32, "slot_" + "A" * 32, ""])
def test_an_id_that_is_no_time_of_the_center_is_gone(booker, slot_id):
    assert booker.book(slot_id).json["code"] == "slot_gone"


def test_a_time_of_another_center_is_gone(api, booker):
    path = SLOTS.replace("ctr_harbor", "ctr_mesa")
    body = {"starts_at": find_time().isoformat(), "mode": "in_person"}
    slot_id = api.other_center.post(path, body).json["slot_id"]

    assert booker.book(slot_id).json["code"] == "slot_gone"


def test_an_ended_referral_cannot_be_booked_and_frees_its_time(api, booker):
    slot_id = publish_slot(api)
    booker.book(slot_id)
    api.move_to(booker.referral_id, "declined")

    assert count_free_seats(api, slot_id) == 1
    assert booker.book(slot_id).json["code"] == "referral_closed"
    assert booker.read()["state"] == "canceled"


def test_a_draft_cannot_be_booked(api):
    draft = Booker(api.practice, api.refer(submit=False)["referral_id"])

    assert draft.book(publish_slot(api)).json["code"] == "not_submitted"


def test_before_the_acceptance_only_the_date_is_set(api):
    booker = Booker(api.practice, api.refer()["referral_id"])

    assert booker.book(publish_slot(api)).status == 200
    assert api.get_stage(booker.referral_id) == "submitted"
    assert get_plan(api, booker.referral_id)["open"]


def test_the_center_can_book_for_the_patient(api, booker):
    slot_id = publish_slot(api)

    assert Booker(api.center, booker.referral_id).book(slot_id).status == 200


def test_people_of_other_organizations_find_no_consultation(api, booker):
    for site in (api.other_practice, api.other_center):
        other = Booker(site, booker.referral_id)
        assert site.get(other.path).status == 404
        assert other.book("slot_x", version=0).status == 404
        assert other.cancel(version=0).status == 404


def test_a_disabled_member_cannot_book_what_they_held(api, booker):
    slot_id = publish_slot(api)
    member = api.members["provider"]
    booker = Booker(api.get_client_for(member), booker.referral_id)
    booker.hold(slot_id)
    admin = api.get_client_for(api.members["practice_admin"])
    assert admin.patch(f"/v1/members/{member.member_id}", {"active": False}, version=1).status == 200

    assert booker.site.put(booker.path, {"slot_id": slot_id, "state": "booked"}, version=1).status == 403


def test_asking_the_center_is_always_possible_and_on_its_worklist(api, booker):
    answer = booker.ask(preferred_days=["monday", "thursday"], part_of_day="morning", note="Not before noon on Monday.")

    assert (answer.status, answer.json["state"]) == (201, "asked")
    assert answer.json["request"]["preferred_days"] == ["monday", "thursday"]
    rows = api.center.get("/v1/referrals?worklist=needs_my_action").json["items"]
    assert booker.referral_id in {row["referral_id"] for row in rows}


def test_a_booking_answers_the_question_for_a_time(api, booker):
    booker.ask()
    booker.book(publish_slot(api))

    assert booker.read()["request"] is None
    rows = api.center.get("/v1/referrals?worklist=awaiting_booking").json["items"]
    assert booker.referral_id not in {row["referral_id"] for row in rows}


def test_the_center_does_not_ask_itself_for_a_time(api, booker):
    assert Booker(api.center, booker.referral_id).ask().status == 403


def test_a_repeated_question_is_answered_as_before(api, booker):
    first = booker.site.post(f"{booker.path}/requests", {}, key="ask-1")
    again = booker.site.post(f"{booker.path}/requests", {}, key="ask-1")

    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
