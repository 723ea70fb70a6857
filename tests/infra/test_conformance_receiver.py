"""The conformance kit decides as the product does, and names each mistake of a sender in plain words."""

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.webhooks.signature import sign_delivery
from infra.conformance.checklist import STEPS_TO_INFUSED, check_scenarios, list_unexpected_problems
from infra.conformance.outcomes import IncomingDelivery
from infra.conformance.receiver import ConformanceReceiver
from infra.conformance.signature_faults import SignatureFault
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
REFERRAL, OTHER = derive_id("ref", "1"), derive_id("ref", "2")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver():
    """A receiver with two referrals that were submitted a week ago."""
    submitted_at = dict.fromkeys((REFERRAL, OTHER), NOW - timedelta(days=7))
    return ConformanceReceiver(
        center_id="ctr_harbor", secrets=(SECRET,), time_zone="America/New_York", find_submission=submitted_at.get
    )


def build_body(stage="accepted", *, referral_id=REFERRAL, at=NOW, event_type="stage.changed", **data):
    occurred_at = at if isinstance(at, str) else at.isoformat()
    data = data or {"stage": stage}
    return json.dumps(
        {"type": event_type, "referral_id": referral_id, "occurred_at": occurred_at, "data": data}
    ).encode()


def send(receiver, body, *, webhook_id="msg_1", at=NOW, signed_at=NOW, secret=SECRET, **headers):
    """Send a signed delivery; `headers` replace the right ones, and None leaves one out."""
    timestamp = str(int(signed_at.timestamp()))
    signed = {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign_delivery(secret, webhook_id=webhook_id, timestamp=timestamp, body=body),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    present = tuple((name, value) for name, value in signed.items() if value is not None)
    return receiver.receive(IncomingDelivery(headers=present, body=body, received_at=at))


def send_step(receiver, n, stage, **more):
    at = NOW + n * MINUTE
    body = build_body(stage, at=more.pop("occurred_at", at), **more)
    return send(receiver, body, webhook_id=f"msg_{n}", at=at, signed_at=at)


def get_gap(receiver, key):
    return next(result.gap for result in check_scenarios(receiver.outcomes) if result.scenario.key == key)


def test_the_steps_of_the_journey_are_those_that_a_center_cannot_skip():
    assert STEPS_TO_INFUSED == REQUIRED_STAGES_TO_INFUSED


def test_a_valid_delivery_is_applied(receiver):
    outcome = send(receiver, build_body())

    answer = json.loads(outcome.body)
    assert (outcome.status, answer["status"], answer["stage"], outcome.problems) == (200, "applied", "accepted", ())


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"webhook_id": "a b"}, "webhook-id has another form."),
        ({"webhook_timestamp": None}, "Header missing or empty: webhook-timestamp."),
        ({"webhook_timestamp": "1793620800000"}, "webhook-timestamp is in milliseconds."),
        ({"webhook_timestamp": "2026-11-02T12:00:00Z"}, "webhook-timestamp has another form."),
        ({"webhook_signature": "v2,abc"}, "webhook-signature has no entry that starts with v1 and a comma."),
        ({"webhook_signature": " ".join(["v1,abc"] * 17)}, "webhook-signature has too many entries."),
    ],
    ids=["id", "missing", "milliseconds", "iso", "version", "too-many"],
)
def test_a_wrong_header_is_named(receiver, headers, text):
    body = build_body()
    webhook_id = headers.pop("webhook_id", "msg_1")

    outcome = send(receiver, body, webhook_id=webhook_id, **headers)

    assert outcome.status == 401
    assert outcome.problems[0].startswith(text)


STAMP = str(int(NOW.timestamp()))
BODY = build_body()
CONTENT = b".".join((b"msg_1", STAMP.encode(), BODY))
TEXT = b64encode(SECRET)


