"""Connecting a center's system: the address, the secrets in use, and test events that change no referral."""

import json
from base64 import b64decode
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.errors import UnavailableError
from chalicelib.store.platform import filtered_pages
from chalicelib.store.platform.timestamps import from_timestamp
from infra.organizations.access import lock_organization, unlock_organization
from tests.support import factories
from tests.support.factories import CENTER, OTHER_CENTER

CONNECTION = "/v1/centers/ctr_harbor/webhook"
TEST_EVENTS = "/v1/centers/ctr_harbor/test-events"
SECRETS = "/v1/centers/ctr_harbor/webhook-secrets"
LOG = "/v1/centers/ctr_harbor/deliveries?limit=100"
ADDRESS = "/v1/webhooks/centers/ctr_harbor"
TEST = b'{"type": "test.sent"}'


@pytest.fixture
def admin(shared_api):
    """An administrator of the center."""
    return shared_api.get_client_for(shared_api.members["center_admin"])


def post(world, signed, **headers):
    """Post a test event that was signed for the administrator."""
    names = ("webhook_id", "webhook_timestamp", "webhook_signature")
    sent = {name.replace("_", "-"): signed[name] for name in names} | headers
    return world.anyone.send("POST", ADDRESS, signed["body"].encode(), headers=sent)


def find_log_line(admin, delivery_id):
    (found,) = [row for row in admin.get(LOG).json["items"] if row["delivery_id"] == delivery_id]
    return found


def test_the_address_has_the_id_of_the_center(admin):
    """On the address of the dashboard."""
    url = admin.get(CONNECTION).json["url"]

    assert url == f"{wiring.get_settings().public_url}{ADDRESS}"


def test_each_sample_has_the_address_and_no_secret(admin):
    """Only the place where a secret belongs."""
    found = admin.get(CONNECTION).json

    assert [sample["language"] for sample in found["samples"]] == ["curl", "python", "javascript"]
    assert all(found["url"] in sample["code"] and "whsec_…" in sample["code"] for sample in found["samples"])


def test_the_secrets_are_listed_newest_first_with_their_ends(shared_api, admin):
    """After a rotation, the earlier secret works for 24 hours."""
    made = admin.post(SECRETS, None).json
    newest, earlier, *_ = admin.get(CONNECTION).json["secrets"]

    assert (newest["secret_id"], newest["ends_at"], newest["works"]) == (made["secret_id"], None, True)
    assert earlier["ends_at"] is not None
    assert earlier["works"]
    with time_machine.travel(wiring.read_clock() + timedelta(hours=25), tick=False):
        later = shared_api.get_client_for(shared_api.members["center_admin"])
        assert [secret["works"] for secret in later.get(CONNECTION).json["secrets"]][:2] == [True, False]


def test_no_secret_has_its_value(admin):
    """It is shown once, when it is created."""
    made = admin.post(SECRETS, None).json

    assert made["secret"] not in admin.get(CONNECTION).text


def test_a_signed_test_event_is_accepted_at_the_front_door(shared_api, admin):
    """It is signed with the newest secret, and posted as a center's system posts."""
    admin.post(SECRETS, None)
    answer = post(shared_api, admin.post(TEST_EVENTS, None).json)

    assert answer.status == 200
    assert answer.json == {"status": "tested", "referral_id": "", "event_id": "", "stage": None}


def test_a_test_event_is_in_the_log(shared_api, admin):
    """With the words that the page shows."""
    signed = admin.post(TEST_EVENTS, None).json
    post(shared_api, signed)

    row = find_log_line(admin, signed["webhook_id"])

    assert (row["status"], row["event_type"], row["event_label"]) == ("tested", "test.sent", "Test event")
    assert (row["referral_id"], row["stage"], row["expires_at"]) == ("", None, None)


def test_a_test_event_changes_no_referral(shared_api):
    """Not even one that it names."""
    referral_id = shared_api.refer()["referral_id"]
    before = shared_api.practice.get(f"/v1/referrals/{referral_id}").json
    body = json.dumps({"type": "test.sent", "referral_id": referral_id, "data": {"stage": "accepted"}})

    answer = shared_api.deliver_raw(body.encode(), webhook_id=f"{referral_id}-t")

    assert (answer.status, answer.json["status"]) == (200, "tested")
    assert shared_api.practice.get(f"/v1/referrals/{referral_id}").json == before


def test_what_a_test_event_does_not_need_is_listed_as_ignored(shared_api, admin):
    """As with every delivery. The sender's own timestamp is known."""
    body = json.dumps({"type": "test.sent", "timestamp": "2026-11-20T10:00:00Z", "data": {}, "trace": 1})
    shared_api.deliver_raw(body.encode(), webhook_id="msg_ignored")

    assert sorted(find_log_line(admin, "msg_ignored")["ignored"]) == ["/data", "/trace"]


