"""Slots from weekly patterns: the daily job, changed patterns, and booked times that stay."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.consultation.patterns import HORIZON, SlotPattern, Weekday
from chalicelib.domain.consultation.slots import SlotClosing
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.services.consultation.patterns import materialize_all
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.transactions import ConditionFailedError
from tests.support import factories
from tests.support.factories import CENTER, NOON


@pytest.fixture
def centers(stores):
    factories.add_tenants(stores, factories.TENANTS)
    return stores


def save(stores, **changed):
    known = stores.slots.get_pattern(CENTER.tenant_id, "pat_1")
    pattern = known or SlotPattern(
        pattern_id="pat_1",
        center_id=CENTER.tenant_id,
        weekdays=(Weekday.TUESDAY,),
        starts=(time(9),),
        minutes=60,
        mode=VisitMode.IN_PERSON,
        capacity=1,
        begins_on=date(2026, 1, 1),
    )
    pattern = replace(pattern, **changed, version=pattern.version + 1 if known else 1)
    stores.transactions.commit(stores.slots.prepare_save_pattern(pattern))
    return pattern


def run(stores, now=NOON):
    return materialize_all(context=RunContext(stores, now))["written"]


def list_slots(stores, now=NOON):
    return list(stores.slots.list_between(CENTER.tenant_id, now, now + HORIZON + timedelta(days=30)))


def book(stores, slot, referral_id="ref_1"):
    booked = slot.with_booking(referral_id, now=NOON)
    stores.transactions.commit(stores.slots.prepare_save(booked))
    return booked


def test_a_pattern_becomes_slots_for_twelve_weeks(centers):
    save(centers)

    assert run(centers) == 12
    assert {f"{slot.starts_at.astimezone(ZoneInfo(CENTER.time_zone)):%a %H:%M}" for slot in list_slots(centers)} == {
        "Tue 09:00"
    }


def test_a_second_run_changes_nothing(centers):
    save(centers)
    run(centers)
    before = list_slots(centers)

    assert run(centers) == 0
    assert list_slots(centers) == before


def test_a_run_after_days_without_one_catches_up(centers):
    save(centers)
    run(centers)
    later = NOON + timedelta(days=15)

    assert run(centers, later) == 3
    assert len(list_slots(centers, later)) == 13


def test_a_changed_pattern_removes_its_free_times_and_adds_the_new_ones(centers):
    save(centers)
    run(centers)
    save(centers, starts=(time(13),))
    run(centers)

    hours = {slot.starts_at.astimezone(ZoneInfo(CENTER.time_zone)).hour for slot in list_slots(centers)}
    assert hours == {13}


def test_a_booked_time_stays_and_is_closed_when_its_pattern_changes(centers):
    save(centers)
    run(centers)
    booked = book(centers, list_slots(centers)[0])
    save(centers, starts=(time(13),))
    run(centers)

    kept = centers.slots.get(CENTER.tenant_id, booked.slot_id)
    assert (kept.list_booked(), kept.closed) == (["ref_1"], SlotClosing.PATTERN_CHANGED)


def test_a_booked_time_is_open_again_when_the_pattern_has_it_again(centers):
    save(centers)
    run(centers)
    booked = book(centers, list_slots(centers)[0])
    save(centers, starts=(time(13),))
    run(centers)
    save(centers, starts=(time(9),))
    run(centers)

    assert centers.slots.get(CENTER.tenant_id, booked.slot_id).closed is None


def test_a_booked_time_stays_as_booked_when_the_pattern_offers_it_in_another_way(centers):
    save(centers)
    run(centers)
    booked = book(centers, list_slots(centers)[0])
    save(centers, mode=VisitMode.TELEHEALTH)
    run(centers)

    kept = centers.slots.get(CENTER.tenant_id, booked.slot_id)
    assert (kept.mode, kept.closed) == (VisitMode.IN_PERSON, SlotClosing.PATTERN_CHANGED)


def test_a_capacity_is_never_lowered_below_the_booked_seats(centers):
    save(centers, capacity=3)
    run(centers)
    twice = book(centers, book(centers, list_slots(centers)[0]), "ref_2")
    save(centers, capacity=1)
    run(centers)

    assert centers.slots.get(CENTER.tenant_id, twice.slot_id).capacity == 2


def test_a_removed_pattern_keeps_its_booked_times_until_they_are_over(centers):
    save(centers)
    run(centers)
    booked = book(centers, list_slots(centers)[0])
    save(centers, is_removed=True)
    run(centers)

    assert [slot.slot_id for slot in list_slots(centers)] == [booked.slot_id]
    assert centers.slots.get_pattern(CENTER.tenant_id, "pat_1") is not None
    run(centers, booked.starts_at + timedelta(hours=1))
    assert centers.slots.get_pattern(CENTER.tenant_id, "pat_1") is None


def test_a_center_in_another_time_zone_gets_times_of_its_new_zone(centers):
    """Booked times keep their moment, and a person decides about them."""
    save(centers)
    run(centers)
    booked = book(centers, list_slots(centers)[0])
    row = centers.tenants.table.get({"kind": CENTER.kind, "tenant_id": CENTER.tenant_id})
    centers.tenants.table.put({**row, "time_zone": "America/Los_Angeles"})
    centers.tenants._directory_cache.expires_at = 0.0
    run(centers)

    free = [slot for slot in list_slots(centers) if not slot.closed]
    assert {slot.starts_at.astimezone(ZoneInfo("America/Los_Angeles")).hour for slot in free} == {9}
    assert centers.slots.get(CENTER.tenant_id, booked.slot_id).closed is SlotClosing.PATTERN_CHANGED


def test_a_run_with_an_old_pattern_brings_nothing_back(centers, monkeypatch):
    """It read the pattern before a person changed it."""
    old = save(centers)
    save(centers, starts=(time(13),))
    monkeypatch.setattr(type(centers.slots), "list_patterns", lambda _slots, _center=None: iter([old]))

    assert run(centers) == 0


def test_a_time_that_is_booked_while_the_pattern_changes_is_not_lost(centers, monkeypatch):
    """The removal meets a changed slot and leaves it; the next run closes it."""
    save(centers)
    run(centers)
    first = list_slots(centers)[0]
    save(centers, starts=(time(13),))
    commit = type(centers.transactions).commit

    def book_first(transactions, *writes):
        monkeypatch.setattr(type(centers.transactions), "commit", commit)
        book(centers, first)
        commit(transactions, *writes)

    monkeypatch.setattr(type(centers.transactions), "commit", book_first)
    run(centers)

    assert centers.slots.get(CENTER.tenant_id, first.slot_id).list_booked() == ["ref_1"]
    run(centers)
    assert centers.slots.get(CENTER.tenant_id, first.slot_id).closed is SlotClosing.PATTERN_CHANGED


def test_a_slot_that_changed_is_not_overwritten(centers):
    save(centers)
    run(centers)
    slot = list_slots(centers)[0]
    book(centers, slot)

    with pytest.raises(ConditionFailedError):
        book(centers, slot, "ref_2")


def test_slot_ids_of_another_center_or_with_a_changed_letter_are_refused(centers):
    ids = centers.slots.ids
    slot_id = ids.build(CENTER.tenant_id, datetime(2026, 12, 8, 15, tzinfo=ZoneInfo("UTC")), "single/in_person")
    other = slot_id[:10] + ("b" if slot_id[10] == "a" else "a") + slot_id[11:]

    assert ids.read(CENTER.tenant_id, slot_id).starts_at == datetime(2026, 12, 8, 15, tzinfo=ZoneInfo("UTC"))
    assert ids.read("ctr_mesa", slot_id) is None
    assert ids.read(CENTER.tenant_id, other) is None
