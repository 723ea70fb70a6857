"""Two requests about the same time or the same consultation: one wins, and the other is told clearly."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.consultation.consultation import ConsultationState
from chalicelib.domain.consultation.slots import HOLD_DURATION, SlotClosing
from chalicelib.domain.referrals.events import EventSource, PlanChanged
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError, PreconditionFailedError, UnavailableError
from chalicelib.services.referrals.report_event import report_by_webhook
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.support import factories, faults
from tests.support.booking_driver import BookingDriver, interfere
from tests.support.factories import CENTER, NOON
from tests.support.faults import FaultMode
from tests.support.referral_values import build_stage_change

FIRST, SECOND = "ref_" + "a" * 26, "ref_" + "b" * 26


@pytest.fixture
def driver(stores):
    factories.add_tenants(stores, factories.TENANTS)
    driver = BookingDriver(stores)
    for referral_id in (FIRST, SECOND):
        driver.add_referral(referral_id)
    return driver


def report(driver, event):
    """Report an event as the center's system."""
    delivery = Delivery(
        center_id=CENTER.tenant_id, webhook_id=event.event_id, body_hash=event.event_id, received_at=driver.now
    )
    return report_by_webhook(event, delivery=delivery, context=driver.context)


def plan(driver, **changed):
    """Build the center's report of a planned consultation."""
    fields = {
        "event_id": "evt_plan",
        "referral_id": FIRST,
        "occurred_at": driver.now,
        "recorded_at": driver.now,
        "actor": Actor.CENTER,
        "source": EventSource.CENTER_FEED,
        "actor_id": "feed:ctr_harbor",
        "actor_name": "Harbor",
        "plan": PlanKind.CONSULTATION,
    }
    return PlanChanged(**{**fields, **changed})


def list_seats(driver, slot_id):
    return [seat.referral_id for seat in driver.get_slot(slot_id).seats]


def test_of_two_holds_of_the_last_seat_one_wins(driver):
    slot_id = driver.add_slot()

    with interfere(lambda: driver.hold(SECOND, slot_id)), pytest.raises(ConflictError, match="slot_taken"):
        driver.hold(FIRST, slot_id)

    assert list_seats(driver, slot_id) == [SECOND]
    assert driver.get(FIRST).hold is None


def test_two_holds_of_two_seats_both_win(driver):
    slot_id = driver.add_slot(capacity=2)

    with interfere(lambda: driver.hold(SECOND, slot_id)):
        driver.hold(FIRST, slot_id)

    assert sorted(list_seats(driver, slot_id)) == [FIRST, SECOND]


def test_a_hold_that_ends_during_its_booking_loses_to_the_one_who_booked(driver):
    slot_id = driver.add_slot()
    driver.hold(FIRST, slot_id)
    driver.now += HOLD_DURATION

    with interfere(lambda: driver.book(SECOND, slot_id)), pytest.raises(ConflictError, match="slot_taken"):
        driver.book(FIRST, slot_id)

    assert list_seats(driver, slot_id) == [SECOND]


def test_a_time_that_is_removed_during_its_booking_is_gone(driver):
    slot_id = driver.add_slot()

    def remove():
        driver.stores.transactions.commit(driver.stores.slots.prepare_remove(driver.get_slot(slot_id)))

    with interfere(remove), pytest.raises(ConflictError, match="slot_gone"):
        driver.book(FIRST, slot_id)

    assert driver.get(FIRST).appointment is None


def test_a_time_that_its_pattern_drops_during_its_booking_is_gone(driver):
    slot_id = driver.add_slot()

    def close():
        slot = driver.get_slot(slot_id)
        closed = replace(slot, closed=SlotClosing.PATTERN_CHANGED, version=slot.version + 1)
        driver.stores.transactions.commit(driver.stores.slots.prepare_save(closed))

    with interfere(close), pytest.raises(ConflictError, match="slot_gone"):
        driver.book(FIRST, slot_id)


def test_the_center_s_own_date_that_arrives_during_a_booking_is_not_overwritten(driver):
    slot_id = driver.add_slot()
    event = plan(driver, starts_at=NOON + timedelta(days=8))

    with interfere(lambda: report(driver, event)), pytest.raises(PreconditionFailedError):
        driver.book(FIRST, slot_id)

    assert driver.get(FIRST).appointment.starts_at == NOON + timedelta(days=8)
    assert list_seats(driver, slot_id) == []


def test_a_booking_that_arrives_during_the_center_s_report_is_moved_by_it(driver):
    slot_id = driver.add_slot()
    event = plan(driver, starts_at=NOON + timedelta(days=8), occurred_at=driver.now + timedelta(minutes=1))

    with interfere(lambda: driver.book(FIRST, slot_id)):
        report(driver, event)

    appointment = driver.get(FIRST).appointment
    assert (appointment.starts_at, appointment.slot_id, appointment.sequence) == (NOON + timedelta(days=8), None, 1)
    assert list_seats(driver, slot_id) == []


