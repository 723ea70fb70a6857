"""Webhook signatures: everything that must be rejected, and a comparison with the reference library."""

import hmac
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.domain.webhooks.signature import MAX_SIGNATURES, TOLERANCE_S, sign_delivery, verify_signature

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
BODY = b'{"type": "stage.changed", "note": "\xc3\xa9"}'


def sign(secret=SECRET, *, webhook_id="msg_1", timestamp=STAMP, body=BODY):
    """Sign a delivery."""
    return sign_delivery(secret, webhook_id=webhook_id, timestamp=timestamp, body=body)


GOOD = sign()
DIGEST = b64decode(GOOD.removeprefix("v1,"))


def is_accepted(signatures=GOOD, *, now=NOW, secrets=(SECRET,), **changed):
    """Whether a delivery is accepted that is valid except for the given changes."""
    delivery = {"webhook_id": "msg_1", "timestamp": STAMP, "body": BODY} | changed
    return verify_signature(signatures=signatures, secrets=secrets, now=now, **delivery)


def flip_bit(digest, bit):
    """Flip one bit of a digest."""
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def format_entry(digest):
    """Format a digest as an entry of the header."""
    return f"v1,{b64encode(digest).decode()}"


def test_a_valid_signature_is_accepted():
    """The tables below change one thing of it."""
    assert is_accepted()


REJECTED = {
    "missing": "",
    "a space": " ",
    "no scheme": GOOD.removeprefix("v1,"),
    "an empty scheme": GOOD.removeprefix("v1"),
    "no comma": GOOD.replace(",", ""),
    "two commas": GOOD.replace(",", ",,"),
    "a trailing comma": GOOD + ",",
    "the scheme of asymmetric signatures": GOOD.replace("v1,", "v1a,"),
    "a later scheme": GOOD.replace("v1,", "v2,"),
    "the scheme in capitals": GOOD.replace("v1,", "V1,"),
    "only a scheme": "v1,",
    "truncated text": GOOD[:-4],
    "without padding": GOOD.rstrip("="),
    "with too much padding": GOOD + "=",
    "a truncated digest": format_entry(DIGEST[:31]),
    "half a digest": format_entry(DIGEST[:16]),
    "a longer digest": format_entry(DIGEST + b"\x00"),
    "an empty digest": format_entry(b""),
    "zeros": format_entry(bytes(32)),
    "hexadecimal": f"v1,{DIGEST.hex()}",
    "not base64": "v1,!!!!",
    "an invalid character within": f"{GOOD[:10]}*{GOOD[10:]}",
    "a line break within": f"{GOOD[:10]}\n{GOOD[10:]}",
    "a trailing line break": GOOD + "\n",
    "a tab instead of a space": f"v1,AAAA\t{GOOD}",
    "a comma between entries": f"v1,AAAA,{GOOD}",
    "not ASCII": GOOD.replace("v1,", "v1,é"),
    "a lone surrogate": GOOD + "\udcff",
    "a NUL": GOOD + "\x00",
    "full-width": GOOD.translate({ord("v"): 0xFF56, ord("1"): 0xFF11}),
    "the signature of another body": sign(body=BODY + b" "),
    "the signature of another id": sign(webhook_id="msg_2"),
    "the signature of another time": sign(timestamp=str(int(STAMP) + 1)),
    "the signature of another secret": sign(OTHER_SECRET),
    "the signature of an empty secret": sign(b""),
    "10,000 entries, the valid one first": " ".join([GOOD, *["v1,AAAA"] * 9_999]),
    "10,000 entries, the valid one last": " ".join([*["v1,AAAA"] * 9_999, GOOD]),
}


@pytest.mark.parametrize("signatures", REJECTED.values(), ids=REJECTED)
def test_an_invalid_signature_is_rejected(signatures):
    """Without an exception: an unknown sender must not be able to cause one."""
    assert not is_accepted(signatures)


def test_a_signature_with_one_wrong_bit_is_rejected():
    """Each of the 256 bits."""
    accepted_bits = [bit for bit in range(256) if is_accepted(format_entry(flip_bit(DIGEST, bit)))]

    assert accepted_bits == []


