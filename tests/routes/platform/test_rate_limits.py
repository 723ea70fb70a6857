"""Rate limits for members and centers' systems; no one else is affected."""

from itertools import count

import pytest

from chalicelib import wiring
from chalicelib.domain.platform.rate_limit import INFORMATION_REQUESTS_PER_MEMBER, RateLimit
from tests.support import factories
from tests.support.factories import OTHER_CENTER


@pytest.fixture
def low_limits(shared_api, monkeypatch):
    """Five at once, then one per second; nothing used yet."""
    for name in ("get_webhook_rate_limit", "get_member_rate_limit"):
        monkeypatch.setattr(wiring, name, lambda: RateLimit(burst=5, per_second=1))
    table, held = shared_api.stores.rate_limits.table, wiring.get_stores().rate_limits._callers
    for row in table.client().scan(TableName=table.name)["Items"]:
        table.client().delete_item(TableName=table.name, Key={"subject": row["subject"]})
    held.clear()
    return shared_api


@pytest.fixture
def referral_id(shared_api):
    return shared_api.refer()["referral_id"]


def statuses(send, count):
    return [send().status for _ in range(count)]


def test_a_center_over_its_limit_gets_429(low_limits, referral_id):
    """With a pause in seconds, in the format of every refusal."""
    wiring.get_stores().rate_limits._callers.clear()
    answers = [low_limits.deliver(referral_id, "received") for _ in range(8)]

    assert [answer.status for answer in answers].count(429) == 3
    assert answers[-1].json["code"] == "slow_down"
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_another_center_is_not_slowed_down(low_limits, referral_id):
    """Nor is anyone who reads."""
    statuses(lambda: low_limits.deliver(referral_id, "received"), 8)

    other = low_limits.deliver(referral_id, "received", center=OTHER_CENTER)

    assert other.status == 202
    assert low_limits.center.get("/v1/me").status == 200


def test_a_refused_delivery_leaves_nothing(low_limits, referral_id):
    """It is not in the log either: the sender's repeat is its first time."""
    statuses(lambda: low_limits.deliver(referral_id, "received"), 8)

    refused = low_limits.deliver(referral_id, "accepted", webhook_id="msg_refused")

    assert refused.status == 429
    assert low_limits.stores.delivery_log.get_entry("ctr_harbor", "msg_refused") is None
    assert low_limits.get_stage(referral_id) == "received"


def test_no_one_else_can_use_up_a_centers_limit(low_limits, referral_id):
    """Without its signature a delivery is refused before it counts."""
    forged = statuses(lambda: low_limits.deliver(referral_id, "received", secret=b"x" * 32), 20)

    assert set(forged) == {401}
    assert low_limits.deliver(referral_id, "received").status == 200


def test_a_member_over_the_limit_gets_429(low_limits):
    """On any route; a colleague at the center can continue."""
    asked = statuses(lambda: low_limits.practice.get("/v1/me"), 8)

    assert asked == [200] * 5 + [429] * 3
    assert low_limits.center.get("/v1/me").status == 200


def test_a_caller_without_a_token_uses_up_no_limit(low_limits):
    """No one can lock a member out."""
    strangers = statuses(lambda: low_limits.anyone.get("/v1/me"), 20)

    assert set(strangers) == {401}
    assert low_limits.practice.get("/v1/me").status == 200


def test_without_limits_nothing_is_counted(shared_api):
    """Nothing is written where nothing is limited."""
    shared_api.practice.get("/v1/me")
    before = shared_api.stores.rate_limits.table.get({"subject": "member#nobody"})

    assert before is None
    assert wiring.get_member_rate_limit() is None


def test_a_member_who_asks_for_information_without_end_is_slowed_down(shared_api, referral_id):
    """30 requests at once, counted for each member; a colleague can still ask."""
    member = factories.build_member(factories.CENTER, n=601)
    shared_api.stores.members.add(member)
    site, path = shared_api.get_client_for(member), f"/v1/referrals/{referral_id}/information-requests"
    burst = INFORMATION_REQUESTS_PER_MEMBER.burst

    assert set(statuses(iter_posts(site, path), burst)) == {201}
    refused = site.post(path, {"text": "One more"})

    assert (refused.status, refused.json["code"]) == (429, "slow_down")
    assert shared_api.center.post(path, {"text": "One more"}).status == 201


def iter_posts(site, path):
    """A function that asks for something else at each call."""
    numbers = count()
    return lambda: site.post(path, {"text": f"Item {next(numbers)}"})
