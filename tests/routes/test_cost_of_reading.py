"""Every look at a referral leaves a row of the audit trail, and costs no more than that."""

import pytest

from chalicelib import wiring
from tests.support.clinic import TO_INFUSED

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
def written():
    """Each write that goes to DynamoDB: its operation, and its size."""
    sent = []

    def keep(model, params, **_more):
        if model.name in WRITES:
            sent.append((model.name, len(params["body"])))

    events = wiring.dynamodb().meta.events
    events.register("before-call.dynamodb", keep)
    yield sent
    events.unregister("before-call.dynamodb", keep)


@pytest.mark.parametrize("path", READS)
def test_a_look_costs_one_small_write(world, written, path):
    """One row of the audit trail, smaller than the smallest write that is paid for."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, *TO_INFUSED)
    sides = (world.practice, world.center)
    written.clear()

    for site in sides:
        assert site.get(path.format(referral_id)).status == 200

    assert [operation for operation, _ in written] == ["PutItem"] * 2
    assert max(size for _, size in written) < SMALL


def test_news_costs_no_more_to_read(world, written):
    """That it was seen is a request of its own, from a page that somebody looks at."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, "received")
    written.clear()

    for _ in range(3):
        world.practice.get(f"/v1/referrals/{referral_id}")

    assert [operation for operation, _ in written] == ["PutItem"] * 3
    assert max(size for _, size in written) < SMALL


def test_a_look_that_is_refused_costs_no_more(world, written):
    """A stranger's try is on record too, and cannot be made to cost us."""
    referral_id = world.refer()["referral_id"]
    written.clear()

    world.other_practice.get(f"/v1/referrals/{referral_id}")

    assert [operation for operation, _ in written] == ["PutItem"]
