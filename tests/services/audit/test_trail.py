"""The audit trail finds what was done to it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import wiring
from chalicelib.services.audit import trail as audits
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import CHECKPOINTS
from tests.support.api_driver import ApiDriver
from tests.support.tampering import Rows, apply_tampering, build_tampering, read_rows

TRIES = 100


def verified(clinic: ApiDriver) -> audits.AuditVerification:
    now = wiring.read_clock()
    first = (now - timedelta(hours=1)).date()
    return audits.verify_audit_trail(context=RunContext(clinic.stores, now), first_day=first)


@pytest.fixture
def audited_api(api: ApiDriver) -> ApiDriver:
    """A clinic in which people referred, moved, read and were refused, counted since."""
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


def test_an_untouched_trail_has_no_breaks(audited_api: ApiDriver):
    """What the product writes verifies."""
    found = verified(audited_api)

    assert found.breaks == []
    assert found.rows == len(read_rows())
    assert found.checkpoints == 3


def test_every_random_tampering_is_found(audited_api: ApiDriver):
    """Edits, deletions, insertions, swaps, cuts and several at once never go unseen."""
    before = read_rows()
    unseen = []
    for seed in range(TRIES):
        done, after = build_tampering(before, seed)
        with apply_tampering(before, after):
            if not verified(audited_api).breaks:
                unseen.append((seed, done))

    assert unseen == []
    assert verified(audited_api).breaks == []


def test_a_referral_without_any_row_is_found(api: ApiDriver):
    """No index knows of a chain that is gone; the referral does."""
    referral_id = api.refer()["referral_id"]
    before = read_rows()

    with apply_tampering(before, without(before, referral_id)):
        found = verified(api)

    assert [(each.chain, each.problem) for each in found.breaks] == [(referral_id, "does not end at the expected row")]


@pytest.mark.parametrize("last", [1, 2, 3])
def test_checkpoints_that_are_gone_are_missed(audited_api: ApiDriver, last: int):
    """The last ones, or all: where they end is kept in another table."""
    before = read_rows()
    after = {p: row for p, row in before.items() if p[0] != CHECKPOINTS or p[1] < last}

    with apply_tampering(before, after):
        found = verified(audited_api)

    assert CHECKPOINTS in {each.chain for each in found.breaks}


def test_checkpoints_leave_no_time_between_them(audited_api: ApiDriver):
    """Each begins where the one before it ended, so that no row falls between two."""
    spans = [(row["since"], row["upto"]) for place, row in sorted(read_rows().items()) if place[0] == CHECKPOINTS]

    assert all(ends == begins for (_, ends), (begins, _) in pairwise(spans))


def test_an_anchor_that_is_not_ours_is_none(audited_api: ApiDriver):
    """Whoever may write the keys' table too cannot say where the checkpoints end."""
    audited_api.stores.audit_log.anchors.put({"scope": "checkpoints", "sealed": b"made up"})

    assert [each.chain for each in verified(audited_api).breaks] == [CHECKPOINTS]