def test_the_unused_bits_of_the_last_character_must_be_zero():
    """Base64 of 32 bytes has two unused bits, which lenient decoders ignore."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    encodings = [f"{GOOD[:-2]}{character}=" for character in alphabet]

    assert [s for s in encodings if is_accepted(s)] == [GOOD]


def test_the_url_safe_alphabet_is_rejected():
    """The specification requires the standard base64 alphabet."""
    body = next(b for n in range(1000) if {"+", "/"} & set(sign(body=(b := str(n).encode()))[3:]))
    digest = b64decode(sign(body=body)[3:])

    assert is_accepted(sign(body=body), body=body)
    assert not is_accepted(f"v1,{urlsafe_b64encode(digest).decode()}", body=body)


INVALID_TIMESTAMPS = {
    "empty": "",
    "an exponent": f"{int(STAMP) // 10**9}e9",
    "with underscores": f"{STAMP[0]}_{STAMP[1:4]}_{STAMP[4:7]}_{STAMP[7:]}",
    "a leading space": f" {STAMP}",
    "a trailing space": f"{STAMP} ",
    "a trailing line break": f"{STAMP}\n",
    "Arabic digits": STAMP.translate({ord("0") + n: chr(0x660 + n) for n in range(10)}),
    "full-width digits": STAMP.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)}),
    "a fraction": f"{STAMP}.0",
    "a plus": f"+{STAMP}",
    "a minus": f"-{STAMP}",
    "a leading zero": f"0{STAMP}",
    "nine digits": STAMP[:9],
    "milliseconds": f"{STAMP}000",
    "hexadecimal": hex(int(STAMP)),
    "not a number": "nan",
    "infinite": "inf",
    "a date": NOW.isoformat(),
}


@pytest.mark.parametrize("timestamp", INVALID_TIMESTAMPS.values(), ids=INVALID_TIMESTAMPS)
def test_a_timestamp_is_ten_digits_and_nothing_else(timestamp):
    """Rejected although the signature over it is valid."""
    assert not is_accepted(sign(timestamp=timestamp), timestamp=timestamp)


@pytest.mark.parametrize("off", [0, 1, 299, 300])
@pytest.mark.parametrize("direction", [-1, 1])
def test_the_tolerance_is_300_s_in_both_directions(off, direction):
    """Including exactly 300 s."""
    assert is_accepted(now=NOW + timedelta(seconds=off * direction))


@pytest.mark.parametrize("off", [TOLERANCE_S + 0.001, 301, 3600, 10**8])
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_timestamp_outside_the_tolerance_is_rejected(off, direction):
    """A replay an hour later, and a timestamp in the future."""
    assert not is_accepted(now=NOW + timedelta(seconds=off * direction))


INVALID_IDS = ["", ".", "msg.1", "msg_1.", " msg_1", "msg_1 ", "msg_1\n", "a" * 65, "é", "msg/1", "\x00"]


@pytest.mark.parametrize("webhook_id", INVALID_IDS)
def test_an_id_has_at_most_64_plain_characters(webhook_id):
    """And no dot: with one, a signature would be valid for two deliveries."""
    assert not is_accepted(sign(webhook_id=webhook_id), webhook_id=webhook_id)


@pytest.mark.parametrize("webhook_id", ["a", "a" * 64, "msg_2Lq-0", "-", "_"])
def test_common_ids_are_accepted(webhook_id):
    """Letters, digits, underscore and hyphen."""
    assert is_accepted(sign(webhook_id=webhook_id), webhook_id=webhook_id)


def test_a_dot_in_an_id_would_be_ambiguous():
    """Two deliveries with the same signed bytes: the reason why ids have no dot."""
    one = sign(webhook_id="a", timestamp=f"1.{STAMP}")
    other = sign(webhook_id="a.1", timestamp=STAMP)

    assert one == other


@pytest.mark.parametrize(
    "signatures",
    [
        f"{sign(OTHER_SECRET)} {GOOD}",
        f"{GOOD} {sign(OTHER_SECRET)}",
        f"v1a,AAAA {GOOD}",
        f"no-comma {GOOD}",
        f"a,b,c {GOOD}",
        f"v1,!!! {GOOD}",
        f"é {GOOD}",
        f"  {GOOD}  ",
        " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1) + [GOOD]),
    ],
)
def test_one_valid_signature_among_others_is_enough(signatures):
    """During a secret rotation; a malformed entry, which breaks the reference library, is skipped."""
    assert is_accepted(signatures)


@pytest.mark.parametrize("secrets", [(SECRET, OTHER_SECRET), (OTHER_SECRET, SECRET)])
def test_both_secrets_are_valid_during_a_rotation(secrets):
    """The old and the new one, in any order."""
    assert is_accepted(secrets=secrets)
    assert is_accepted(sign(OTHER_SECRET), secrets=secrets)


def test_every_delivery_is_rejected_without_a_secret():
    """An unknown center has no secret."""
    assert not is_accepted(secrets=())
    assert not is_accepted(sign(b""), secrets=())


def test_every_signature_is_compared_with_every_secret_in_constant_time(monkeypatch):
    """Neither the duration nor an early match reveals anything about a secret."""
    compared = []
    compare_digest = hmac.compare_digest

    def record_comparison(ours, theirs):
        compared.append((ours, theirs))
        return compare_digest(ours, theirs)

    monkeypatch.setattr(hmac, "compare_digest", record_comparison)

    assert is_accepted(f"{GOOD} {sign(b'0' * 32)}", secrets=(SECRET, OTHER_SECRET))
    assert len(compared) == 4


def test_at_most_16_signatures_are_checked():
    """More than any rotation needs."""
    others = [sign(bytes([number]) * 32) for number in range(MAX_SIGNATURES)]

    assert MAX_SIGNATURES == 16
    assert is_accepted(" ".join([*others[1:], GOOD]))
    assert not is_accepted(" ".join([*others, GOOD]))


# Few characters, so that the generated text is often almost well formed.
header_text = st.text(st.sampled_from("v1, .=+/-_aA09é\n\x00\udcff٣"), max_size=50)


@given(
    webhook_id=header_text | st.just("msg_1"),
    timestamp=header_text | st.just(STAMP),
    signatures=header_text | header_text.map(lambda text: f"v1,{text}"),
    body=st.binary(max_size=20),
)
def test_no_delivery_causes_an_exception(webhook_id, timestamp, signatures, body):
    """Any text in any header is rejected."""
    assert not is_accepted(signatures, webhook_id=webhook_id, timestamp=timestamp, body=body)


def is_accepted_by_library(signatures, *, webhook_id, timestamp, body, secret=SECRET):
    """Whether the reference library accepts a delivery; it raises several exceptions if not."""
    headers = {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError, IndexError):
        return False
    return True


bodies = st.text(st.sampled_from('{}[]":, .\n\x00éß☃𐍈')).map(str.encode)
webhook_ids = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")


@given(secret=st.binary(min_size=24, max_size=64), webhook_id=webhook_ids, body=bodies, off=st.integers(-299, 299))
def test_our_signatures_are_those_of_the_reference_library(secret, webhook_id, body, off):
    """Each accepts what the other signs."""
    at = NOW + timedelta(seconds=off)
    stamp = str(int(at.timestamp()))
    ours = sign(secret, webhook_id=webhook_id, timestamp=stamp, body=body)
    theirs = Webhook(secret).sign(webhook_id, at, body.decode())

    with time_machine.travel(NOW, tick=False):
        by_library = is_accepted_by_library(ours, webhook_id=webhook_id, timestamp=stamp, body=body, secret=secret)

    assert ours == theirs
    assert by_library
    assert is_accepted(theirs, webhook_id=webhook_id, timestamp=stamp, body=body, secrets=[secret])


@pytest.mark.parametrize("signatures", REJECTED.values(), ids=REJECTED)
def test_we_accept_nothing_that_the_reference_library_rejects(signatures):
    """Stricter, never more lenient. The library reads the real clock, so the clock is frozen."""
    with time_machine.travel(NOW, tick=False):
        assert int(time.time()) == int(STAMP)
        theirs = is_accepted_by_library(signatures, webhook_id="msg_1", timestamp=STAMP, body=BODY)

    assert is_accepted(signatures) <= theirs
