"""The record of who touched what: only ever added to, and without what was read."""

import pytest

from chalicelib.domain.audit.hash_chain import GENESIS_HASH, hash_row
from chalicelib.store.audit.rows import AuditEntry, to_chained_row
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from tests.support import stores as shelves
from tests.support.factories import NOON

ENTRY = AuditEntry(
    referral_id="ref_1",
    at=NOON,
    actor_id="mem_1",
    tenant_id="prc_1",
    action="referral.read",
    request_id="req_1",
    version=3,
)


def test_an_entry_names_people_ids_and_outcomes(stores):
    """And nothing else; the row has no place for what was read."""
    stores.audit_log.append(ENTRY)
    (row,) = shelves.list_rows("audit")

    for of_the_table in ("day", "placed_at"):
        row.pop(of_the_table)
    assert row.pop("hash") == hash_row(to_chained_row(row))
    assert row == {
        "referral_id": "ref_1/reads",
        "entry": "000000000001",
        "seq": 1,
        "prev": GENESIS_HASH,
        "subject": "ref_1",
        "at": "2026-11-02T12:00:00.000000Z",
        "actor_id": "mem_1",
        "tenant_id": "prc_1",
        "action": "referral.read",
        "outcome": "allowed",
        "request_id": "req_1",
        "version": 3,
    }


def test_entries_of_one_microsecond_stand_beside_each_other(stores):
    """None overwrites another."""
    for _ in range(20):
        stores.audit_log.append(ENTRY)

    assert len(shelves.list_rows("audit")) == 20


def test_an_entry_is_part_of_the_transaction_that_it_reports(stores):
    """Written with it or not at all."""
    stores.transactions.commit(stores.audit_log.prepare_append(ENTRY))

    assert len(shelves.list_rows("audit")) == 1


def test_the_audit_can_change_and_remove_nothing(stores):
    """It has ways to add and to read, and no other."""
    ways = {name for name in dir(stores.audit_log) if not name.startswith("_")}
    tables = {"table", "anchors"}
    reading = {
        "list_chained_rows",
        "list_rows_between",
        "list_rows_of_day",
        "list_stored_rows",
        "read_anchor",
        "read_head",
        "read_last_row",
    }

    assert ways - tables - reading == {
        "append",
        "prepare_anchor",
        "prepare_append",
        "prepare_append_after",
        "prepare_checkpoint",
    }


@pytest.mark.parametrize(
    "text", ["2026-11-02T12:00:00.000000Z", "0001-01-01T00:00:00.000001Z", "2100-12-31T23:59:59.999999Z"]
)
def test_an_instant_is_spelled_one_way(text):
    """Always in UTC and of one length, so that it sorts as time does."""
    assert to_timestamp(from_timestamp(text)) == text
