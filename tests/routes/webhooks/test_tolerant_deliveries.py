"""What a center's system may send besides the contract: other times, other headers and members that we do not know."""

import json
import time
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.webhooks.signature import sign_delivery
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER

LOG = "/v1/centers/ctr_harbor/deliveries"
REPORT = {"type": "stage.changed", "occurred_at": "2026-11-20T10:00:00-05:00", "data": {"stage": "received"}}


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


@pytest.fixture
def admin(shared_api):
    """An administrator of the center."""
    return shared_api.get_client_for(shared_api.members["center_admin"])


def deliver(world, referral_id, *, webhook_id=None, **changes):
    """Deliver a report of `received` just now, with other members added or changed."""
    body = {**REPORT, "referral_id": referral_id, "occurred_at": wiring.read_clock().isoformat(), **changes}
    return world.deliver_raw(json.dumps(body).encode(), webhook_id=webhook_id)


def find_log_line(site, delivery_id):
    (found,) = [row for row in site.get(f"{LOG}?limit=100").json["items"] if row["delivery_id"] == delivery_id]
    return found


def list_events(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}/events").json["items"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{day}T{time}.1234567Z", "{day}T{time}.123456Z"),
        ("{day}T{time}.1234567890123456789012345678901234567890Z", "{day}T{time}.123456Z"),
        ("{day}t{time}z", "{day}T{time}Z"),
        ("{day}t{time}.5z", "{day}T{time}.500000Z"),
        ("{day}T{time}+00:00", "{day}T{time}Z"),
    ],
)
def test_a_time_is_read_as_rfc_3339_allows(shared_api, referral_id, written, read):
    """Any number of fraction digits, as .NET sends seven, and letters in either case."""
    now = wiring.read_clock().strftime("%Y-%m-%d %H:%M:%S").split()
    parts = dict(zip(("day", "time"), now, strict=True))

    answer = deliver(shared_api, referral_id, occurred_at=written.format(**parts))

    assert (answer.status, answer.json["status"]) == (200, "applied")
    assert list_events(shared_api, referral_id)[0]["occurred_at"] == read.format(**parts)


def test_unknown_members_are_ignored_and_listed_with_the_delivery(shared_api, referral_id, admin):
    """An upgraded feed goes on working, and the center's administrator sees what was not understood."""
    answer = deliver(
        shared_api,
        referral_id,
        webhook_id="msg_more",
        schema_version=2,
        data={"stage": "received", "product_lot": "L-77", "site": {"name": "East", "part": 1}},
    )

    assert (answer.status, answer.json["status"]) == (200, "applied")
    assert sorted(find_log_line(admin, "msg_more")["ignored"]) == ["/data/product_lot", "/data/site", "/schema_version"]


def test_the_senders_own_timestamp_is_known(shared_api, referral_id, admin):
    """Standard Webhooks puts it into the body; what counts is when the event was true."""
    answer = deliver(shared_api, referral_id, webhook_id="msg_stamp", timestamp="2020-01-01T00:00:00Z")

    assert (answer.status, answer.json["status"]) == (200, "applied")
    assert find_log_line(admin, "msg_stamp")["ignored"] == []


def test_a_parked_delivery_keeps_what_was_ignored(shared_api, referral_id, admin):
    """Also after it has applied."""
    deliver(shared_api, referral_id, webhook_id="msg_early", data={"stage": "accepted"}, schema_version=2)
    deliver(shared_api, referral_id, webhook_id="msg_later", data={"stage": "consult_completed"}, schema_version=3)
    shared_api.move_to(referral_id, "consult_scheduled")

    line = find_log_line(admin, "msg_later")
    assert (line["status"] == "parked", line["ignored"]) == (False, ["/schema_version"])


def test_a_member_name_that_could_hold_data_is_not_repeated(shared_api, referral_id, admin):
    """A sender's mistake must not put health data into the log."""
    deliver(shared_api, referral_id, webhook_id="msg_name", **{"Ana Example 1961-04-02": "x"})

    assert find_log_line(admin, "msg_name")["ignored"] == ["/…"]


def test_only_the_first_unknown_members_are_listed(shared_api, referral_id, admin):
    """A row of the log stays small."""
    answer = deliver(shared_api, referral_id, webhook_id="msg_many", **{f"x{n}": n for n in range(500)})

    assert answer.json["status"] == "applied"
    assert len(find_log_line(admin, "msg_many")["ignored"]) == 20


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "stage.moved"}, "/type"),
        ({"data": {"stage": "arrived"}}, "/data/stage"),
        ({"data": {"stage": "declined", "reason_code": "because"}}, "/data/reason_code"),
        ({"sequence": "17"}, "/sequence"),
    ],
)
def test_values_stay_strict(shared_api, referral_id, change, pointer):
    """A value that we would misread is refused, whatever else is ignored."""
    answer = deliver(shared_api, referral_id, schema_version=2, **change)

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (400, [pointer])


def sign(world, prefix, body, *, webhook_id):
    stamp = str(int(time.time()))
    signature = sign_delivery(world.secrets[CENTER.tenant_id], webhook_id=webhook_id, timestamp=stamp, body=body)
    return {f"{prefix}-id": webhook_id, f"{prefix}-timestamp": stamp, f"{prefix}-signature": signature}


def send(world, body, headers):
    return world.anyone.send("POST", f"/v1/webhooks/centers/{CENTER.tenant_id}", body, headers=headers)


def build_body(referral_id):
    return json.dumps({**REPORT, "referral_id": referral_id, "occurred_at": wiring.read_clock().isoformat()}).encode()


