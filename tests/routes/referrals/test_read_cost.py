"""Every read of a referral leaves an audit row, and costs no more than that."""

import pytest

from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.call_attempts import intercept_attempts

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
SMALL = 1024
"""Bytes that DynamoDB counts as one write."""

READS = (
    "/v1/referrals/{}",
    "/v1/referrals/{}/events",
    "/v1/referrals/{}/window",
    "/v1/referrals/{}/notices?limit=100",
    "/v1/referrals",
)


@pytest.fixture
def recorded_writes():
    """Each write to DynamoDB: its operation, and its size."""
    sent = []

    def answer(request, operation, send):
        if operation in WRITES:
            sent.append((operation, len(request.body)))
        return send()

    with intercept_attempts(answer):
        yield sent


@pytest.mark.parametrize("path", READS)
def test_a_read_costs_one_small_write(shared_api, recorded_writes, path):
    """One audit row, smaller than the smallest write that is paid for."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    sides = (shared_api.practice, shared_api.center)
    recorded_writes.clear()

    for site in sides:
        assert site.get(path.format(referral_id)).status == 200

    assert [operation for operation, _ in recorded_writes] == ["PutItem"] * 2
    assert max(size for _, size in recorded_writes) < SMALL


def test_unread_changes_cost_no_more_to_read(shared_api, recorded_writes):
    """A view is reported by a separate request, from a page that a person sees."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received")
    recorded_writes.clear()

    for _ in range(3):
        shared_api.practice.get(f"/v1/referrals/{referral_id}")

    assert [operation for operation, _ in recorded_writes] == ["PutItem"] * 3
    assert max(size for _, size in recorded_writes) < SMALL


def test_a_refused_read_costs_no_more(shared_api, recorded_writes):
    """It is audited too, and no one can make it expensive for us."""
    referral_id = shared_api.refer()["referral_id"]
    recorded_writes.clear()

    shared_api.other_practice.get(f"/v1/referrals/{referral_id}")

    assert [operation for operation, _ in recorded_writes] == ["PutItem"]
