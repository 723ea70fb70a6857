"""Referrals, their events and what waits for them, in one partition."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN
from chalicelib.domain.referrals.events import EventSource, EventStatus
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion, MonitoringProfile, MonitoringWindow
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import LoggedEvent, ParkedDelivery
from chalicelib.store.webhooks.idempotency import Delivery, hash_body
from tests.support import faults
from tests.support.referral_values import HOUR, NOON, build_audit_entry, build_referral, build_stage_change

PROFILE = MonitoringProfile(
    product_id="aucatzyl",
    label_as_of=date(2024, 11, 22),
    anchor=AnchorInfusion.FIRST,
    infusion_parts=2,
    daily_days=13,
    monitor_min_days=27,
    driving_days=56,
    handback_target_day=35,
)
FULL = build_referral(
    Stage.INFUSED,
    window=MonitoringWindow(time_zone="America/Phoenix", infused_on=date(2026, 2, 28), profile=PROFILE),
    stage_entered_at={Stage.SUBMITTED: NOON, Stage.INFUSED: NOON + timedelta(microseconds=1)},
    stage_since=NOON + timedelta(microseconds=1),
    doses_given=1,
    dose_total=2,
    version=17,
    urgency="urgent",
)
BARE = build_referral(
    Stage.DRAFT,
    center_id=None,
    product_id=None,
    details={"patient": {"family_name": "Example"}, "note": None, "insurance": None},
)
RID = FULL.referral_id


@pytest.fixture
def referrals(stores):
    """The referrals."""
    return stores.referrals


def store(stores, *referrals):
    """Store referrals by themselves."""
    for referral in referrals:
        stores.transactions.commit(*stores.referrals.prepare_add(referral, build_audit_entry(referral)))


def found(stores):
    """The referral that is stored, but for the head of its audit rows."""
    return replace(stores.referrals.get(RID), audit_chain_head=EMPTY_CHAIN)


def parked(n=1, **changed):
    """A delivery that came too early."""
    change = build_stage_change(Stage.ACCEPTED, event_id=f"evt_{n}", **changed)
    delivery = Delivery(center_id="ctr_harbor", webhook_id=f"msg_{n}", body_hash=hash_body(b"{}"), received_at=NOON)
    return ParkedDelivery(delivery=delivery, event=change)


@pytest.mark.parametrize("referral", [FULL, BARE], ids=["full", "bare"])
def test_a_referral_comes_back_as_it_went(stores, referral):
    """Every field, with the figures that its window was opened with."""
    store(stores, referral)

    assert found(stores) == referral


@pytest.mark.parametrize("text", ["Zoë", "Žižka", "李", "O'Brien", "👩‍⚕️", '"', "\\", "\x00", "=1+1", "a" * 60_000])
def test_any_text_comes_back_as_it_went(stores, text):
    """Names are names, however they are spelled."""
    referral = replace(FULL, details={"patient": {"family_name": text}}, alias=text)
    store(stores, referral)

    assert found(stores) == referral


def test_no_referral_is_none(referrals):
    """Not there is not an error."""
    assert referrals.get(RID) is None
    assert referrals.get_with_parked(RID) == (None, [])


def test_a_referral_is_added_once(stores):
    """An id that is taken is refused."""
    store(stores, FULL)

    with pytest.raises(ConditionFailedError) as refusal:
        store(stores, BARE)

    assert set(refusal.value.items) == {"referral", "audit"}
    assert found(stores) == FULL


def test_a_change_is_saved_over_the_version_that_was_read(stores):
    """One version on."""
    store(stores, FULL)
    read = stores.referrals.get(RID)
    changed = replace(read, version=read.version + 1, urgency="routine")

    stores.transactions.commit(*stores.referrals.prepare_save(changed, build_audit_entry(changed)))

    assert found(stores) == replace(changed, audit_chain_head=EMPTY_CHAIN)


@pytest.mark.parametrize("version", [1, 17, 19])
def test_a_change_of_another_version_is_refused(stores, version):
    """Somebody else wrote since it was read, or it was never read."""
    store(stores, FULL)

    changed = replace(FULL, version=version)
    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(*stores.referrals.prepare_save(changed, build_audit_entry(changed)))

    assert found(stores) == FULL


def test_a_referral_that_is_not_there_cannot_be_saved(stores):
    """Saving is no way to make one."""
    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(*stores.referrals.prepare_save(FULL, build_audit_entry(FULL)))


def test_a_decisions_reading_can_be_held_to(stores):
    """As read, or still not there; else the transaction is refused."""
    other = build_referral(referral_id="ref_b")
    store(stores, FULL)

    stores.transactions.commit(stores.referrals.prepare_check_unchanged(RID, FULL))
    stores.transactions.commit(stores.referrals.prepare_check_unchanged("ref_b", None))

    for write in (
        stores.referrals.prepare_check_unchanged(RID, replace(FULL, version=16)),
        stores.referrals.prepare_check_unchanged(RID, None),
        stores.referrals.prepare_check_unchanged("ref_b", other),
    ):
        with pytest.raises(ConditionFailedError):
            stores.transactions.commit(write)


EVENTS = [
    build_stage_change(
        Stage.INFUSED,
        datetime(2026, 11, 2, 13, 0, 0, 123456, tzinfo=UTC),
        sequence=17,
        part=2,
        of=3,
        local_date=date(2026, 11, 1),
        reason_code="infection_hold",
        note="Fieber seit gestern, Zoë",
    ),
    build_stage_change(
        Stage.WITHDRAWN, actor=Actor.PRACTICE, source=EventSource.PRACTICE, actor_id="mem_1", actor_name="Zoë O'Brien"
    ),
]


@pytest.mark.parametrize("change", EVENTS, ids=["full", "bare"])
@pytest.mark.parametrize("status", EventStatus)
def test_an_event_comes_back_as_it_went(stores, change, status):
    """Every field, the note unsealed."""
    stores.transactions.commit(stores.referrals.prepare_log_event(change, status, practice_id="prc_1"))

    events, _ = stores.referrals.list_timeline(RID, limit=10, start=None)

    assert events == [LoggedEvent(event=change, status=status)]


def test_an_event_is_logged_once(stores):
    """History is never written over."""
    write = stores.referrals.prepare_log_event(EVENTS[0], EventStatus.APPLIED, practice_id="prc_1")
    stores.transactions.commit(write)

    with pytest.raises(ConditionFailedError) as refusal:
        stores.transactions.commit(write)

    assert set(refusal.value.items) == {"event"}


def test_the_timeline_is_in_the_order_of_truth_newest_first(stores):
    """By time, then sequence, then id, whatever the order of writing; page by page."""
    changes = [
        build_stage_change(Stage.ACCEPTED, NOON, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, event_id="c"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=9, event_id="b"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=10, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR + timedelta(microseconds=1), event_id="a"),
    ]
    for change in (changes[3], changes[0], changes[4], changes[2], changes[1]):
        stores.transactions.commit(stores.referrals.prepare_log_event(change, EventStatus.APPLIED, practice_id="prc_1"))

    first, position = stores.referrals.list_timeline(RID, limit=3, start=None)
    rest, end = stores.referrals.list_timeline(RID, limit=3, start=position)

    assert [event.event for event in (*first, *rest)] == changes[::-1]
    assert end is None


def test_a_decision_reads_the_referral_and_what_waits_and_no_history(stores):
    """In one strong query, however long the history is."""
    store(stores, FULL)
    waiting = [parked(1), parked(2, note="n")]
    stores.transactions.commit(*(stores.referrals.prepare_park(p) for p in waiting))
    for n in range(30):
        change = build_stage_change(Stage.ACCEPTED, NOON + n * HOUR)
        stores.transactions.commit(
            stores.referrals.prepare_log_event(change, EventStatus.RECORDED, practice_id="prc_1")
        )
    stores.encryption.encrypt(b"", scope="prc_cedar", context="warm")

    with faults.inject_faults(faults.plan_never) as calls:
        read = stores.referrals.get_with_parked(RID)

    assert (replace(read[0], audit_chain_head=EMPTY_CHAIN), read[1]) == (FULL, waiting)
    assert calls.operations == ["Query"]


def test_what_waits_for_a_referral_that_is_not_there_is_kept(stores):
    """A delivery may be quicker than the referral it is about."""
    stores.transactions.commit(stores.referrals.prepare_park(parked()))

    assert stores.referrals.get_with_parked(RID) == (None, [parked()])
    assert stores.referrals.get(RID) is None


def test_what_was_settled_no_longer_waits(stores):
    """And the others still do."""
    stores.transactions.commit(*(stores.referrals.prepare_park(parked(n)) for n in (1, 2)))

    stores.transactions.commit(stores.referrals.prepare_unpark(parked(1)))

    assert stores.referrals.get_with_parked(RID) == (None, [parked(2)])
