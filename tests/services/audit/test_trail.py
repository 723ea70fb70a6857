"""Verification of the audit trail finds every change to it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import wiring
from chalicelib.services.audit import trail as audits
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import CHECKPOINTS
from tests.support.api_driver import ApiDriver
from tests.support.tampering import Rows, apply_tampering, build_tampering, read_rows

TAMPERINGS = 100


def verify(api: ApiDriver) -> audits.AuditVerification:
    now = wiring.read_clock()
    first = (now - timedelta(hours=1)).date()
    return audits.verify_audit_trail(context=RunContext(api.stores, now), first_day=first)


@pytest.fixture
def audited_api(api: ApiDriver) -> ApiDriver:
    """An API with a referral, events, reads and refusals in the audit trail, and a checkpoint after them."""
    for minutes in (-20, -10):
        audits.write_checkpoint(context=RunContext(api.stores, wiring.read_clock() + timedelta(minutes=minutes)))
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, "received", "accepted")
    for site in (api.practice, api.other_practice, api.center):
        site.get(f"/v1/referrals/{referral_id}")
    api.practice.get("/v1/referrals")
    audits.write_checkpoint(context=RunContext(api.stores, wiring.read_clock() + timedelta(minutes=30)))
    return api


def without(rows: Rows, *chains: str) -> Rows:
    return {place: row for place, row in rows.items() if place[0] not in chains}


def test_an_unchanged_trail_has_no_breaks(audited_api: ApiDriver):
    """Everything that the product writes passes verification."""
    result = verify(audited_api)

    assert result.breaks == []
    assert result.rows == len(read_rows())
    assert result.checkpoints == 3


def test_every_random_tampering_is_found(audited_api: ApiDriver):
    """Edits, deletions, insertions, swaps, truncations and combinations of them."""
    before = read_rows()
    missed = []
    for seed in range(TAMPERINGS):
        changes, after = build_tampering(before, seed)
        with apply_tampering(before, after):
            if not verify(audited_api).breaks:
                missed.append((seed, changes))

    assert missed == []
    assert verify(audited_api).breaks == []


def test_a_referral_without_any_audit_row_is_found(api: ApiDriver):
    """No index knows a deleted chain, but the referral does."""
    referral_id = api.refer()["referral_id"]
    before = read_rows()

    with apply_tampering(before, without(before, referral_id)):
        result = verify(api)

    assert [(found.chain, found.problem) for found in result.breaks] == [
        (referral_id, "does not end at the expected row")
    ]


@pytest.mark.parametrize("last", [1, 2, 3])
def test_deleted_checkpoints_are_found(audited_api: ApiDriver, last: int):
    """The last ones or all of them, because another table keeps their head."""
    before = read_rows()
    after = {place: row for place, row in before.items() if place[0] != CHECKPOINTS or place[1] < last}

    with apply_tampering(before, after):
        result = verify(audited_api)

    assert CHECKPOINTS in {found.chain for found in result.breaks}


def test_checkpoints_have_no_gap_between_them(audited_api: ApiDriver):
    """Each begins where the one before it ended, so that every row is counted."""
    spans = [(row["since"], row["upto"]) for place, row in sorted(read_rows().items()) if place[0] == CHECKPOINTS]

    assert all(end == start for (_, end), (start, _) in pairwise(spans))


def test_a_forged_anchor_is_found(audited_api: ApiDriver):
    """Write access to the table of keys is not enough to change the head of the checkpoints."""
    audited_api.stores.audit_log.anchors.put({"scope": "checkpoints", "sealed": b"made up"})

    assert [found.chain for found in verify(audited_api).breaks] == [CHECKPOINTS]
