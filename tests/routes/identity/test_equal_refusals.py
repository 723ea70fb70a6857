"""Another tenant's referral takes the same calls to AWS as an id that does not exist."""

import pytest

from chalicelib import wiring
from tests.support import aws_fakes as cloud
from tests.support.call_attempts import record_attempts


@pytest.fixture
def recorded_calls():
    """Every call to AWS, with its operation."""
    with record_attempts() as sent:
        yield sent


@pytest.mark.parametrize("stranger", ["other_practice", "other_center", "practice_admin", "center_admin"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "known"])
def test_another_tenants_referral_takes_the_same_calls_as_a_random_id(shared_api, recorded_calls, stranger, is_new):
    """Whether or not this function has read the referral before, nothing in the time shows that it exists."""
    referral_id = shared_api.refer()["referral_id"]
    if is_new:
        # As in a function that has just started: no keys, and no heads of chains.
        wiring.get_stores.cache_clear()
    else:
        shared_api.practice.get(f"/v1/referrals/{referral_id}")
        shared_api.practice.get(f"/v1/referrals/{referral_id}")
    # The first request of a member loads what belongs to the member.
    shared_api.get_client_for(shared_api.members[stranger]).get("/v1/me")
    cloud.forget_rate_limits()
    calls: dict[str, list[list[str]]] = {}
    for each in (referral_id, wiring.generate_id("ref"), referral_id, wiring.generate_id("ref")):
        recorded_calls.clear()
        assert shared_api.get_client_for(shared_api.members[stranger]).get(f"/v1/referrals/{each}").status == 404
        calls.setdefault(each, []).append([operation for operation, _ in recorded_calls])

    counted = [each for several in calls.values() for each in several]
    assert counted[0]
    assert all(each == counted[0] for each in counted)
