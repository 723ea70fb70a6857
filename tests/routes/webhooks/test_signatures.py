"""Deliveries are verified before they are read; whatever is wrong is one 401."""

import json
import time
from base64 import b64encode

import pytest

from chalicelib import wiring
from chalicelib.domain.webhooks.signature import sign_delivery
from tests.support.factories import CENTER, OTHER_CENTER

REQUEST_ID = "one-request-id-for-all"
WEBHOOK_ID = "msg_signed"
BODY = json.dumps(
    {
        "type": "stage.changed",
        "referral_id": "ref_" + "a" * 26,
        "occurred_at": "2026-11-20T10:00:00-05:00",
        "data": {"stage": "received"},
    }
).encode()


@pytest.fixture
def secret(shared_api):
    """The center's webhook secret."""
    return shared_api.secrets[CENTER.tenant_id]


@pytest.fixture
def deliver(shared_api):
    """Send a body with any headers to any center."""

    def send(body=BODY, *, center=CENTER.tenant_id, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return shared_api.anyone.send(
            "POST", f"/v1/webhooks/centers/{center}", body, headers={"X-Request-Id": REQUEST_ID} | named
        )

    return send


def now(shift=0):
    return str(int(time.time()) + shift)


def sign_headers(secret, *, body=BODY, webhook_id=WEBHOOK_ID, timestamp=None):
    """Build the three headers of a valid delivery."""
    stamp = timestamp or now()
    return {
        "webhook_id": webhook_id,
        "webhook_timestamp": stamp,
        "webhook_signature": sign_delivery(secret, webhook_id=webhook_id, timestamp=stamp, body=body),
    }


def test_a_valid_signature_is_accepted(deliver, secret):
    """The referral is not known, so the delivery is parked."""
    assert deliver(**sign_headers(secret)).status == 202


def change_header(name, value):
    """Build headers of a valid delivery with one of them changed."""
    return lambda secret: sign_headers(secret) | {name: value}


def respell_signature(spell):
    """Build headers of a valid delivery with another spelling of its signature."""

    def headers(secret):
        good = sign_headers(secret)
        return good | {"webhook_signature": spell(good["webhook_signature"])}

    return headers


def sign_timestamp(timestamp):
    """Build headers that are sign_headers with an unusual timestamp."""
    return lambda secret: sign_headers(secret, timestamp=timestamp())


def sign_id(webhook_id):
    """Build headers that are sign_headers with an unusual id."""
    return lambda secret: sign_headers(secret, webhook_id=webhook_id)


WRONG = {
    "no id": change_header("webhook_id", None),
    "no timestamp": change_header("webhook_timestamp", None),
    "no signature": change_header("webhook_signature", None),
    "empty id": change_header("webhook_id", ""),
    "empty signature": change_header("webhook_signature", ""),
    "another id": change_header("webhook_id", "msg_other"),
    "another time": lambda secret: sign_headers(secret, timestamp=now(-10)) | {"webhook_timestamp": now()},
    "another secret": lambda _: sign_headers(b"x" * 32),
    "a signature over another body": lambda secret: sign_headers(secret, body=BODY + b" "),
    "one bit off": respell_signature(lambda s: s[:-2] + ("A" if s[-2] != "A" else "B") + s[-1]),
    "cut off": respell_signature(lambda s: s[:-4]),
    "too long": respell_signature(lambda s: s + "AAAA"),
    "no version": respell_signature(lambda s: s.partition(",")[2]),
    "another version": respell_signature(lambda s: s.replace("v1,", "v2,")),
    "asymmetric version": respell_signature(lambda s: s.replace("v1,", "v1a,")),
    "upper case": respell_signature(str.upper),
    "two commas": respell_signature(lambda s: s.replace(",", ",,")),
    "comma list": respell_signature(lambda s: f"{s},{s}"),
    "hexadecimal": respell_signature(lambda _: "v1," + "ab" * 32),
    "not base64": respell_signature(lambda _: "v1,%%%%"),
    "not ASCII": respell_signature(lambda s: s[:-3] + "\u00fc="),
    "a blank in it": respell_signature(lambda s: s[:20] + " " + s[20:]),
    "a newline in it": respell_signature(lambda s: s[:20] + "\n" + s[20:]),
    "junk in it": respell_signature(lambda s: s[:20] + "!" + s[20:]),
    "no padding": respell_signature(lambda s: s.rstrip("=")),
    "spare bits set": respell_signature(lambda s: s[:-2] + chr(ord(s[-2]) + 1) + s[-1]),
    "10,000 entries": respell_signature(lambda s: " ".join([s] * 10_000)),
    "17 entries": respell_signature(lambda s: " ".join(["v1,x"] * 16 + [s])),
    "310 s old": sign_timestamp(lambda: now(-310)),
    "310 s ahead": sign_timestamp(lambda: now(310)),
    "a day old": sign_timestamp(lambda: now(-86_400)),
    "of 1970": sign_timestamp(lambda: "0000000001"),
    "milliseconds": sign_timestamp(lambda: now() + "000"),
    "a decimal": sign_timestamp(lambda: now() + ".0"),
    "an exponent": sign_timestamp(lambda: "1.7e9"),
    "underscores": sign_timestamp(lambda: "1_700_000_000"),
    "a sign": sign_timestamp(lambda: "+" + now()),
    "a blank before": sign_timestamp(lambda: " " + now()),
    "not a number": sign_timestamp(lambda: "nan"),
    "RFC 3339": sign_timestamp(lambda: "2026-11-20T10:00:00Z"),
    "an id with a dot": sign_id("msg.1700000000"),
    "an id that is too long": sign_id("m" * 65),
    "an id with a blank": sign_id("msg 1"),
    "an id with a hash": sign_id("msg#1"),
    "a bearer token": lambda _: {"Authorization": "Bearer x"},
    "nothing": lambda _: {},
}


@pytest.fixture(scope="module")
def refusal(shared_api):
    """The one response, as an unknown caller gets it."""
    return shared_api.anyone.send(
        "POST", f"/v1/webhooks/centers/{CENTER.tenant_id}", BODY, headers={"X-Request-Id": REQUEST_ID}
    )


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_gets_the_same_401(deliver, secret, refusal, name):
    """Nothing reveals which part of the proof was wrong."""
    answer = deliver(**WRONG[name](secret))

    assert answer.status == 401
    assert answer == refusal


@pytest.mark.parametrize(
    "center",
    ["ctr_nowhere", "prc_cedar", "harbor", "CTR_HARBOR", "ctr_" + "x" * 70, "ctr_" + "x" * 90,
     "ctr%20harbor", "ctr_%E2%80%AEharbor", "ctr_harbor%23", "..%2F..", "%00", "%F0%9F%92%89"],
)  # fmt: skip
def test_an_unknown_center_gets_the_same_401(deliver, secret, refusal, center):
    """No one learns which centers exist."""
    assert deliver(center=center, **sign_headers(secret)) == refusal


def test_one_centers_secret_does_not_work_at_another(shared_api, deliver, refusal):
    """A valid signature of one center is not one of its neighbor."""
    theirs = shared_api.secrets[OTHER_CENTER.tenant_id]

    assert deliver(**sign_headers(theirs)) == refusal
    assert deliver(center=OTHER_CENTER.tenant_id, **sign_headers(theirs)).status == 202


@pytest.mark.parametrize("shift", [-290, 0, 290])
def test_clocks_may_differ_by_five_minutes(deliver, secret, shift):
    """Either way; more would give a stolen delivery a second life. A slow machine may need some seconds for it."""
    stamp = now(shift)

    answer = deliver(**sign_headers(secret, timestamp=stamp, webhook_id=f"msg_{shift}"))

    assert answer.status == 202


def test_one_right_signature_among_others_is_enough(deliver, secret):
    """While a secret rotates a sender signs with both; unusual entries are skipped."""
    good = sign_headers(secret, webhook_id="msg_rotating")
    others = f"v2,x nonsense v1,%%% v1,{b64encode(b'x' * 32).decode()} "

    assert deliver(**good | {"webhook_signature": others + good["webhook_signature"]}).status == 202


def test_two_secrets_are_valid_during_a_rotation(shared_api, deliver, secret):
    """A new secret works at once, and the old one still does."""
    made = shared_api.stores.secrets.prepare_rotate(CENTER.tenant_id, now=wiring.read_clock())
    shared_api.stores.transactions.commit(*made.writes)
    shared_api.stores.secrets.clear_cache(CENTER.tenant_id)

    assert deliver(**sign_headers(made.value, webhook_id="msg_new")).status == 202
    assert deliver(**sign_headers(secret, webhook_id="msg_old")).status == 202


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[" * 100_000, b"\xff\xfe", b"x" * 200_000])
def test_the_signature_is_verified_before_the_body_is_read(deliver, secret, refusal, body):
    """An unknown caller learns nothing about how bodies are read."""
    assert deliver(body, **sign_headers(secret, body=b"another")) == refusal
    assert deliver(body, **sign_headers(secret, body=body)).status in {400, 413}


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b'": ', b'"\t:\n '),
        BODY.replace(b"stage.changed", rb"stag\u0065.changed"),
        b" " + BODY + b"\r\n",
        json.dumps(dict(reversed(json.loads(BODY).items()))).encode(),
        BODY.replace(b'"received"', '"received", "note": "\u00e9\U0001f489"'.encode()),
    ],
)
def test_the_bytes_are_verified_as_they_came(deliver, secret, refusal, body):
    """Spaces, order and escapes count: a body that was parsed and encoded again is another one."""
    webhook_id = f"msg_{hash(body)}".replace("-", "_")
    rewritten = json.dumps(json.loads(body), separators=(",", ":")).encode()

    assert deliver(body, **sign_headers(secret, body=rewritten)) == refusal
    assert deliver(body, **sign_headers(secret, body=body, webhook_id=webhook_id)).status == 202


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_was_sent_twice_is_refused(shared_api, secret, name):
    """Of two ids or signatures one reader takes the first and another the last."""
    good = {k.replace("_", "-"): v for k, v in sign_headers(secret, webhook_id="msg_twice").items()}
    path = f"/v1/webhooks/centers/{CENTER.tenant_id}"
    event = shared_api.anyone.build_event("POST", path, BODY, {"Content-Type": "application/json"} | good)
    event["multiValueHeaders"] |= {name: ["something else", good[name]]}

    answer = shared_api.anyone.invoke(event)

    assert (answer.status, answer.json["code"]) == (400, "header_twice")


def test_a_signature_is_not_a_sign_in(shared_api, deliver, secret):
    """Neither works where the other one does."""
    token = {"Authorization": f"Bearer {shared_api.center.token}"}

    assert deliver(**token).status == 401
    assert shared_api.anyone.get("/v1/referrals", **sign_headers(secret)).status == 401
