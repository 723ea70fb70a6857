"""The audit trail finds what was done to it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import wiring
from chalicelib.services.audit import trail as audits
from chalicelib.store.audit.rows import CHECKPOINTS
from tests.support.clinic import Clinic
from tests.support.tampering import Rows, stored, tampered, tampering

TRIES = 100


def verified(clinic: Clinic) -> audits.Findings:
    now = wiring.now()
    first = (now - timedelta(hours=1)).date()
    return audits.verify(stores=clinic.stores, now=now, first_day=first)


@pytest.fixture
def used(clinic: Clinic) -> Clinic:
    """A clinic in which people referred, moved, read and were refused, counted since."""
    for minutes in (-20, -10):
        audits.checkpoint(stores=clinic.stores, now=wiring.now() + timedelta(minutes=minutes))
    referral_id = clinic.refer()["referral_id"]
    clinic.move_to(referral_id, "received", "accepted")
    for site in (clinic.practice, clinic.other_practice, clinic.center):
        site.get(f"/v1/referrals/{referral_id}")
    clinic.practice.get("/v1/referrals")
    audits.checkpoint(stores=clinic.stores, now=wiring.now() + timedelta(minutes=30))
    return clinic


def without(rows: Rows, *chains: str) -> Rows:
    return {place: row for place, row in rows.items() if place[0] not in chains}


def test_an_untouched_trail_has_no_breaks(used: Clinic):
    """What the product writes verifies."""
    found = verified(used)

    assert found.breaks == []
    assert found.rows == len(stored())
    assert found.checkpoints == 3


def test_every_random_tampering_is_found(used: Clinic):
    """Edits, deletions, insertions, swaps, cuts and several at once never go unseen."""
    before = stored()
    unseen = []
    for seed in range(TRIES):
        done, after = tampering(before, seed)
        with tampered(before, after):
            if not verified(used).breaks:
                unseen.append((seed, done))

    assert unseen == []
    assert verified(used).breaks == []


def test_a_referral_without_any_row_is_found(clinic: Clinic):
    """No index knows of a chain that is gone; the referral does."""
    referral_id = clinic.refer()["referral_id"]
    before = stored()

    with tampered(before, without(before, referral_id)):
        found = verified(clinic)

    assert [(each.chain, each.what) for each in found.breaks] == [
        (referral_id, "does not end where it should")
    ]


@pytest.mark.parametrize("last", [1, 2, 3])
def test_checkpoints_that_are_gone_are_missed(used: Clinic, last: int):
    """The last ones, or all: where they end is kept in another table."""
    before = stored()
    after = {p: row for p, row in before.items() if p[0] != CHECKPOINTS or p[1] < last}

    with tampered(before, after):
        found = verified(used)

    assert CHECKPOINTS in {each.chain for each in found.breaks}


def test_checkpoints_leave_no_time_between_them(used: Clinic):
    """Each begins where the one before it ended, so that no row falls between two."""
    spans = [
        (row["since"], row["upto"])
        for place, row in sorted(stored().items())
        if place[0] == CHECKPOINTS
    ]

    assert all(ends == begins for (_, ends), (begins, _) in pairwise(spans))


def test_an_anchor_that_is_not_ours_is_none(used: Clinic):
    """Whoever may write the keys' table too cannot say where the checkpoints end."""
    used.stores.audit.anchors.put({"scope": "checkpoints", "sealed": b"made up"})

    assert [each.chain for each in verified(used).breaks] == [CHECKPOINTS]
