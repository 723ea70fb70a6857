"""Deliveries that came too early are parked, and apply by themselves."""

from datetime import timedelta
from itertools import permutations

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.platform.idempotency import IdempotentRequest
from tests.support.factories import CENTER, OTHER_CENTER, build_referral_body

NOWHERE = "ref_" + "a" * 26
STEPS = ("received", "accepted", "consult_scheduled", "consult_completed")


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted to the center."""
    return shared_api.refer()["referral_id"]


def list_stages(world, referral_id):
    """Return the stages of a referral's events, oldest first."""
    items = world.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]
    return [event["stage"] for event in reversed(items)]


def ago(**how):
    return (wiring.read_clock() - timedelta(**how)).isoformat()


def read_log_status(world, center, webhook_id):
    """Return what the log of deliveries says."""
    return world.stores.delivery_log.table.get({"center_id": center.tenant_id, "webhook_id": webhook_id})["status"]


def test_another_centers_delivery_never_applies(shared_api, referral_id):
    """However long it is parked, and whatever the referral's own center reports."""
    shared_api.deliver(referral_id, "accepted", center=OTHER_CENTER, webhook_id="msg_foreign")

    shared_api.move_to(referral_id, "received")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    assert shared_api.get_stage(referral_id) == "received"
    assert read_log_status(shared_api, OTHER_CENTER, "msg_foreign") == "parked"


def test_a_repeated_parked_delivery_stays_parked(shared_api):
    """It is parked as before, once."""
    at = ago(seconds=0)
    first = shared_api.deliver(NOWHERE, "accepted", at=at, webhook_id="msg_waits")
    again = shared_api.deliver(NOWHERE, "accepted", at=at, webhook_id="msg_waits")

    assert (first.status, first.text) == (again.status, again.text)


def test_an_early_delivery_applies_when_the_missing_event_arrives(shared_api, referral_id):
    """By itself."""
    early = shared_api.deliver(referral_id, "consult_scheduled", at=ago(minutes=-2), webhook_id="msg_ea")
    between = shared_api.get_stage(referral_id)

    accepted = shared_api.deliver(referral_id, "accepted", at=ago(minutes=-1))

    assert (early.status, early.json["status"]) == (202, "parked")
    assert between == "submitted"
    assert accepted.json["stage"] == "accepted"
    assert shared_api.get_stage(referral_id) == "consult_scheduled"
    assert read_log_status(shared_api, CENTER, "msg_ea") == "applied"


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_every_order_of_arrival_ends_in_the_same_state(shared_api, referral_id, order):
    """24 ways to deliver four steps, one way it was."""
    at = {stage: ago(seconds=-60 * n) for n, stage in enumerate(STEPS, start=1)}

    for stage in order:
        assert shared_api.deliver(referral_id, stage, at=at[stage]).status in {200, 202}

    assert shared_api.get_stage(referral_id) == "consult_completed"
    assert list_stages(shared_api, referral_id) == ["submitted", *STEPS]


def test_an_early_delivery_applies_after_a_persons_event(shared_api, referral_id):
    """A step that a person reports lets the parked delivery apply."""
    shared_api.deliver(referral_id, "consult_scheduled", at=ago(minutes=-2))
    event = {"type": "stage.changed", "occurred_at": ago(minutes=-1), "data": {"stage": "accepted"}}

    by_hand = shared_api.center.post(f"/v1/referrals/{referral_id}/events", event)

    assert by_hand.json["status"] == "applied"
    assert shared_api.get_stage(referral_id) == "consult_scheduled"


def test_a_delivery_may_overtake_the_referral_itself(shared_api):
    """A center that learns of a referral by phone is not too fast for us."""
    member_id = shared_api.members["practice"].member_id
    request = IdempotentRequest(
        member_id=member_id, tenant_id="", route="POST /v1/referrals", key="overtaken", body=b""
    )
    early = derive_id("ref", request.scope_key)
    parked = shared_api.deliver(early, "received", at=ago(minutes=-2))
    answer = shared_api.practice.post("/v1/referrals", build_referral_body(), key="overtaken")
    assert answer.json["referral_id"] == early

    run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    assert parked.status == 202
    assert shared_api.get_stage(early) == "received"
