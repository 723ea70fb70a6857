"""The audit trail: rows are only appended, and they do not have what was read."""

import pytest

from chalicelib.domain.audit.hash_chain import GENESIS_HASH, hash_row
from chalicelib.store.audit.rows import AuditEntry, to_chained_row
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from tests.support.factories import NOON
from tests.support.stores import list_rows

ENTRY = AuditEntry(
    referral_id="ref_1",
    at=NOON,
    actor_id="mem_1",
    tenant_id="prc_1",
    action="referral.read",
    request_id="req_1",
    version=3,
)


def test_an_audit_row_names_people_ids_and_outcomes(stores):
    """And nothing else. The row has no attribute for what was read."""
    stores.audit_log.append(ENTRY)
    (row,) = list_rows("audit")

    for table_only in ("day", "placed_at"):
        row.pop(table_only)
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


def test_rows_of_the_same_microsecond_do_not_overwrite_each_other(stores):
    """Whether they are appended alone or in a transaction."""
    for _ in range(20):
        stores.audit_log.append(ENTRY)
    stores.transactions.commit(stores.audit_log.prepare_append(ENTRY))

    assert len(list_rows("audit")) == 21


def test_the_audit_log_has_no_method_that_changes_or_removes_a_row(stores):
    """It can only append and read."""
    public_names = {name for name in dir(stores.audit_log) if not name.startswith("_")}
    tables = {"table", "anchors"}
    read_methods = {
        "list_chained_rows",
        "list_day_page",
        "list_newest_rows",
        "list_organization_page",
        "list_rows_between",
        "list_rows_of_day",
        "list_stored_rows",
        "read_anchor",
        "read_head",
        "read_last_row",
    }

    assert public_names - tables - read_methods == {
        "append",
        "append_refusal",
        "prepare_anchor",
        "prepare_append",
        "prepare_append_after",
        "prepare_checkpoint",
    }


@pytest.mark.parametrize(
    "text", ["2026-11-02T12:00:00.000000Z", "0001-01-01T00:00:00.000001Z", "2100-12-31T23:59:59.999999Z"]
)
def test_a_timestamp_has_one_format(text):
    """Always in UTC and of the same length, so that text order is time order."""
    assert to_timestamp(from_timestamp(text)) == text