def sign(content=CONTENT, key=SECRET, encode=lambda digest: b64encode(digest).decode()):
    return encode(hmac.digest(key, content, "sha256"))


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        (f"v1,{sign(BODY)}", "Only the body was signed."),
        (f"v1,{sign(STAMP.encode() + b'.' + BODY)}", "The ID was not signed."),
        (f"v1,{sign(CONTENT.replace(b'.', b'', 2))}", "The three parts were joined without periods."),
        (f"v1,{sign(CONTENT[: -len(BODY)] + json.dumps(json.loads(BODY), indent=2).encode())}", "The JSON was formatt"),
        (f"v1,{sign(key=TEXT)}", "The key was the text after whsec_."),
        (f"v1,{sign(key=b'whsec_' + TEXT)}", "The key was the whole text of the secret."),
        (f"v1,{sign(encode=bytes.hex)}", "The signature is hexadecimal."),
        (f"v1,{sign(encode=lambda d: b64encode(d.hex().encode()).decode())}", "The hexadecimal text was encoded"),
        (sign(), "The entry does not start with v1 and a comma."),
        (f"v1,{sign(BODY, TEXT, bytes.hex)}", "Only the body was signed. The key was the text after whsec_."),
        (f"v1,{sign(key=b'another secret')}", "The signature fits neither the secret nor a known mistake."),
    ],
)
def test_the_mistake_in_a_signature_is_named(receiver, signature, text):
    outcome = send(receiver, BODY, webhook_signature=signature)

    assert (outcome.status, outcome.fault) == (401, SignatureFault.WRONG_SIGNATURE)
    assert outcome.problems[0].startswith(text)


def test_base64_for_addresses_is_named(receiver):
    """Only a signature with one of its two other characters shows the mistake."""
    for n in range(100):
        content = b".".join((f"msg_{n}".encode(), STAMP.encode(), BODY))
        signature = urlsafe_b64encode(hmac.digest(SECRET, content, "sha256")).decode()
        if {"-", "_"} & set(signature):
            break

    outcome = send(receiver, BODY, webhook_id=f"msg_{n}", webhook_signature=f"v1,{signature}")

    assert outcome.problems == ("The signature is base64url. Use standard base64.",)


@pytest.mark.parametrize(("seconds", "text"), [(301, "301 seconds old"), (-301, "301 seconds in the future")])
def test_an_old_or_future_timestamp_is_named(receiver, seconds, text):
    outcome = send(receiver, build_body(), signed_at=NOW - timedelta(seconds=seconds))

    assert (outcome.status, outcome.fault) == (401, SignatureFault.OLD_TIMESTAMP)
    assert text in outcome.problems[0]


def test_no_text_contains_the_secret_or_a_signature(receiver):
    good = sign()

    outcome = send(receiver, BODY, webhook_signature=f"v1,{sign(BODY)}")

    shown = " ".join((*outcome.problems, *outcome.notes, outcome.body))
    assert all(hidden not in shown for hidden in (TEXT.decode(), SECRET.decode(), good))


def test_wrong_fields_are_named_with_their_place_and_without_their_value(receiver):
    outcome = send(receiver, build_body(stage="Ana Example"))

    assert (outcome.status, outcome.problems) == (400, ("/data/stage: Choose a value from the list.",))


def test_a_header_that_was_sent_twice_is_refused(receiver):
    delivery = IncomingDelivery(headers=(("Webhook-Id", "msg_1"), ("webhook-id", "msg_1")), body=b"{}", received_at=NOW)

    assert receiver.receive(delivery).problems == ("A header appears more than once.",)


def test_the_same_delivery_again_is_a_duplicate(receiver):
    send(receiver, build_body())

    again = send(receiver, build_body(), at=NOW + MINUTE, signed_at=NOW + MINUTE)

    assert json.loads(again.body)["status"] == "duplicate"
    assert get_gap(receiver, "same_delivery_twice") == ""


def test_a_repeat_under_a_new_id_is_no_repeat(receiver):
    send(receiver, build_body())

    again = send(receiver, build_body(), webhook_id="msg_2")

    assert again.notes == ("Kept in the history: it repeats the current status.",)
    assert get_gap(receiver, "same_delivery_twice").startswith("The same body came under a new webhook-id.")


def test_an_id_with_another_body_is_refused(receiver):
    send(receiver, build_body())

    outcome = send(receiver, build_body("consult_scheduled"))

    assert (outcome.status, json.loads(outcome.body)["code"]) == (409, "webhook_id_reused")


def test_an_early_event_waits_and_applies_with_the_missing_one(receiver):
    send_step(receiver, 1, "accepted")
    early = send_step(receiver, 3, "consult_completed")

    missing = send_step(receiver, 4, "consult_scheduled", occurred_at=NOW + 2 * MINUTE)

    assert (early.status, early.notes) == (202, ("Waits for: Consultation scheduled.",))
    assert json.loads(early.body)["waiting_for"] == ["consult_scheduled"]
    assert missing.released == ("msg_3",)
    assert get_gap(receiver, "early_event") == ""


