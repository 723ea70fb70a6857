"""No code path changes a referral without saying so in its audit trail."""

from dataclasses import replace

import pytest

from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.require_audit_row import UnauditedError
from tests.support import shelves
from tests.support.factories import NOON
from tests.support.journey import a_referral

REFERRAL = a_referral(version=1)


def entry_about(referral_id):
    return AuditEntry(
        referral_id=referral_id, at=NOON, actor_id="mem_1", tenant_id="prc_1", action="x"
    )


@pytest.fixture
def kept(stores):
    """Stores with a referral in them."""
    entry = entry_about(REFERRAL.referral_id)
    stores.ledger.commit(*stores.referrals.adding(REFERRAL, entry))
    return stores


def changes(stores):
    """Each write that changes a referral, with the audit row that belongs to it."""
    again = stores.referrals.get(REFERRAL.referral_id)
    entry = entry_about(REFERRAL.referral_id)
    saving, auditing = stores.referrals.saving(replace(again, version=2), entry)
    head = {"referral_id": REFERRAL.referral_id, "item": "referral"}
    table = stores.referrals.table
    yield saving, auditing
    yield table.deleting("referral", head), auditing
    yield table.updating("x", head, "SET a = :a", when=":a = :a", values={"a": 1}), auditing


@pytest.mark.parametrize("number", range(3), ids=["saving", "deleting", "updating"])
def test_a_change_of_a_referral_alone_is_refused(kept, number):
    """Whoever takes the one write of two and leaves the other writes nothing."""
    change, auditing = list(changes(kept))[number]
    before = shelves.dump()

    with pytest.raises(UnauditedError):
        kept.ledger.commit(change)

    assert shelves.dump() == before
    kept.ledger.commit(change, auditing)


def test_an_audit_row_about_another_referral_does_not_count(kept):
    """The row has to name the referral that changes."""
    change, _ = next(changes(kept))

    with pytest.raises(UnauditedError):
        kept.ledger.commit(change, kept.audit.appending(entry_about("ref_another")))


def test_what_only_looks_at_a_referral_needs_no_row_in_the_transaction(kept):
    """A condition on it changes nothing."""
    kept.ledger.commit(kept.referrals.unchanged(REFERRAL.referral_id, REFERRAL))
