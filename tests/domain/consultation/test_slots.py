"""Seats of one consultation time."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.consultation.slots import HOLD_DURATION, SeatState, Slot, SlotClosing
from chalicelib.domain.referrals.plan_terms import VisitMode
from tests.support.factories import NOON

SLOT = Slot(
    slot_id="slot_1",
    center_id="ctr_harbor",
    starts_at=NOON + timedelta(days=3),
    minutes=60,
    mode=VisitMode.TELEHEALTH,
    capacity=2,
)


def test_a_hold_ends_after_its_time():
    held = SLOT.with_hold("ref_1", now=NOON)

    assert held.count_free(now=NOON + HOLD_DURATION - timedelta(seconds=1)) == 1
    assert held.count_free(now=NOON + HOLD_DURATION) == 2


def test_a_full_slot_has_room_for_those_who_are_in_it():
    full = SLOT.with_booking("ref_1", now=NOON).with_hold("ref_2", now=NOON)

    assert full.has_room("ref_2", now=NOON)
    assert not full.has_room("ref_3", now=NOON)
    assert not full.has_room(None, now=NOON)


def test_a_seat_whose_hold_is_over_is_given_to_the_next():
    later = NOON + HOLD_DURATION
    one = replace(SLOT, capacity=1).with_hold("ref_1", now=NOON)

    assert one.has_room("ref_2", now=later)
    assert one.with_booking("ref_2", now=later).list_booked() == ["ref_2"]


def test_a_referral_never_has_two_seats():
    twice = SLOT.with_hold("ref_1", now=NOON).with_hold("ref_1", now=NOON).with_booking("ref_1", now=NOON)

    assert [seat.state for seat in twice.seats] == [SeatState.BOOKED]


def test_each_change_of_the_seats_is_a_new_version():
    held = SLOT.with_hold("ref_1", now=NOON)

    assert [slot.version for slot in (SLOT, held, held.without("ref_1"))] == [1, 2, 3]


def test_a_closed_slot_and_one_that_has_begun_have_no_room():
    closed = replace(SLOT, closed=SlotClosing.PATTERN_CHANGED)

    assert (closed.has_room("ref_1", now=NOON), closed.count_free(now=NOON)) == (False, 0)
    assert (SLOT.has_room("ref_1", now=SLOT.starts_at), SLOT.count_free(now=SLOT.starts_at)) == (False, 0)