def test_an_event_that_waited_for_a_day_never_applies(receiver):
    send_step(receiver, 1, "accepted")
    send_step(receiver, 3, "consult_completed")

    late = send_step(receiver, 3 + 25 * 60, "consult_scheduled", occurred_at=NOW + 2 * MINUTE)

    assert late.released == ()
    assert receiver.describe_parked() == {"msg_3": "Waits for: Consultation scheduled."}


def test_a_referral_that_is_not_the_centers_is_named(receiver):
    outcome = send(receiver, build_body(referral_id=derive_id("ref", "unknown")))

    assert outcome.status == 202
    assert outcome.problems[0].startswith("No referral of this center has this ID.")


def test_a_step_after_a_death_is_refused(receiver):
    send_step(receiver, 1, "deceased")

    outcome = send_step(receiver, 2, "accepted")

    assert outcome.status == 409
    assert outcome.problems == ("This referral is closed. Reopen it to make changes.",)


def test_a_slow_clock_is_accepted_and_mentioned(receiver):
    outcome = send(receiver, build_body(), signed_at=NOW - timedelta(seconds=90))

    assert outcome.notes == ("The sender's clock is 90 seconds behind this one.",)
    assert get_gap(receiver, "slow_clock") == ""


def test_a_date_without_a_time_is_the_whole_day(receiver):
    outcome = send(receiver, build_body(at="2026-11-02"))

    assert outcome.notes == ("A date without a time: it counts as the whole day at the center.",)
    assert get_gap(receiver, "date_without_time") == ""


def test_the_whole_journey_names_what_is_missing(receiver):
    for n, stage in enumerate(STEPS_TO_INFUSED[:-1]):
        assert send_step(receiver, n, stage.value).status == 200

    assert get_gap(receiver, "whole_journey") == "Still missing: Infused."

    send_step(receiver, 20, "infused")

    assert get_gap(receiver, "whole_journey") == ""


def test_a_correction_and_a_death_are_seen(receiver):
    event_id = json.loads(send_step(receiver, 1, "accepted").body)["event_id"]

    send_step(receiver, 2, "", event_type="event.corrected", supersedes=event_id)
    send_step(receiver, 3, "deceased", referral_id=OTHER)

    assert (get_gap(receiver, "correction"), get_gap(receiver, "death")) == ("", "")


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ({}, ""),
        ({"webhook_id": "msg_new"}, "The delivery that got 503 came again under a new webhook-id."),
        ({"body": build_body("consult_scheduled")}, "The delivery that got 503 came again with other bytes"),
    ],
    ids=["right", "new-id", "other-bytes"],
)
def test_a_retry_keeps_its_id_and_its_bytes(receiver, change, gap):
    receiver.fail_next = True
    failed = send(receiver, build_body())

    send(receiver, **{"body": build_body()} | change)

    assert failed.status == 503
    assert get_gap(receiver, "retry_after_failure").startswith(gap)
    assert bool(get_gap(receiver, "retry_after_failure")) == bool(gap)


def test_only_the_first_wrong_signature_and_the_first_old_timestamp_are_expected(receiver):
    send(receiver, BODY, secret=b"another secret")
    send(receiver, BODY, signed_at=NOW - timedelta(hours=1))
    assert list_unexpected_problems(receiver.outcomes) == []

    second = send(receiver, BODY, secret=b"another secret")

    assert list_unexpected_problems(receiver.outcomes) == [second]


def test_a_test_event_is_answered_as_in_production(receiver):
    """Its other members mean nothing, and the sender learns which."""
    outcome = send(receiver, b'{"type": "test.sent", "data": {"stage": "accepted"}}')

    answer = json.loads(outcome.body)
    assert (outcome.status, answer["status"], outcome.verdict) == (200, "tested", "tested")
    assert outcome.notes == ("Not known and ignored: /data.",)


def test_a_test_event_that_is_sent_twice_is_a_duplicate(receiver):
    send(receiver, b'{"type": "test.sent"}')

    assert send(receiver, b'{"type": "test.sent"}').verdict == "duplicate"


def test_a_test_event_under_the_id_of_another_delivery_is_refused(receiver):
    send(receiver, build_body())

    assert send(receiver, b'{"type": "test.sent"}').problems == (
        "This webhook-id was already used with another body. Each event needs its own ID.",
    )
