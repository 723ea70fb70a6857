"""No code path changes a referral without saying so in its audit trail."""

from dataclasses import replace

import pytest

from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.require_audit_row import MissingAuditRowError
from tests.support import stores as shelves
from tests.support.factories import NOON
from tests.support.referral_values import build_referral

REFERRAL = build_referral(version=1)


def entry_about(referral_id):
    return AuditEntry(referral_id=referral_id, at=NOON, actor_id="mem_1", tenant_id="prc_1", action="x")


@pytest.fixture
def stored_referral(stores):
    """Stores with a referral in them."""
    entry = entry_about(REFERRAL.referral_id)
    stores.transactions.commit(*stores.referrals.prepare_add(REFERRAL, entry))
    return stores


def changes(stores):
    """Each write that changes a referral, with the audit row that belongs to it."""
    again = stores.referrals.get(REFERRAL.referral_id)
    entry = entry_about(REFERRAL.referral_id)
    saving, auditing = stores.referrals.prepare_save(replace(again, version=2), entry)
    head = {"referral_id": REFERRAL.referral_id, "item": "referral"}
    table = stores.referrals.table
    yield saving, auditing
    yield table.prepare_delete("referral", head), auditing
    yield table.prepare_update("x", head, "SET a = :a", when=":a = :a", values={"a": 1}), auditing


@pytest.mark.parametrize("number", range(3), ids=["saving", "deleting", "updating"])
def test_a_change_of_a_referral_alone_is_refused(stored_referral, number):
    """Whoever takes the one write of two and leaves the other writes nothing."""
    change, auditing = list(changes(stored_referral))[number]
    before = shelves.dump_tables()

    with pytest.raises(MissingAuditRowError):
        stored_referral.transactions.commit(change)

    assert shelves.dump_tables() == before
    stored_referral.transactions.commit(change, auditing)


def test_an_audit_row_about_another_referral_does_not_count(stored_referral):
    """The row has to name the referral that changes."""
    change, _ = next(changes(stored_referral))

    with pytest.raises(MissingAuditRowError):
        stored_referral.transactions.commit(
            change, stored_referral.audit_log.prepare_append(entry_about("ref_another"))
        )


def test_what_only_looks_at_a_referral_needs_no_row_in_the_transaction(stored_referral):
    """A condition on it changes nothing."""
    stored_referral.transactions.commit(
        stored_referral.referrals.prepare_check_unchanged(REFERRAL.referral_id, REFERRAL)
    )
