"""A locked organization: its people and its system are refused on the next request, in plain words."""

import pytest

from chalicelib import wiring
from infra.organizations.access import lock_organization, unlock_organization
from tests.support.factories import CENTER


def lock(change):
    """Lock or unlock the center as the operator does."""
    change(CENTER, by="operator:jo", context=wiring.build_run_context())


@pytest.fixture
def locked(shared_api):
    """A referral to the center, a delivery that arrived, and a calendar; then the center is locked."""
    referral_id = shared_api.refer()["referral_id"]
    webhook_id = f"msg_{referral_id}"
    assert shared_api.deliver(referral_id, "received", webhook_id=webhook_id).status == 200
    calendar = shared_api.center.post("/v1/me/calendar", None).json["url"]
    lock(lock_organization)
    yield referral_id, webhook_id, calendar[calendar.index("/v1/") :]
    lock(unlock_organization)


def test_people_are_refused(shared_api, locked):
    """Of the locked center; the practice works on."""
    answer = shared_api.center.get("/v1/referrals")

    assert (answer.status, answer.json["code"]) == (403, "organization_locked")
    assert "is locked" in answer.json["detail"]
    assert shared_api.practice.get("/v1/referrals").status == 200


def test_a_delivery_is_refused_and_audited(shared_api, locked):
    """It changes nothing, and its sender can send it again later."""
    referral_id, _, _ = locked

    answer = shared_api.deliver(referral_id, "accepted")

    assert (answer.status, answer.json["code"]) == (403, "organization_locked")
    assert "locked" in answer.json["detail"]
    assert shared_api.get_stage(referral_id) == "received"
    rows = shared_api.stores.audit_log.list_chained_rows(f"{referral_id}/reads")
    assert "organization_locked" in [row["outcome"] for row in rows]


def test_a_repeated_delivery_is_refused_too(shared_api, locked):
    """Although its response is stored."""
    referral_id, webhook_id, _ = locked

    assert shared_api.deliver(referral_id, "received", webhook_id=webhook_id).status == 403


def test_the_calendar_of_a_member_ends(shared_api, locked):
    """Its secret address is no way around the lock."""
    _, _, calendar = locked

    assert shared_api.anyone.get(calendar).status == 404


def test_everything_works_again_after_the_lock(shared_api, locked):
    """With the same tokens and secrets, and the delivery that was refused."""
    referral_id, _, calendar = locked

    lock(unlock_organization)

    assert shared_api.center.get("/v1/referrals").status == 200
    assert shared_api.deliver(referral_id, "accepted").status == 200
    assert shared_api.anyone.get(calendar).status == 200
