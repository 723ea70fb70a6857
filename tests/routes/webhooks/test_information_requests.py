"""Information requests that a center's system sends: once, twice, late, too early, and without content."""

import json

import pytest

from chalicelib import wiring
from tests.support.factories import OTHER_CENTER


def build_body(referral_id, *, at=None, **data):
    return {
        "type": "information.requested",
        "referral_id": referral_id,
        "occurred_at": at or wiring.read_clock().isoformat(),
        "data": data,
    }


def deliver(world, referral_id, *, webhook_id=None, at=None, **data):
    body = json.dumps(build_body(referral_id, at=at, **data)).encode()
    return world.deliver_raw(body, webhook_id=webhook_id)


def list_requests(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}/information-requests").json["items"]


def count_applied(world, referral_id):
    entries = world.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]
    return sum(entry["type"] == "information.requested" and entry["status"] == "applied" for entry in entries)


@pytest.fixture
def accepted_id(shared_api):
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received", "accepted")
    return referral_id


def test_a_system_asks_for_information_after_acceptance(shared_api, accepted_id):
    """The practice gets the same request as from a person."""
    answer = deliver(shared_api, accepted_id, items=["imaging", "Old slides"], text="Before Friday.")

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "accepted")
    [request] = list_requests(shared_api, accepted_id)
    assert ([item["item"] for item in request["items"]], request["text"]) == (
        ["imaging", "Old slides"],
        "Before Friday.",
    )
    assert request["requested_by"] == "Harbor Cell Therapy"


def test_a_request_before_acceptance_changes_the_stage(shared_api):
    """Through the one event path."""
    referral_id = shared_api.refer()["referral_id"]

    answer = deliver(shared_api, referral_id, text="Which regimen?")

    assert (answer.json["status"], answer.json["stage"]) == ("applied", "info_requested")


def test_the_same_delivery_again_makes_no_second_request(shared_api, accepted_id):
    """It is answered as a duplicate."""
    at = wiring.read_clock().isoformat()
    deliver(shared_api, accepted_id, webhook_id="msg_info_1", at=at, items=["imaging"])

    again = deliver(shared_api, accepted_id, webhook_id="msg_info_1", at=at, items=["imaging"])

    assert (again.status, again.json["status"]) == (200, "duplicate")
    assert len(list_requests(shared_api, accepted_id)) == 1


def test_a_nightly_feed_that_repeats_an_open_request_notifies_once(shared_api, accepted_id):
    """Under a new id, with the same items: history. After the request is closed, it is a new one."""
    deliver(shared_api, accepted_id, items=["imaging"])

    repeat = deliver(shared_api, accepted_id, items=["imaging"])

    assert (repeat.status, repeat.json["status"]) == (200, "recorded")
    [request] = list_requests(shared_api, accepted_id)
    assert count_applied(shared_api, accepted_id) == 1
    path = f"/v1/referrals/{accepted_id}/information-requests/{request['request_id']}"
    shared_api.practice.post(f"{path}/answer", {"items": [{"item_id": "1", "kind": "sent_separately"}]})
    assert deliver(shared_api, accepted_id, items=["imaging"]).json["status"] == "applied"


def test_a_late_request_is_open_and_moves_nothing_back(shared_api, accepted_id):
    """It was true before the acceptance, and the practice can still answer it."""
    answer = deliver(shared_api, accepted_id, at="2026-01-02T10:00:00Z", items=["imaging"])

    assert (answer.status, answer.json["stage"]) == (200, "accepted")
    assert list_requests(shared_api, accepted_id)[0]["state"] == "open"


def test_a_request_for_an_unknown_referral_waits_for_its_submission(shared_api):
    """A draft is not the center's yet: the delivery is parked, and applies when the practice submits."""
    draft = shared_api.refer(submit=False)["referral_id"]
    answer = deliver(shared_api, draft, items=["imaging"])
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "submitted"},
    }

    shared_api.practice.post(f"/v1/referrals/{draft}/events", event)

    assert (answer.status, answer.json["status"]) == (202, "parked")
    assert [item["item"] for item in list_requests(shared_api, draft)[0]["items"]] == ["imaging"]


def test_a_request_for_a_closed_referral_is_refused(shared_api, accepted_id):
    """409, as for every event after an ending."""
    shared_api.deliver(accepted_id, "declined", reason_code="capacity_full")

    answer = deliver(shared_api, accepted_id, items=["imaging"])

    assert (answer.status, answer.json["code"]) == (409, "referral_closed")


@pytest.mark.parametrize(
    ("data", "pointer"),
    [({}, "/data/items"), ({"items": []}, "/data/items"), ({"items": ["a", "A"]}, "/data/items"),
     ({"text": "x" * 20_000}, "/data/text"), ({"items": [""]}, "/data/items/0")],
)  # fmt: skip
def test_a_request_without_content_is_refused_by_name(shared_api, accepted_id, data, pointer):
    """A feed gets a clear 400, and can correct its mapping."""
    answer = deliver(shared_api, accepted_id, **data)

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert list_requests(shared_api, accepted_id) == []


def test_the_old_status_without_a_note_is_refused(shared_api):
    """J7 holds for systems too."""
    referral_id = shared_api.refer()["referral_id"]
    body = build_body(referral_id, stage="info_requested") | {"type": "stage.changed"}

    answer = shared_api.deliver_raw(json.dumps(body).encode())

    assert answer.status == 400
    assert answer.json["errors"][0]["message"] == "Name at least one item, or write what you need."


def test_another_center_cannot_ask(shared_api, accepted_id):
    """Its delivery is parked like one for a referral that does not exist, and never applies."""
    body = json.dumps(build_body(accepted_id, items=["imaging"])).encode()

    answer = shared_api.deliver_raw(body, center=OTHER_CENTER)

    assert answer.status == 202
    assert list_requests(shared_api, accepted_id) == []