def test_the_older_header_names_count(shared_api, referral_id, admin):
    """Svix's libraries send them; a repeat under the new names is the same delivery."""
    body = build_body(referral_id)

    first = send(shared_api, body, sign(shared_api, "svix", body, webhook_id="msg_svix"))
    again = send(shared_api, body, sign(shared_api, "webhook", body, webhook_id="msg_svix"))

    assert (first.status, first.json["status"]) == (200, "applied")
    assert (again.status, again.json["status"]) == (200, "duplicate")
    assert find_log_line(admin, "msg_svix")["status"] == "applied"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_the_older_header_names_do_not_count_beside_the_new_ones(shared_api, referral_id, name):
    """One reader must not verify one set of headers while another reader uses the other."""
    body = build_body(referral_id)
    headers = sign(shared_api, "svix", body, webhook_id="msg_mixed")

    mixed = send(shared_api, body, headers | {name: headers[name.replace("webhook", "svix")]})
    empty = send(shared_api, body, headers | {name: ""})

    assert (mixed.status, empty.status) == (401, 401)


def test_a_wrong_signature_under_the_older_names_is_refused(shared_api, referral_id):
    """With the same text as any other."""
    body = build_body(referral_id)
    headers = sign(shared_api, "svix", body, webhook_id="msg_wrong") | {"X-Request-Id": "one-request-id"}

    wrong = send(shared_api, body + b" ", headers)
    none = send(shared_api, body, {"X-Request-Id": "one-request-id"})

    assert wrong.status == 401
    assert wrong == none


def test_a_parked_delivery_names_what_must_come_first(shared_api, referral_id, admin):
    """In order, without the statuses that may be skipped; the log and a repeat name it too."""
    shared_api.move_to(referral_id, "accepted")
    missing = [
        "consult_scheduled",
        "consult_completed",
        "center_proceed",
        "apheresis_scheduled",
        "apheresis_completed",
        "manufacturing_started",
        "lymphodepletion_started",
    ]
    at = wiring.read_clock().isoformat()

    parked = shared_api.deliver(referral_id, "infused", webhook_id="msg_ahead", at=at)
    again = shared_api.deliver(referral_id, "infused", webhook_id="msg_ahead", at=at)

    assert (parked.status, parked.json["status"], parked.json["stage"]) == (202, "parked", None)
    assert parked.json["waiting_for"] == missing
    assert again.text == parked.text
    line = find_log_line(admin, "msg_ahead")
    assert line["waiting_for"] == missing
    assert line["waiting_for_labels"][0] == "Consultation scheduled"


def test_what_has_arrived_and_waits_itself_is_not_named(shared_api, referral_id):
    """Only what the center has yet to send."""
    shared_api.deliver(referral_id, "consult_completed")

    parked = shared_api.deliver(referral_id, "center_proceed")

    assert parked.json["waiting_for"] == ["accepted", "consult_scheduled"]


def test_an_applied_delivery_waits_for_nothing(shared_api, referral_id, admin):
    """Neither at once nor after it was parked."""
    shared_api.deliver(referral_id, "consult_scheduled", webhook_id="msg_waited")
    applied = shared_api.deliver(referral_id, "accepted")

    assert "waiting_for" not in applied.json
    assert find_log_line(admin, "msg_waited")["waiting_for"] == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("toxicity.noticed", {"kind": "crs"}),
        ("adverse_event.reported", {"kind": "crs", "grade": 2}),
        ("relapse.reported", {"status": "confirmed"}),
        ("window.extended", {}),
    ],
)
def test_an_event_after_the_infusion_waits_for_the_infusion(shared_api, referral_id, kind, data):
    """And for what must come before it."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    ends_on = (wiring.read_clock() + timedelta(days=60)).date().isoformat()

    parked = deliver(shared_api, referral_id, type=kind, data=data or {"ends_on": ends_on})

    assert parked.json["waiting_for"] == ["infused"]


def test_a_second_dose_waits_for_the_first(shared_api, referral_id):
    """It has the same status."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])

    parked = shared_api.deliver(referral_id, "infused", part=2, of=2)

    assert parked.json["waiting_for"] == ["infused"]


def report(site, referral_id, body, *, path_id=None):
    return site.post(f"/v1/referrals/{path_id or referral_id}/events", body)


def test_a_person_can_send_the_webhooks_own_body(shared_api, referral_id):
    """With its `referral_id`, which is the one in the address."""
    body = json.loads(build_body(referral_id))

    answer = report(shared_api.center, referral_id, body)

    assert (answer.status, answer.json["status"]) == (200, "applied")


def test_a_body_about_another_referral_is_refused(shared_api, referral_id):
    """Also if both referrals belong to the sender; nothing is recorded on either."""
    other_id = shared_api.refer()["referral_id"]

    answer = report(shared_api.center, referral_id, json.loads(build_body(other_id)))

    assert (answer.status, answer.json["code"]) == (409, "referral_mismatch")
    assert answer.json["errors"][0]["pointer"] == "/referral_id"
    assert {shared_api.get_stage(each) for each in (referral_id, other_id)} == {"submitted"}


def test_a_malformed_referral_id_in_a_body_is_refused(shared_api, referral_id):
    """By its pointer."""
    body = json.loads(build_body(referral_id))

    answer = report(shared_api.center, referral_id, body | {"referral_id": "ref_1"})

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/referral_id")


def test_a_person_reads_which_steps_to_record_first(shared_api, referral_id):
    """In plain words, in order."""
    shared_api.move_to(referral_id, "accepted")

    body = {**json.loads(build_body(referral_id)), "data": {"stage": "center_proceed"}}
    answer = report(shared_api.center, referral_id, body)

    assert (answer.status, answer.json["code"]) == (409, "not_legal_yet")
    assert answer.json["detail"] == (
        "Earlier steps are not recorded yet. Record these first: Consultation scheduled; Consultation completed."
    )