def test_a_cancellation_during_a_rescheduling_wins(driver):
    first, second = driver.add_slot(), driver.add_slot(days=4)
    driver.book(FIRST, first)

    with interfere(lambda: driver.as_center().cancel(FIRST)), pytest.raises(PreconditionFailedError):
        driver.book(FIRST, second)

    assert driver.get(FIRST).appointment.state is ConsultationState.CANCELED
    assert list_seats(driver, first) == list_seats(driver, second) == []


def test_of_two_reschedulings_one_wins_and_no_sequence_repeats(driver):
    first, second, third = driver.add_slot(), driver.add_slot(days=4), driver.add_slot(days=5)
    driver.book(FIRST, first)

    with interfere(lambda: driver.as_center().book(FIRST, third)), pytest.raises(PreconditionFailedError):
        driver.book(FIRST, second)

    appointment = driver.get(FIRST).appointment
    assert (appointment.slot_id, appointment.sequence) == (third, 1)
    assert (list_seats(driver, first), list_seats(driver, second)) == ([], [])


def test_two_people_who_book_the_same_time_for_one_patient_have_one_booking(driver):
    slot_id = driver.add_slot(capacity=2)

    with interfere(lambda: driver.as_center().book(FIRST, slot_id)):
        booked = driver.book(FIRST, slot_id)

    assert booked.appointment.booked_by == "Coordinator 1 Of Harbor Cell Therapy"
    assert list_seats(driver, slot_id) == [FIRST]


def test_a_referral_that_ends_during_its_booking_is_not_booked(driver):
    slot_id = driver.add_slot()
    ending = build_stage_change(
        Stage.DECLINED, driver.now, referral_id=FIRST, event_id="evt_end", reason_code="capacity_full"
    )

    with interfere(lambda: report(driver, ending)), pytest.raises(ConflictError, match="referral_closed"):
        driver.book(FIRST, slot_id)

    assert list_seats(driver, slot_id) == []


def test_a_booking_during_the_ending_is_canceled_by_it(driver):
    slot_id = driver.add_slot()
    ending = build_stage_change(
        Stage.DECLINED,
        driver.now + timedelta(minutes=1),
        referral_id=FIRST,
        event_id="evt_end",
        reason_code="capacity_full",
    )

    with interfere(lambda: driver.book(FIRST, slot_id)):
        report(driver, ending)

    assert driver.get(FIRST).appointment.state is ConsultationState.CANCELED
    assert list_seats(driver, slot_id) == []


MODES = (FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY, FaultMode.TWICE, FaultMode.CONFLICT)


def plan_fault(at, mode):
    """Plan one fault. Only a transaction meets another one."""

    def plan(number, operation):
        is_possible = mode is not FaultMode.CONFLICT or operation == "TransactWriteItems"
        return mode if number == at and is_possible else None

    return plan


@pytest.mark.parametrize("step", ["book", "reschedule", "cancel", "hold"])
def test_a_step_happens_once_whatever_fails_at_each_aws_call(stores, kms_key_id, step):
    """Each fault at each call, and then the same request again with the same version."""
    factories.add_tenants(stores, factories.TENANTS)
    driver = BookingDriver(stores)

    def prepare(number):
        referral_id = f"ref_{step}_{number}"
        driver.add_referral(referral_id)
        first, second = driver.add_slot(days=3 + number), driver.add_slot(days=400 + number)
        if step in {"reschedule", "cancel"}:
            driver.book(referral_id, first)
        return referral_id, first, second

    def run(referral_id, first, second):
        match step:
            case "book":
                driver.book(referral_id, first, version=0)
            case "hold":
                driver.hold(referral_id, first, version=0)
            case "reschedule":
                driver.book(referral_id, second, version=1)
            case "cancel":
                driver.cancel(referral_id, version=1)

    known = prepare(0)
    with faults.inject_faults(faults.plan_never) as calls:
        run(*known)
    total = len(calls.operations)
    for number, (at, mode) in enumerate(((at, mode) for at in range(1, total + 1) for mode in MODES), start=1):
        case = prepare(number)
        with faults.inject_faults(plan_fault(at, mode)), suppress(faults.SimulatedCrash, UnavailableError):
            run(*case)
        run(*case)
        referral_id, first, second = case
        appointment = driver.get(referral_id).appointment
        seats = {name: list_seats(driver, slot_id) for name, slot_id in (("first", first), ("second", second))}
        expected = {
            "book": (0, {"first": [referral_id], "second": []}),
            "hold": (None, {"first": [referral_id], "second": []}),
            "reschedule": (1, {"first": [], "second": [referral_id]}),
            "cancel": (1, {"first": [], "second": []}),
        }[step]
        assert (appointment and appointment.sequence, seats) == expected, f"{mode} at call {at}"
        assert driver.get(referral_id).version == (2 if step in {"reschedule", "cancel"} else 1), f"{mode} at {at}"
