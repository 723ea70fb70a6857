"""Counts of a long list, with a snapshot of it: always the same as those of the whole list."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.errors import ApiError, UnavailableError
from chalicelib.services.referrals import count
from chalicelib.services.referrals.unread import mark_viewed
from chalicelib.store.referrals.items import ReferralItems
from chalicelib.store.referrals.list_snapshots import ListSnapshots, StoredSnapshot
from infra.erasure.erase import ErasureReason, erase_referrals
from infra.list_snapshots import forget_snapshots
from tests.support import faults, whole_lists
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.stores import list_rows

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SETTLED = count.INDEX_IS_CURRENT_AFTER + MINUTE
READER = build_member(PRACTICE)
PATH = ("received", "accepted", "consult_scheduled", "consult_completed", "center_proceed", "apheresis_completed")


@pytest.fixture(autouse=True)
def _short_lists_have_snapshots():
    """As long lists have."""
    with whole_lists.snapshots_of_short_lists():
        yield


@pytest.fixture
def four_referrals(services, monkeypatch):
    """Four referrals of a practice at two centers, whose counts made a snapshot."""
    monkeypatch.setattr(wiring, "read_clock", lambda: services.now)
    for n, center in enumerate((CENTER, CENTER, OTHER_CENTER, CENTER)):
        services.now = NOON + n * MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}", center_id=center.tenant_id)
    services.now += SETTLED
    count_for(services)
    services.now += SETTLED
    return services


def count_for(services, member=READER):
    """Count for a member."""
    return whole_lists.count_for(member, services.context)


def count_whole_list(services, member=READER):
    """Count for a member without a snapshot."""
    return whole_lists.count_whole_list(member, services.context)


def record_decrypted(monkeypatch):
    """Record the rows that are decrypted."""
    decrypted, real = [], ReferralItems.row_to_summary

    def row_to_summary(self, row):
        decrypted.append(row["referral_id"])
        return real(self, row)

    monkeypatch.setattr(ReferralItems, "row_to_summary", row_to_summary)
    return decrypted


def find_snapshot_row(tenant=PRACTICE):
    """Return the row of a tenant's snapshot."""
    [row] = [row for row in list_rows("idempotency") if row["scope_key"] == f"list#{tenant.tenant_id}"]
    return row


def change_something(services, rng, ids):
    """Make a random change, or read something, as either team; some are refused."""
    referral_id = rng.choice(ids)
    match rng.randrange(6):
        case 0 | 1:
            ids.append(f"ref_{len(ids)}")
            services.refer(
                ids[-1],
                key=ids[-1],
                submit=rng.random() < 0.8,
                member=build_member(rng.choice([PRACTICE, PRACTICE, OTHER_PRACTICE])),
                center_id=rng.choice([CENTER, OTHER_CENTER]).tenant_id,
                product_id=rng.choice(["carvykti", "abecma", None]),
                patient__alias=f"Heron {len(ids)}",
                referring_provider__name=rng.choice(["Dr. Maya Lindqvist", "Dr. M. Lindqvist"]),
            )
        case 2 | 3:
            stage = rng.choice([*PATH, "declined", "deceased"])
            services.deliver(stage, referral_id=referral_id, webhook_id=f"{referral_id}-{services.now}")
        case 4:
            member = build_member(rng.choice([PRACTICE, CENTER]))
            services.report(rng.choice(PATH), referral_id=referral_id, member=member, key=f"{services.now}")
        case 5:
            referral = services.stores.referrals.get(referral_id)
            member = build_member(rng.choice([PRACTICE, CENTER]))
            mark_viewed(referral_id, version=referral.version, member=member, context=services.context)


@pytest.mark.parametrize("seed", range(8))
def test_counts_with_a_snapshot_are_those_of_the_whole_list(services, seed):
    """After any history: for both teams and for two readers of one, minutes and months later."""
    rng, ids = random.Random(seed), ["ref_0"]  # noqa: S311 a test repeats
    services.refer("ref_0", key="ref_0", patient__alias="Heron 0")
    readers = [READER, build_member(CENTER), build_member(PRACTICE, role=Role.PROVIDER), build_member(OTHER_CENTER)]
    for _ in range(25):
        services.now += rng.choice([MINUTE, SETTLED, SETTLED, HOUR, 7 * HOUR, 16 * HOUR, 40 * DAY])
        for _ in range(rng.randrange(4)):
            services.now += MINUTE
            with suppress(ApiError):
                change_something(services, rng, ids)
        for reader in rng.sample(readers, 2):
            assert count_for(services, reader) == count_whole_list(services, reader)


def test_only_what_changed_since_is_decrypted(four_referrals, monkeypatch):
    """Of a list with a snapshot."""
    four_referrals.deliver("received", referral_id="ref_1")
    decrypted = record_decrypted(monkeypatch)

    counts = count_for(four_referrals)

    assert decrypted == ["ref_1"]
    assert counts.stages == {"submitted": 3, "received": 1}


