"""A restore can lose the record of a request and keep what the request made. A repeat is then a duplicate."""

import json

import pytest

from chalicelib import wiring
from tests.support.factories import CENTER, build_referral_body
from tests.support.stores import get_dynamodb_client, list_rows


def clear_table(world, name):
    """Delete every row of a table."""
    store = {"deliveries": world.stores.delivery_log, "idempotency": world.stores.idempotency_records}[name]
    keys = {"deliveries": ("center_id", "webhook_id"), "idempotency": ("scope_key",)}[name]
    for row in list_rows(name):
        get_dynamodb_client().delete_item(TableName=store.table.name, Key={key: {"S": row[key]} for key in keys})


def read_state(world, referral_id):
    """Return what people see of a referral."""
    path = f"/v1/referrals/{referral_id}"
    return world.practice.get(path).json, world.practice.get(f"{path}/events?limit=100").json


@pytest.fixture
def referral_id(shared_api):
    """A referral that is accepted."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received", "accepted")
    return referral_id


def build_body(referral_id, stage, **more):
    now = wiring.read_clock().isoformat()
    return json.dumps(
        {"type": "stage.changed", "referral_id": referral_id, "occurred_at": now, "data": {"stage": stage, **more}}
    ).encode()


@pytest.mark.parametrize("later", [(), ("consult_completed",), ("withdrawn",)], ids=["last", "older", "closed"])
def test_a_delivery_whose_entry_is_lost_is_a_duplicate(shared_api, referral_id, later):
    body = build_body(referral_id, "consult_scheduled")
    first = shared_api.deliver_raw(body, webhook_id=f"lost_{referral_id}")
    for stage in later:
        if stage == "withdrawn":
            at = wiring.read_clock().isoformat()
            shared_api.practice.post(
                f"/v1/referrals/{referral_id}/events",
                {"type": "stage.changed", "occurred_at": at, "data": {"stage": stage}},
            )
        else:
            shared_api.move_to(referral_id, stage)
    before = read_state(shared_api, referral_id)
    clear_table(shared_api, "deliveries")

    again = shared_api.deliver_raw(body, webhook_id=f"lost_{referral_id}")

    assert (again.status, again.json["status"]) == (200, "duplicate")
    assert again.json["event_id"] == first.json["event_id"]
    assert read_state(shared_api, referral_id) == before
    entry = shared_api.stores.delivery_log.get_entry(CENTER.tenant_id, f"lost_{referral_id}")
    assert entry.result.status == "applied"
    assert shared_api.deliver_raw(body, webhook_id=f"lost_{referral_id}").json["status"] == "duplicate"


def test_another_body_under_the_id_of_an_event_is_refused(shared_api, referral_id):
    body = build_body(referral_id, "consult_scheduled")
    shared_api.deliver_raw(body, webhook_id=f"other_{referral_id}")
    clear_table(shared_api, "deliveries")

    other = json.dumps(json.loads(body) | {"data": {"stage": "consult_scheduled", "note": "Another."}}).encode()
    again = shared_api.deliver_raw(other, webhook_id=f"other_{referral_id}")

    assert (again.status, again.json["code"]) == (409, "webhook_id_reused")


def test_a_parked_delivery_whose_entry_is_lost_stays_parked_once(shared_api, referral_id):
    body = build_body(referral_id, "infused")
    shared_api.deliver_raw(body, webhook_id=f"parked_{referral_id}")
    clear_table(shared_api, "deliveries")

    again = shared_api.deliver_raw(body, webhook_id=f"parked_{referral_id}")

    assert (again.status, again.json["status"]) == (202, "parked")
    assert len(shared_api.stores.referrals.get_with_parked(referral_id)[1]) == 1


POSTS = {
    "event": (
        "center",
        "events",
        lambda: {
            "type": "stage.changed",
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"stage": "consult_scheduled"},
        },
    ),
    "message": ("practice", "messages", lambda: {"text": "Hello."}),
    "document": (
        "practice",
        "documents",
        lambda: {"kind": "imaging", "sent": {"channel": "fax", "sent_on": "2026-01-02"}},
    ),
}


@pytest.mark.parametrize("name", POSTS)
def test_a_post_whose_record_is_lost_changes_nothing_again(shared_api, referral_id, name):
    who, path, build = POSTS[name]
    client, url, body = getattr(shared_api, who), f"/v1/referrals/{referral_id}/{path}", build()
    first = client.post(url, body, key=f"key-{name}-{referral_id}")
    assert first.status < 300, first.text
    before = read_state(shared_api, referral_id)
    clear_table(shared_api, "idempotency")

    again = client.post(url, body, key=f"key-{name}-{referral_id}")

    assert again.status == first.status, again.text
    assert read_state(shared_api, referral_id) == before
    assert client.post(url, body, key=f"key-{name}-{referral_id}").json == again.json


def test_an_information_request_whose_record_is_lost_is_not_sent_again(shared_api, referral_id):
    """The open request itself refuses a second one."""
    url, body = f"/v1/referrals/{referral_id}/information-requests", {"items": ["pathology_report"], "text": None}
    assert shared_api.center.post(url, body, key=f"key-ask-{referral_id}").status == 201
    before = read_state(shared_api, referral_id)
    clear_table(shared_api, "idempotency")

    again = shared_api.center.post(url, body, key=f"key-ask-{referral_id}")

    assert (again.status, again.json["code"]) == (409, "already_requested")
    assert read_state(shared_api, referral_id) == before


def test_a_new_referral_whose_record_is_lost_is_made_once(shared_api):
    """Its id follows from the request, so a repeat names the same referral."""
    body = build_referral_body(patient__family_name="Once", patient__birth_date="1959-05-05")
    first = shared_api.practice.post("/v1/referrals", body, key="key-new-referral")
    clear_table(shared_api, "idempotency")

    again = shared_api.practice.post("/v1/referrals", body, key="key-new-referral")

    assert (again.status, again.json["referral_id"]) == (201, first.json["referral_id"])
    rows = shared_api.practice.get("/v1/referrals?q=Once").json["items"]
    assert [row["referral_id"] for row in rows] == [first.json["referral_id"]]