def test_a_repeated_test_event_is_a_duplicate(shared_api, admin):
    """The log has it once."""
    signed = admin.post(TEST_EVENTS, None).json

    assert [post(shared_api, signed).json["status"] for _ in range(2)] == ["tested", "duplicate"]
    find_log_line(admin, signed["webhook_id"])


def test_the_id_of_a_test_event_is_not_used_again(shared_api):
    """Another body under the same id is refused, also if it is a test event."""
    shared_api.deliver_raw(TEST, webhook_id="msg_twice")
    other = shared_api.deliver_raw(b'{"type":"test.sent"}', webhook_id="msg_twice")
    report = shared_api.deliver(shared_api.refer()["referral_id"], "received", webhook_id="msg_twice")

    assert [(answer.status, answer.json["code"]) for answer in (other, report)] == [(409, "webhook_id_reused")] * 2


def test_a_test_event_with_a_wrong_time_names_the_field(shared_api):
    """It is read like every delivery."""
    answer = shared_api.deliver_raw(b'{"type": "test.sent", "occurred_at": "yesterday"}')

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (400, ["/occurred_at"])


def test_a_test_event_needs_a_right_signature(shared_api, admin):
    """And is not in the log without one."""
    signed = admin.post(TEST_EVENTS, None).json
    wrong = "v1," + "A" * 43 + "="

    assert post(shared_api, signed, **{"webhook-signature": wrong}).status == 401
    assert signed["webhook_id"] not in admin.get(LOG).text


def test_only_the_signed_body_is_accepted(shared_api, admin):
    """The signature of a test event is worth nothing for a report."""
    signed = admin.post(TEST_EVENTS, None).json
    report = signed["body"].replace("test.sent", "stage.changed")

    assert post(shared_api, signed | {"body": report}).status == 401


def test_a_person_cannot_report_a_test_event(shared_api):
    """On a referral it is an unknown type."""
    referral_id = shared_api.refer()["referral_id"]
    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", {"type": "test.sent"})

    assert answer.status == 400


def test_a_center_without_a_secret_is_asked_to_create_one(shared_api):
    """There is nothing to sign with."""
    someone = factories.build_member(OTHER_CENTER, role=Role.ADMIN, n=7)
    factories.add_members(shared_api.stores, [someone])
    table = shared_api.stores.secrets.table
    for row in table.query_all("center_id = :center", {"center": OTHER_CENTER.tenant_id}):
        table.delete({"center_id": row["center_id"], "secret_id": row["secret_id"]})

    path = TEST_EVENTS.replace(CENTER.tenant_id, OTHER_CENTER.tenant_id)
    answer = shared_api.get_client_for(someone).post(path, None)

    assert (answer.status, answer.json["code"]) == (409, "no_webhook_secret")


def test_the_audit_trail_names_who_signed_a_test_event(shared_api, admin):
    """A use of the secret, although the delivery is no change."""
    before = admin.get("/v1/audit?limit=100").json["items"]
    admin.post(TEST_EVENTS, None)
    after = admin.get("/v1/audit?limit=100").json["items"]

    [row] = [row for row in after if row not in before and row["action"] == "webhook_test.sign"]
    assert row["subject"] == f"center#{CENTER.tenant_id}"
    assert row["actor_id"] == shared_api.members["center_admin"].member_id


def test_a_test_event_of_a_locked_center_is_refused(shared_api):
    """Like every delivery of it, and audited."""
    context = wiring.build_run_context()
    lock_organization(CENTER, by="operator:jo", context=context)
    try:
        answer = shared_api.deliver_raw(TEST)
    finally:
        unlock_organization(CENTER, by="operator:jo", context=context)

    assert (answer.status, answer.json["code"]) == (403, "organization_locked")
    rows = shared_api.stores.audit_log.list_chained_rows(f"center#{CENTER.tenant_id}/reads")
    assert ("delivery.test", "organization_locked") in [(row["action"], row["outcome"]) for row in rows]