def test_many_changes_since_are_all_counted(four_referrals):
    """More than the first read returns."""
    for n in (0, 1, 3):
        four_referrals.deliver("received", referral_id=f"ref_{n}", webhook_id=f"msg-{n}")

    assert count_for(four_referrals).stages == {"submitted": 1, "received": 3}


def test_a_change_with_a_slow_clock_is_counted(four_referrals):
    """It comes after the snapshot, and its time before it."""
    now = four_referrals.now
    four_referrals.now -= SETTLED + 5 * MINUTE
    four_referrals.deliver("received", referral_id="ref_1")
    four_referrals.now = now

    assert count_for(four_referrals).stages == {"submitted": 3, "received": 1}


def test_a_step_becomes_late_without_a_change(four_referrals):
    """At the beginning of the day in the zone of the practice, as in the list."""
    four_referrals.now = NOON + DAY + HOUR
    before = count_whole_list(four_referrals).worklists[Worklist.LATE]
    count_for(four_referrals)
    four_referrals.now += 23 * HOUR

    counts = count_for(four_referrals)

    assert (before, counts.worklists[Worklist.LATE]) == (0, 4)
    assert counts == count_whole_list(four_referrals)


@pytest.mark.parametrize(
    "make_unusable",
    [
        lambda services, _: setattr(services, "now", services.now + count.USED_FOR + HOUR),
        lambda services, _: setattr(services, "now", services.now - 3 * HOUR),
        lambda _, monkeypatch: monkeypatch.setattr(count, "VERSION", "0.0.1"),
        lambda _, monkeypatch: monkeypatch.setattr(count, "SNAPSHOT_FORMAT", 99),
        lambda services, _: services.stores.list_snapshots.table.update(
            {"scope_key": "list#prc_cedar"},
            "SET content = :c",
            when="attribute_exists(content)",
            values={"c": b"\x01x"},
        ),
        lambda services, _: forget_snapshots(services.stores),
    ],
    ids=["a day old", "from a clock that is ahead", "another release", "another format", "damaged", "forgotten"],
)
def test_a_snapshot_that_cannot_be_used_is_not(four_referrals, monkeypatch, make_unusable):
    """The whole list is counted instead."""
    make_unusable(four_referrals, monkeypatch)
    decrypted = record_decrypted(monkeypatch)

    counts = count_for(four_referrals)

    assert sorted(set(decrypted)) == ["ref_0", "ref_1", "ref_2", "ref_3"]
    assert counts.stages == {"submitted": 4}


def test_a_snapshot_of_another_tenant_does_not_open(four_referrals, monkeypatch):
    """A row that was moved in the table is counted for no one."""
    four_referrals.refer("ref_9", key="key-9", member=build_member(OTHER_PRACTICE))
    row = find_snapshot_row()
    four_referrals.stores.list_snapshots.table.put(row | {"scope_key": f"list#{OTHER_PRACTICE.tenant_id}"})

    assert count_for(four_referrals, build_member(OTHER_PRACTICE)).stages == {"submitted": 1}


def erase(services, referral_id, *, begun_at=None):
    """Begin to erase a patient, which removes the referral from all lists, in a run that began now or before."""
    context = replace(services.context, now=begun_at or services.now)
    next(erase_referrals([referral_id], ErasureReason.PATIENT_REQUEST, actor_id="operator", context=context))


def test_an_erased_referral_is_counted_no_more(four_referrals):
    """At once, for both teams, and nothing about it stays in a snapshot."""
    count_for(four_referrals, build_member(CENTER))

    erase(four_referrals, "ref_0")

    assert "content" not in find_snapshot_row()
    assert "content" not in find_snapshot_row(CENTER)
    assert count_for(four_referrals).stages == {"submitted": 3}
    assert count_for(four_referrals, build_member(CENTER)).stages == {"submitted": 2}


def test_no_snapshot_is_stored_shortly_after_an_erasure(four_referrals):
    """The index can still have the erased row for a moment."""
    erase(four_referrals, "ref_0")
    count_for(four_referrals)
    soon = find_snapshot_row()
    four_referrals.now += SETTLED
    count_for(four_referrals)

    assert ("content" in soon, "content" in find_snapshot_row()) == (False, True)


def test_a_snapshot_that_was_being_made_during_an_erasure_is_not_stored(four_referrals, monkeypatch):
    """It has the erased referral. All that a run erases has the time at which the run began."""
    begun_at = four_referrals.now
    erase(four_referrals, "ref_1", begun_at=begun_at)
    four_referrals.now += 3 * SETTLED
    real = ListSnapshots.save

    def save(self, *arguments, **options):
        monkeypatch.setattr(ListSnapshots, "save", real)
        erase(four_referrals, "ref_0", begun_at=begun_at)
        return self.save(*arguments, **options)

    monkeypatch.setattr(ListSnapshots, "save", save)
    count_for(four_referrals)

    assert "content" not in find_snapshot_row()


