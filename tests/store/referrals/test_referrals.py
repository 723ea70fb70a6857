"""Referrals, their events and their parked deliveries, in one partition."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN
from chalicelib.domain.referrals.events import EventSource, EventStatus
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion, MonitoringProfile, MonitoringWindow
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.store.platform.idempotency import hash_body
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import LoggedEvent, ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery
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
REFERRAL_ID = FULL.referral_id


@pytest.fixture
def referrals(stores):
    """The referrals."""
    return stores.referrals


def add_referrals(stores, *referrals):
    """Store referrals without their events."""
    for referral in referrals:
        stores.transactions.commit(*stores.referrals.prepare_add(referral, build_audit_entry(referral)))


def read_referral(stores):
    """The stored referral without the head of its audit chain."""
    return replace(stores.referrals.get(REFERRAL_ID), audit_chain_head=EMPTY_CHAIN)


def build_parked(n=1, **changed):
    """A delivery that waits for an earlier event."""
    change = build_stage_change(Stage.ACCEPTED, event_id=f"evt_{n}", **changed)
    delivery = Delivery(center_id="ctr_harbor", webhook_id=f"msg_{n}", body_hash=hash_body(b"{}"), received_at=NOON)
    return ParkedDelivery(delivery=delivery, event=change)


@pytest.mark.parametrize("referral", [FULL, BARE], ids=["full", "bare"])
def test_a_stored_referral_has_every_field(stores, referral):
    """Including the label values with which its monitoring window was opened."""
    add_referrals(stores, referral)

    assert read_referral(stores) == referral


@pytest.mark.parametrize("text", ["Zoë", "Žižka", "李", "O'Brien", "👩‍⚕️", '"', "\\", "\x00", "=1+1", "a" * 60_000])
def test_any_text_is_stored_unchanged(stores, text):
    """Names in any script, control characters, and a very long text."""
    referral = replace(FULL, details={"patient": {"family_name": text}}, alias=text)
    add_referrals(stores, referral)

    assert read_referral(stores) == referral


def test_an_unknown_referral_is_none(referrals):
    """It is not an error."""
    assert referrals.get(REFERRAL_ID) is None
    assert referrals.get_with_parked(REFERRAL_ID) == (None, [])


def test_a_second_referral_with_the_same_id_is_refused(stores):
    """The first one stays."""
    add_referrals(stores, FULL)

    with pytest.raises(ConditionFailedError) as error:
        add_referrals(stores, BARE)

    assert set(error.value.items) == {"referral", "audit"}
    assert read_referral(stores) == FULL


def test_a_save_succeeds_over_the_version_that_was_read(stores):
    """It stores the next version."""
    add_referrals(stores, FULL)
    read = stores.referrals.get(REFERRAL_ID)
    changed = replace(read, version=read.version + 1, urgency="routine")

    stores.transactions.commit(*stores.referrals.prepare_save(changed, build_audit_entry(changed)))

    assert read_referral(stores) == replace(changed, audit_chain_head=EMPTY_CHAIN)


@pytest.mark.parametrize("version", [1, 17, 19])
def test_a_save_over_another_version_is_refused(stores, version):
    """Someone else changed the referral after it was read, or it was never read."""
    add_referrals(stores, FULL)

    changed = replace(FULL, version=version)
    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(*stores.referrals.prepare_save(changed, build_audit_entry(changed)))

    assert read_referral(stores) == FULL


def test_saving_an_unknown_referral_is_refused(stores):
    """A save never creates a referral."""
    with pytest.raises(ConditionFailedError):
        stores.transactions.commit(*stores.referrals.prepare_save(FULL, build_audit_entry(FULL)))


def test_a_transaction_can_require_an_unchanged_referral(stores):
    """It is refused if the referral changed after it was read, or exists although it did not."""
    other = build_referral(referral_id="ref_b")
    add_referrals(stores, FULL)

    stores.transactions.commit(stores.referrals.prepare_check_unchanged(REFERRAL_ID, FULL))
    stores.transactions.commit(stores.referrals.prepare_check_unchanged("ref_b", None))

    for write in (
        stores.referrals.prepare_check_unchanged(REFERRAL_ID, replace(FULL, version=16)),
        stores.referrals.prepare_check_unchanged(REFERRAL_ID, None),
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
def test_a_stored_event_has_every_field(stores, change, status):
    """Including the encrypted note."""
    stores.transactions.commit(stores.referrals.prepare_log_event(change, status, practice_id="prc_1"))

    events, _ = stores.referrals.list_timeline(REFERRAL_ID, limit=10, start=None)

    assert events == [LoggedEvent(event=change, status=status)]


def test_an_event_of_the_history_is_never_overwritten(stores):
    """A second write with the same key is refused."""
    write = stores.referrals.prepare_log_event(EVENTS[0], EventStatus.APPLIED, practice_id="prc_1")
    stores.transactions.commit(write)

    with pytest.raises(ConditionFailedError) as error:
        stores.transactions.commit(write)

    assert set(error.value.items) == {"event"}


def test_the_timeline_is_in_replay_order_newest_first(stores):
    """By time, then sequence, then id, whatever the order of the writes; page by page."""
    changes = [
        build_stage_change(Stage.ACCEPTED, NOON, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, event_id="c"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=9, event_id="b"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR, sequence=10, event_id="a"),
        build_stage_change(Stage.ACCEPTED, NOON + HOUR + timedelta(microseconds=1), event_id="a"),
    ]
    for change in (changes[3], changes[0], changes[4], changes[2], changes[1]):
        stores.transactions.commit(stores.referrals.prepare_log_event(change, EventStatus.APPLIED, practice_id="prc_1"))

    first, position = stores.referrals.list_timeline(REFERRAL_ID, limit=3, start=None)
    rest, end = stores.referrals.list_timeline(REFERRAL_ID, limit=3, start=position)

    assert [event.event for event in (*first, *rest)] == changes[::-1]
    assert end is None


def test_a_decision_reads_the_referral_and_its_parked_events_but_no_history(stores):
    """In one strongly consistent query, however long the history is."""
    add_referrals(stores, FULL)
    parked = [build_parked(1), build_parked(2, note="n")]
    stores.transactions.commit(*(stores.referrals.prepare_park(delivery) for delivery in parked))
    for n in range(30):
        change = build_stage_change(Stage.ACCEPTED, NOON + n * HOUR)
        stores.transactions.commit(
            stores.referrals.prepare_log_event(change, EventStatus.RECORDED, practice_id="prc_1")
        )
    stores.encryption.encrypt(b"", scope="prc_cedar", context="warm")

    with faults.inject_faults(faults.plan_never) as calls:
        read = stores.referrals.get_with_parked(REFERRAL_ID)

    assert (replace(read[0], audit_chain_head=EMPTY_CHAIN), read[1]) == (FULL, parked)
    assert calls.operations == ["Query"]


def test_deliveries_are_parked_before_their_referral_exists_and_unparked_one_by_one(stores):
    """A delivery can arrive before the referral that it is about."""
    stores.transactions.commit(*(stores.referrals.prepare_park(build_parked(n)) for n in (1, 2)))
    assert stores.referrals.get_with_parked(REFERRAL_ID) == (None, [build_parked(1), build_parked(2)])
    assert stores.referrals.get(REFERRAL_ID) is None

    stores.transactions.commit(stores.referrals.prepare_unpark(build_parked(1)))

    assert stores.referrals.get_with_parked(REFERRAL_ID) == (None, [build_parked(2)])
