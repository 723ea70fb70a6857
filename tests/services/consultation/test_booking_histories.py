"""Random histories of holds, bookings, moves, cancellations and reports of the center, compared with a model."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from chalicelib.domain.consultation.consultation import ConsultationState
from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.consultation.slots import HOLD_DURATION
from chalicelib.domain.referrals.events import EventSource, PlanChanged
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.stages import Actor
from chalicelib.errors import ConflictError
from chalicelib.services.referrals.report_event import report_by_webhook
from chalicelib.store.all_stores import open_stores
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.support import aws_fakes as cloud
from tests.support import factories
from tests.support.booking_driver import BookingDriver
from tests.support.factories import CENTER, NOON
from tests.support.in_memory_dynamodb import InMemoryDynamoDB
from tests.support.stores import create_audit_heads, create_files, get_aws_client

REFERRALS = tuple("ref_" + letter * 26 for letter in "abc")
CAPACITIES = (1, 2, 1)


@dataclass
class Model:
    """What must be true: who has which seat until when, and which consultation each referral has."""

    booked: dict[str, str] = field(default_factory=dict)
    held: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    own_date: dict[str, datetime] = field(default_factory=dict)

    def has_room(self, slot_id: str, capacity: int, referral_id: str, now: datetime) -> bool:
        """Whether a referral can take a seat."""
        others = {each for each, slot in self.booked.items() if slot == slot_id}
        others |= {each for each, (slot, until) in self.held.items() if slot == slot_id and until > now}
        return len(others - {referral_id}) < capacity


@cache
def create_key() -> str:
    return cloud.create_key()


class BookingHistories(RuleBasedStateMachine):
    """Three referrals and three times, one of them with two seats."""

    @initialize()
    def begin(self):
        memory: Any = InMemoryDynamoDB()
        stores = open_stores(
            prefix=cloud.PREFIX,
            kms_key_id=create_key(),
            dynamodb=lambda: memory,
            kms=lambda: get_aws_client("kms"),
            files=lambda: create_files(get_aws_client),
            audit_heads=lambda: create_audit_heads(get_aws_client),
        )
        factories.add_tenants(stores, factories.TENANTS)
        self.driver, self.model, self.deliveries = BookingDriver(stores), Model(), 0
        for referral_id in REFERRALS:
            self.driver.add_referral(referral_id)
        self.slots = [self.driver.add_slot(days=3 + n, capacity=c) for n, c in enumerate(CAPACITIES)]
        self.sequences = {}

    referrals = st.sampled_from(REFERRALS)
    places = st.sampled_from(range(len(CAPACITIES)))

    @rule(minutes=st.sampled_from([1, 9, 10, 11]))
    def wait(self, minutes):
        self.driver.now += timedelta(minutes=minutes)

    @rule(referral_id=referrals, place=places)
    def hold(self, referral_id, place):
        slot_id, model, now = self.slots[place], self.model, self.driver.now
        can = model.has_room(slot_id, CAPACITIES[place], referral_id, now) and model.booked.get(referral_id) != slot_id
        assert self._try(lambda: self.driver.hold(referral_id, slot_id)) is can
        if can:
            model.held[referral_id] = (slot_id, now + HOLD_DURATION)

    @rule(referral_id=referrals, place=places)
    def book(self, referral_id, place):
        slot_id, model, now = self.slots[place], self.model, self.driver.now
        is_same = model.booked.get(referral_id) == slot_id
        can = is_same or model.has_room(slot_id, CAPACITIES[place], referral_id, now)
        assert self._try(lambda: self.driver.book(referral_id, slot_id)) is can
        if can and not is_same:
            model.booked[referral_id] = slot_id
            model.held.pop(referral_id, None)
            model.own_date.pop(referral_id, None)

    @rule(referral_id=referrals)
    def cancel(self, referral_id):
        model = self.model
        is_planned = referral_id in model.booked or referral_id in model.own_date
        can = is_planned or referral_id in model.held
        assert self._try(lambda: self.driver.cancel(referral_id)) is can
        for known in (model.booked, model.held, model.own_date):
            known.pop(referral_id, None)

    @rule(referral_id=referrals, days=st.integers(10, 12))
    def report_own_date(self, referral_id, days):
        starts_at = NOON + timedelta(days=days)
        self._report(referral_id, starts_at=starts_at)
        self.model.booked.pop(referral_id, None)
        self.model.own_date[referral_id] = starts_at

    @rule(referral_id=referrals)
    def report_cancellation(self, referral_id):
        self._report(referral_id, canceled=True)
        # The hold of a new time stays.
        for known in (self.model.booked, self.model.own_date):
            known.pop(referral_id, None)

    @precondition(lambda self: self.model.held)
    @rule(data=st.data())
    def book_what_is_held(self, data):
        """A hold that is not over is never refused to its own holder."""
        held = {each: slot for each, (slot, until) in self.model.held.items() if until > self.driver.now}
        if held:
            referral_id = data.draw(st.sampled_from(sorted(held)))
            self.book(referral_id, self.slots.index(held[referral_id]))

    @invariant()
    def seats_are_as_in_the_model(self):
        for slot_id, capacity in zip(self.slots, CAPACITIES, strict=True):
            booked = sorted(self.driver.get_slot(slot_id).list_booked())
            assert booked == sorted(each for each, slot in self.model.booked.items() if slot == slot_id)
            assert len(booked) <= capacity

    @invariant()
    def each_referral_has_one_consultation_and_one_date(self):
        for referral_id in REFERRALS:
            appointment = self.driver.get(referral_id).appointment
            referral = self.driver.stores.referrals.get(referral_id)
            assert referral is not None
            planned = find_planned(referral)
            if appointment is not None and appointment.is_open:
                assert planned is not None
                assert appointment.day == planned.day
                assert appointment.slot_id == self.model.booked.get(referral_id)
                own = self.model.own_date.get(referral_id)
                assert own is None or own == appointment.starts_at
            else:
                assert planned is None
                assert referral_id not in self.model.booked
                assert appointment is None or appointment.state is ConsultationState.CANCELED

    @invariant()
    def no_sequence_of_an_entry_is_used_for_two_times(self):
        for referral_id in REFERRALS:
            appointment = self.driver.get(referral_id).appointment
            if appointment:
                seen = self.sequences.setdefault((appointment.uid, appointment.sequence), appointment.day)
                assert seen == appointment.day

    def _try(self, step):
        self.driver.now += timedelta(seconds=1)
        try:
            step()
        except ConflictError:
            return False
        return True

    def _report(self, referral_id, **changed):
        self.driver.now += timedelta(seconds=1)
        self.deliveries += 1
        event = PlanChanged(
            event_id=f"evt_{self.deliveries}",
            referral_id=referral_id,
            occurred_at=self.driver.now,
            recorded_at=self.driver.now,
            actor=Actor.CENTER,
            source=EventSource.CENTER_FEED,
            actor_id="feed:ctr_harbor",
            actor_name="Harbor",
            plan=PlanKind.CONSULTATION,
            **changed,
        )
        delivery = Delivery(
            center_id=CENTER.tenant_id,
            webhook_id=f"msg_{self.deliveries}",
            body_hash=event.event_id,
            received_at=self.driver.now,
        )
        report_by_webhook(event, delivery=delivery, context=self.driver.context)


def test_every_history_keeps_one_consultation_for_each_patient_and_one_patient_for_each_seat():
    with mock_aws():
        create_key.cache_clear()
        get_aws_client.cache_clear()
        hypothesis.stateful.run_state_machine_as_test(
            BookingHistories, settings=hypothesis.settings(max_examples=40, stateful_step_count=25, deadline=None)
        )
