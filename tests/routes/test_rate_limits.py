"""Slowing down whoever comes too often, through the front door; nobody else notices."""

import pytest

from chalicelib import wiring
from chalicelib.domain.platform.rate_limit import Limit
from tests.support.factories import OTHER_CENTER


@pytest.fixture
def tight(world, monkeypatch):
    """Five at once, then one a second; nothing taken yet."""
    for name in ("feed_limit", "member_limit"):
        monkeypatch.setattr(wiring, name, lambda: Limit(burst=5, per_second=1))
    table, held = world.stores.allowances.table, wiring.stores().allowances._held
    for row in table.client().scan(TableName=table.name)["Items"]:
        table.client().delete_item(TableName=table.name, Key={"subject": row["subject"]})
    held.clear()
    return world


@pytest.fixture
def referral_id(world):
    return world.refer()["referral_id"]


def statuses(send, count):
    return [send().status for _ in range(count)]


def test_a_flooding_center_is_told_to_slow_down(tight, referral_id):
    """429 with a pause in seconds, in the form of every refusal."""
    wiring.stores().allowances._held.clear()
    answers = [tight.deliver(referral_id, "received") for _ in range(8)]

    assert [answer.status for answer in answers].count(429) == 3
    assert answers[-1].json["code"] == "slow_down"
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_another_center_is_not_slowed_down(tight, referral_id):
    """Nor is anybody who reads."""
    statuses(lambda: tight.deliver(referral_id, "received"), 8)

    other = tight.deliver(referral_id, "received", center=OTHER_CENTER)

    assert other.status == 202
    assert tight.center.get("/v1/me").status == 200


def test_a_refused_delivery_leaves_nothing(tight, referral_id):
    """It is not in the log either: the sender's repeat is its first time."""
    statuses(lambda: tight.deliver(referral_id, "received"), 8)

    refused = tight.deliver(referral_id, "accepted", webhook_id="msg_refused")

    assert refused.status == 429
    assert tight.stores.deliveries.get("ctr_harbor", "msg_refused") is None
    assert tight.stage_of(referral_id) == "received"


def test_nobody_else_uses_up_what_a_center_may_send(tight, referral_id):
    """Without its signature a delivery is refused before it counts."""
    forged = statuses(lambda: tight.deliver(referral_id, "received", secret=b"x" * 32), 20)

    assert set(forged) == {401}
    assert tight.deliver(referral_id, "received").status == 200


def test_a_member_who_asks_too_often_is_told_to_slow_down(tight):
    """Whatever the route; a colleague at the center goes on."""
    asked = statuses(lambda: tight.practice.get("/v1/me"), 8)

    assert asked == [200] * 5 + [429] * 3
    assert tight.center.get("/v1/me").status == 200


def test_who_has_no_token_uses_up_nobodys_allowance(tight):
    """A stranger cannot shut a member out."""
    strangers = statuses(lambda: tight.anyone.get("/v1/me"), 20)

    assert set(strangers) == {401}
    assert tight.practice.get("/v1/me").status == 200


def test_a_site_without_limits_keeps_no_account(world):
    """Nothing is written where nothing is limited."""
    world.practice.get("/v1/me")
    before = world.stores.allowances.table.get({"subject": "member#nobody"})

    assert before is None
    assert wiring.member_limit() is None
