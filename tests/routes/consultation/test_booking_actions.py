"""The booking actions that a referral lists are what its API accepts now."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.bookings import Booker, find_time, publish_slot, refer_accepted

BOOKING_ACTIONS = {f"consultation.{name}" for name in ("book", "move", "hold", "ask", "cancel")}


def list_actions(booker):
    answer = booker.site.get(f"/v1/referrals/{booker.referral_id}")
    return {each["action"]: each for each in answer.json["actions"] if each["action"] in BOOKING_ACTIONS}


def list_allowed(booker):
    return {action.removeprefix("consultation.") for action, each in list_actions(booker).items() if each["allowed"]}


def refer_draft(api):
    return Booker(api.practice, api.refer(submit=False)["referral_id"])


def refer_submitted(api):
    return Booker(api.practice, api.refer()["referral_id"])


def refer_booked(api):
    booker = refer_accepted(api)
    booker.book(publish_slot(api))
    return booker


def refer_planned_by_center(api):
    booker = refer_accepted(api)
    api.deliver(booker.referral_id, "consult_scheduled", starts_at=find_time().isoformat())
    return booker


def refer_missed(api):
    booker = refer_planned_by_center(api)
    api.deliver(booker.referral_id, "consult_scheduled", reason_code="no_show")
    return booker


def refer_infused(api):
    booker = refer_submitted(api)
    api.move_to(booker.referral_id, *STAGES_TO_INFUSED)
    return booker


def refer_declined(api):
    booker = refer_booked(api)
    api.deliver(booker.referral_id, "declined")
    return booker


STATES = {
    refer_draft: set(),
    refer_submitted: {"book", "hold", "ask"},
    refer_accepted: {"book", "hold", "ask"},
    refer_booked: {"move", "hold", "ask", "cancel"},
    refer_planned_by_center: {"move", "hold", "ask", "cancel"},
    refer_missed: {"book", "hold", "ask"},
    refer_infused: {"book", "hold", "ask"},
    refer_declined: set(),
}
"""What the practice can do, by how the referral came there."""

REQUESTS = {
    "book": lambda booker, slot_id: booker.book(slot_id, reschedule=True),
    "hold": lambda booker, slot_id: booker.hold(slot_id),
    "ask": lambda booker, _: booker.ask(),
    "cancel": lambda booker, _: booker.cancel(),
}


@pytest.mark.parametrize("refer", STATES, ids=lambda refer: refer.__name__)
def test_a_referral_lists_what_the_practice_can_do_about_the_consultation(api, refer):
    assert list_allowed(refer(api)) == STATES[refer]


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("refer", STATES, ids=lambda refer: refer.__name__)
def test_a_listed_booking_action_is_accepted_and_every_other_one_refused(api, refer, request_name):
    booker = refer(api)
    allowed = list_allowed(booker)

    answer = REQUESTS[request_name](booker, publish_slot(api))

    # To book and to move are the same request.
    is_allowed = bool(allowed & ({"book", "move"} if request_name == "book" else {request_name}))
    assert answer.status == ((201 if request_name == "ask" else 200) if is_allowed else 409)


def test_the_center_books_for_the_practice_and_cannot_ask_itself(api):
    booker = Booker(api.center, refer_accepted(api).referral_id)

    assert list_allowed(booker) == {"book", "hold"}
    assert list_actions(booker)["consultation.ask"]["why_not"] == (
        "Only the referring practice can ask for a consultation time."
    )
    assert booker.ask().status == 403


def test_a_booking_action_says_why_it_is_not_possible_and_what_it_needs(api):
    booked, closed = list_actions(refer_booked(api)), list_actions(refer_declined(api))

    assert booked["consultation.book"]["why_not"] == "A consultation is planned. Move it instead."
    assert booked["consultation.move"]["needs"] == ["slot_id"]
    assert "patient_unwell" in booked["consultation.cancel"]["reasons"]
    assert {each["why_not"] for each in closed.values()} == {
        "This referral is closed, so no consultation can be booked or changed. Send a message instead."
    }


def test_a_booked_time_that_has_passed_can_still_be_moved(api):
    """The patient may have been moved by phone; only a report says that the visit took place."""
    starts_at = wiring.read_clock() - timedelta(hours=3)
    booker = refer_accepted(api)
    api.deliver(booker.referral_id, "consult_scheduled", starts_at=starts_at.isoformat())

    assert "move" in list_allowed(booker)
    assert booker.book(publish_slot(api), reschedule=True).status == 200
