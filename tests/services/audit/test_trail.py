"""Verification of the audit trail finds every change to it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chalicelib import wiring
from chalicelib.aws import get_error_code
from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.errors import UnavailableError
from chalicelib.services.audit.checkpoints import write_checkpoint
from chalicelib.services.audit.verification import (
    PROTECTED_AFTER,
    AuditVerification,
    verify_audit_trail,
    verify_checkpoints,
)
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.heads import AuditHeads
from chalicelib.store.audit.rows import CHECKPOINTS
from tests.support import aws_fakes as cloud
from tests.support.api_driver import ApiDriver
from tests.support.tampering import Rows, apply_tampering, build_tampering, read_rows

TAMPERINGS = 100


def verify(api: ApiDriver) -> AuditVerification:
    now = wiring.read_clock()
    first = (now - timedelta(hours=1)).date()
    return verify_audit_trail(context=RunContext(api.stores, now), first_day=first)


@pytest.fixture
def audited_api(api: ApiDriver) -> ApiDriver:
    """An API with a referral, events, reads and refusals in the audit trail, and a checkpoint after them."""
    for minutes in (-20, -10):
        write_checkpoint(context=RunContext(api.stores, wiring.read_clock() + timedelta(minutes=minutes)))
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, "received", "accepted")
    for site in (api.practice, api.other_practice, api.center):
        site.get(f"/v1/referrals/{referral_id}")
    api.practice.get("/v1/referrals")
    write_checkpoint(context=RunContext(api.stores, wiring.read_clock() + timedelta(minutes=30)))
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


def list_heads(api: ApiDriver) -> list[ChainHead]:
    return list(api.stores.audit_heads.list_kept())


def test_each_checkpoint_has_a_head_in_the_write_once_bucket(audited_api: ApiDriver):
    """And a verification from the middle on compares only what is there."""
    rows = [row for (chain, _), row in sorted(read_rows().items()) if chain == CHECKPOINTS]
    result = AuditVerification()

    assert list_heads(audited_api) == [ChainHead(row["seq"], row["hash"]) for row in rows]
    assert verify_checkpoints(result, stores=audited_api.stores, after=1, limit=1) == 2
    assert verify_checkpoints(result, stores=audited_api.stores, after=2) is None
    assert (result.checkpoints, result.breaks) == (2, [])


def test_checkpoints_and_their_anchor_set_back_together_are_found(audited_api: ApiDriver):
    """As by someone who can write both tables: the bucket remembers the checkpoint that is gone."""
    anchor = audited_api.stores.audit_log.read_anchor()
    first = read_rows()
    audited_api.practice.get("/v1/referrals")
    write_checkpoint(context=RunContext(audited_api.stores, wiring.read_clock() + timedelta(minutes=60)))
    audited_api.stores.audit_log.anchors.put({"scope": "checkpoints", "sealed": anchor})

    with apply_tampering(read_rows(), first):
        result = verify(audited_api)

    assert [(found.seq, found.problem) for found in result.breaks] == [
        (4, "is missing, but its head is in the write-once bucket")
    ]


def test_a_second_head_of_the_same_number_is_found(audited_api: ApiDriver):
    """The function that writes heads could write a false one, but not in place of the true one."""
    audited_api.stores.audit_heads.keep(ChainHead(2, "0" * 64), at=wiring.read_clock())

    assert [(found.seq, found.problem) for found in verify(audited_api).breaks] == [
        (2, "differs from its head in the write-once bucket")
    ]


def test_a_head_that_a_crashed_run_did_not_keep_is_kept_by_the_next_run(api: ApiDriver, monkeypatch):
    """The checkpoint is committed first, so that a head never names one that does not exist."""
    now = wiring.read_clock()
    write_checkpoint(context=RunContext(api.stores, now))
    with monkeypatch.context() as patch:
        patch.setattr(AuditHeads, "keep", keep_only_known_heads)
        with pytest.raises(UnavailableError):
            write_checkpoint(context=RunContext(api.stores, now + timedelta(minutes=5)))
    assert [head.seq for head in list_heads(api)] == [1]

    write_checkpoint(context=RunContext(api.stores, now + timedelta(minutes=10)))

    assert [head.seq for head in list_heads(api)] == [1, 2, 3]
    assert verify(api).breaks == []


def keep_only_known_heads(_heads: AuditHeads, head: ChainHead, **_more: object) -> bool:
    """Fail at a new head, as if the service did not respond."""
    if head.seq > 1:
        raise UnavailableError
    return False


def test_checkpoints_of_an_earlier_release_need_no_heads(audited_api: ApiDriver):
    """Heads begin with the first one in the bucket."""
    cloud.create_audit_heads()
    write_checkpoint(context=RunContext(audited_api.stores, wiring.read_clock() + timedelta(minutes=60)))

    assert [head.seq for head in list_heads(audited_api)] == [3, 4]
    assert verify(audited_api).breaks == []


def test_a_head_cannot_be_removed_and_hiding_it_hides_nothing(audited_api: ApiDriver):
    """Its versions are locked, and a delete marker leaves them there."""
    client = wiring.get_aws_client("s3")
    heads = list_heads(audited_api)
    page = client.list_object_versions(Bucket=cloud.AUDIT_HEADS)

    for version in page["Versions"]:
        with pytest.raises(client.exceptions.ClientError) as refusal:
            client.delete_object(Bucket=cloud.AUDIT_HEADS, Key=version["Key"], VersionId=version["VersionId"])
        assert get_error_code(refusal.value) == "AccessDenied"
        client.delete_object(Bucket=cloud.AUDIT_HEADS, Key=version["Key"])

    assert list_heads(audited_api) == heads
    assert verify(audited_api).breaks == []


def test_rows_that_nothing_has_counted_are_protected_after_ten_minutes(api: ApiDriver):
    """A read that was removed and its chain made again, as the product makes it, is found once it was counted."""
    now = wiring.read_clock()
    write_checkpoint(context=RunContext(api.stores, now - PROTECTED_AFTER))
    referral_id = api.refer()["referral_id"]
    for _ in range(2):
        api.center.get(f"/v1/referrals/{referral_id}")
    chain = f"{referral_id}/reads"
    for later in (timedelta(), PROTECTED_AFTER / 2, PROTECTED_AFTER + timedelta(minutes=1)):
        write_checkpoint(context=RunContext(api.stores, now + later))
    before = read_rows()

    with apply_tampering(before, {place: row for place, row in before.items() if place != (chain, 2)}):
        found = {each.problem for each in verify(api).breaks}

    assert found == {"the rows of its time differ from its count"}