def test_the_log_says_what_was_reported_and_until_when_it_waits(shared_api, admin):
    """Also of a delivery that is parked, in words, and after it was applied."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.deliver(referral_id, "consult_scheduled", webhook_id=f"{referral_id}-w")
    waiting = find_log_line(admin, f"{referral_id}-w")
    shared_api.deliver(referral_id, "accepted", at=(wiring.read_clock() - timedelta(minutes=1)).isoformat())
    applied = find_log_line(admin, f"{referral_id}-w")

    assert (waiting["status"], applied["status"]) == ("parked", "applied")
    assert waiting["event_label"] == applied["event_label"] == "Consultation scheduled"
    assert waiting["expires_at"] > waiting["received_at"]
    assert applied["expires_at"] is None


def create_secret(admin):
    """Create a secret that no other test uses: its id and its bytes."""
    made = admin.post(SECRETS, None).json
    return made["secret_id"], b64decode(made["secret"].removeprefix("whsec_"))


def find_secret(admin, secret_id):
    return next(each for each in admin.get(CONNECTION).json["secrets"] if each["secret_id"] == secret_id)


def test_a_secret_that_was_not_used_says_so(shared_api, admin):
    secret_id, _ = create_secret(admin)

    assert find_secret(admin, secret_id)["last_used_at"] is None


def test_a_delivery_shows_when_its_secret_was_used(shared_api, admin):
    secret_id, secret = create_secret(admin)
    with time_machine.travel(wiring.read_clock(), tick=False):
        now = wiring.read_clock()
        assert shared_api.deliver_raw(TEST, secret=secret).status == 200

    assert from_timestamp(find_secret(admin, secret_id)["last_used_at"]) == now


def test_a_delivery_uses_only_the_secret_that_signed_it(shared_api, admin):
    """The earlier one still works, and was not used."""
    earlier_id, _ = create_secret(admin)
    _, secret = create_secret(admin)
    shared_api.deliver_raw(TEST, secret=secret)

    assert find_secret(admin, earlier_id)["last_used_at"] is None


def test_a_refused_signature_uses_no_secret(shared_api, admin):
    secret_id, _ = create_secret(admin)

    assert shared_api.deliver_raw(TEST, secret=b"x" * 32).status == 401

    assert find_secret(admin, secret_id)["last_used_at"] is None


@pytest.mark.parametrize(("minutes", "moves"), [(59, False), (60, True)])
def test_a_use_is_stored_once_an_hour(shared_api, admin, minutes, moves):
    """So that a system that sends a lot causes no further writes."""
    secret_id, secret = create_secret(admin)
    start = wiring.read_clock()
    for later in (timedelta(0), timedelta(minutes=minutes)):
        with time_machine.travel(start + later, tick=False):
            shared_api.deliver_raw(TEST, secret=secret)

    assert (from_timestamp(find_secret(admin, secret_id)["last_used_at"]) > start) == moves


def test_a_delivery_is_accepted_when_its_use_cannot_be_stored(shared_api, admin, monkeypatch):
    _, secret = create_secret(admin)

    def fail(*_arguments, **_options):
        raise UnavailableError

    monkeypatch.setattr(type(wiring.get_stores().secrets), "record_use", fail)

    assert shared_api.deliver_raw(TEST, secret=secret).status == 200


def list_filtered(admin, query):
    """The ids of all pages of a filtered log."""
    path = f"/v1/centers/ctr_harbor/deliveries?limit=2&{query}"
    answer, pages = admin.get(path).json, []
    pages.append([row["delivery_id"] for row in answer["items"]])
    while answer["next_cursor"]:
        answer = admin.get(f"{path}&cursor={answer['next_cursor']}").json
        pages.append([row["delivery_id"] for row in answer["items"]])
    return pages


def test_the_log_can_be_limited_to_a_referral(shared_api, admin):
    referral_id = shared_api.refer()["referral_id"]
    for stage in ("received", "accepted", "consult_scheduled"):
        shared_api.deliver(referral_id, stage, webhook_id=f"{stage}-{referral_id[-8:]}")
    shared_api.move_to(shared_api.refer()["referral_id"], "received")

    found = [each for page in list_filtered(admin, f"referral_id={referral_id}") for each in page]

    assert found == [f"{stage}-{referral_id[-8:]}" for stage in ("consult_scheduled", "accepted", "received")]


def test_the_log_can_be_limited_to_a_result(shared_api, admin):
    referral_id = shared_api.refer()["referral_id"]
    shared_api.deliver(referral_id, "received")
    shared_api.deliver(referral_id, "infused", webhook_id=f"waits-{referral_id[-8:]}")

    found = list_filtered(admin, f"status=parked&referral_id={referral_id}")

    assert found == [[f"waits-{referral_id[-8:]}"]]


def test_a_filtered_page_reads_five_hundred_deliveries_at_most(shared_api, admin, monkeypatch):
    """And goes on with the next page, although it found nothing."""
    monkeypatch.setattr(filtered_pages, "READ_BUDGET", 4)
    monkeypatch.setattr(filtered_pages, "ROWS_PER_READ", 2)
    referral_id = shared_api.refer()["referral_id"]
    shared_api.deliver(referral_id, "received", webhook_id=f"first-{referral_id[-8:]}")
    for _ in range(5):
        shared_api.deliver_raw(TEST)

    assert list_filtered(admin, f"referral_id={referral_id}")[:2] == [[], [f"first-{referral_id[-8:]}"]]


def test_a_cursor_belongs_to_its_filter(shared_api, admin):
    for _ in range(2):
        shared_api.deliver_raw(TEST)
    cursor = admin.get("/v1/centers/ctr_harbor/deliveries?limit=1&status=tested").json["next_cursor"]

    assert admin.get(f"/v1/centers/ctr_harbor/deliveries?limit=1&status=parked&cursor={cursor}").status == 400


@pytest.mark.parametrize("query", ["status=lost", "referral_id=ref_short"])
def test_an_unknown_filter_value_is_refused(admin, query):
    assert admin.get(f"/v1/centers/ctr_harbor/deliveries?{query}").status == 400