def test_a_snapshot_is_not_stored_shortly_after_an_erasure_of_a_long_run(four_referrals):
    """What counts is when it erased, and not when it began."""
    begun_at = four_referrals.now
    four_referrals.now += 3 * SETTLED
    erase(four_referrals, "ref_0", begun_at=begun_at)
    count_for(four_referrals)

    assert "content" not in find_snapshot_row()


def test_a_snapshot_from_the_future_is_replaced(four_referrals):
    """A clock was ahead; otherwise the whole list would be counted until then."""
    before = find_snapshot_row()["as_of"]
    four_referrals.now -= 3 * HOUR
    count_for(four_referrals)

    assert find_snapshot_row()["as_of"] < before


def test_counts_do_not_fail_while_an_erasure_forgets_the_snapshot(four_referrals):
    """DynamoDB refuses a write to an item that a transaction is writing."""
    forget_snapshots(four_referrals.stores)
    four_referrals.now += SETTLED

    with faults.inject_faults(lambda _, operation: FaultMode.CONFLICT if operation == "PutItem" else None) as calls:
        assert count_for(four_referrals).stages == {"submitted": 4}
    assert calls.count_faults


def test_a_list_that_is_too_long_gets_no_snapshot(four_referrals, monkeypatch):
    """None of its size could be stored, so none is packed."""
    monkeypatch.setattr(count, "MAX_ROWS_OF_SNAPSHOT", 3)
    monkeypatch.setattr(count, "pack_snapshot", None)
    four_referrals.now += count.USED_FOR + HOUR

    assert count_for(four_referrals).stages == {"submitted": 4}


def test_an_older_snapshot_does_not_replace_a_newer_one(four_referrals):
    """Of two functions that make one, the slower one stores nothing."""
    stored = four_referrals.stores.list_snapshots.read(PRACTICE.tenant_id)

    was_saved = four_referrals.stores.list_snapshots.save(
        PRACTICE.tenant_id,
        b"older",
        as_of=stored.as_of - MINUTE,
        made_with=stored.made_with,
        read_before=StoredSnapshot(),
    )

    assert was_saved is False
    assert four_referrals.stores.list_snapshots.read(PRACTICE.tenant_id) == stored


def test_counts_do_not_depend_on_whether_a_snapshot_can_be_stored(four_referrals, monkeypatch):
    """DynamoDB may refuse a write at this moment."""
    forget_snapshots(four_referrals.stores)
    four_referrals.now += SETTLED

    def save(*_arguments, **_options):
        raise UnavailableError

    monkeypatch.setattr(ListSnapshots, "save", save)

    assert count_for(four_referrals).stages == {"submitted": 4}


def test_a_snapshot_that_is_too_large_is_not_stored(four_referrals, monkeypatch):
    """An item has a limit, and the list is counted then."""
    monkeypatch.setattr("chalicelib.store.referrals.list_snapshots.MAX_BYTES", 10)
    four_referrals.now += count.USED_FOR + HOUR
    before = find_snapshot_row()

    assert count_for(four_referrals).stages == {"submitted": 4}
    assert find_snapshot_row() == before


def test_a_short_list_gets_no_snapshot(services, monkeypatch):
    """It is counted as fast without one."""
    monkeypatch.setattr(count, "MIN_ROWS_OF_SNAPSHOT", 1_000)
    services.refer()

    count_for(services)

    assert [row for row in list_rows("idempotency") if row["scope_key"].startswith("list#")] == []


def test_a_snapshot_is_encrypted(four_referrals):
    """A copy of the table shows how many bytes it has, its time, its release and its time zone."""
    row = find_snapshot_row()
    plaintext = four_referrals.stores.list_snapshots.decrypt(row["content"], PRACTICE.tenant_id)

    assert b"submitted" in plaintext
    assert b"submitted" not in row["content"]
    assert sorted(row) == ["as_of", "content", "expires_at", "made_with", "scope_key"]


def test_a_snapshot_does_not_identify_a_patient(four_referrals):
    """It has neither the id of a referral nor what a person knows of a patient."""
    plaintext = four_referrals.stores.list_snapshots.decrypt(find_snapshot_row()["content"], PRACTICE.tenant_id)
    referral = four_referrals.get_referral("ref_0")
    patient = [str(referral.details["patient"][name]) for name in ("family_name", "given_name", "birth_date", "mrn")]

    assert [text for text in (*patient, referral.alias, "ref_") if text.encode() in plaintext] == []
