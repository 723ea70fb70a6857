"""A transaction that changes a referral must have an audit row about it."""

from dataclasses import replace

import pytest

from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.require_audit_row import MissingAuditRowError
from tests.support.factories import NOON
from tests.support.referral_values import build_referral
from tests.support.stores import dump_tables

REFERRAL = build_referral(version=1)


def build_entry(referral_id):
    return AuditEntry(referral_id=referral_id, at=NOON, actor_id="mem_1", tenant_id="prc_1", action="x")


@pytest.fixture
def stored_referral(stores):
    """Stores that have one referral."""
    entry = build_entry(REFERRAL.referral_id)
    stores.transactions.commit(*stores.referrals.prepare_add(REFERRAL, entry))
    return stores


def list_changes(stores):
    """Each kind of write that changes a referral, with its audit row."""
    stored = stores.referrals.get(REFERRAL.referral_id)
    entry = build_entry(REFERRAL.referral_id)
    save, audit_row = stores.referrals.prepare_save(replace(stored, version=2), entry)
    key = {"referral_id": REFERRAL.referral_id, "item": "referral"}
    table = stores.referrals.table
    yield save, audit_row
    yield table.prepare_delete("referral", key), audit_row
    yield table.prepare_update("x", key, "SET a = :a", when=":a = :a", values={"a": 1}), audit_row


@pytest.mark.parametrize("number", range(3), ids=["put", "delete", "update"])
def test_a_change_without_an_audit_row_is_refused(stored_referral, number):
    """Nothing is written. With the audit row, the same change is committed."""
    change, audit_row = list(list_changes(stored_referral))[number]
    before = dump_tables()

    with pytest.raises(MissingAuditRowError):
        stored_referral.transactions.commit(change)

    assert dump_tables() == before
    stored_referral.transactions.commit(change, audit_row)


def test_an_audit_row_about_another_referral_does_not_count(stored_referral):
    """The row must name the referral that changes."""
    change, _ = next(list_changes(stored_referral))

    with pytest.raises(MissingAuditRowError):
        stored_referral.transactions.commit(
            change, stored_referral.audit_log.prepare_append(build_entry("ref_another"))
        )


def test_a_condition_on_a_referral_needs_no_audit_row(stored_referral):
    """It changes nothing."""
    stored_referral.transactions.commit(
        stored_referral.referrals.prepare_check_unchanged(REFERRAL.referral_id, REFERRAL)
    )
