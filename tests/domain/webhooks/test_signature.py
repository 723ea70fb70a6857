"""Webhook signatures: everything that must fail, and an independent library for what must not."""

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


def signed(secret=SECRET, *, webhook_id="msg_1", timestamp=STAMP, body=BODY):
    """A good signature."""
    return sign_delivery(secret, webhook_id=webhook_id, timestamp=timestamp, body=body)


GOOD = signed()
DIGEST = b64decode(GOOD.removeprefix("v1,"))


def accepted(signatures=GOOD, *, now=NOW, secrets=(SECRET,), **changed):
    """Whether a delivery is taken that is good but for what is said."""
    given_ = {"webhook_id": "msg_1", "timestamp": STAMP, "body": BODY} | changed
    return verify_signature(signatures=signatures, secrets=secrets, now=now, **given_)


def bit_flipped(digest, bit):
    """A digest with one bit off."""
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def v1(digest):
    """A digest as an entry of the header."""
    return f"v1,{b64encode(digest).decode()}"


def test_a_good_signature_is_taken():
    """What the tables below change one thing of."""
    assert accepted()


REFUSED = {
    "missing": "",
    "a blank": " ",
    "no scheme": GOOD.removeprefix("v1,"),
    "an empty scheme": GOOD.removeprefix("v1"),
    "no comma": GOOD.replace(",", ""),
    "two commas": GOOD.replace(",", ",,"),
    "a comma behind": GOOD + ",",
    "the scheme of the asymmetric variant": GOOD.replace("v1,", "v1a,"),
    "a later scheme": GOOD.replace("v1,", "v2,"),
    "the scheme in capitals": GOOD.replace("v1,", "V1,"),
    "a scheme alone": "v1,",
    "truncated text": GOOD[:-4],
    "without its padding": GOOD.rstrip("="),
    "with more padding": GOOD + "=",
    "a truncated digest": v1(DIGEST[:31]),
    "half a digest": v1(DIGEST[:16]),
    "a longer digest": v1(DIGEST + b"\x00"),
    "an empty digest": v1(b""),
    "zeros": v1(bytes(32)),
    "hexadecimal": f"v1,{DIGEST.hex()}",
    "no base64 at all": "v1,!!!!",
    "junk inside": f"{GOOD[:10]}*{GOOD[10:]}",
    "a line break inside": f"{GOOD[:10]}\n{GOOD[10:]}",
    "a line break behind": GOOD + "\n",
    "a tab for a blank": f"v1,AAAA\t{GOOD}",
    "a comma between entries": f"v1,AAAA,{GOOD}",
    "not ASCII": GOOD.replace("v1,", "v1,é"),
    "a lone surrogate": GOOD + "\udcff",
    "a NUL": GOOD + "\x00",
    "full-width": GOOD.translate({ord("v"): 0xFF56, ord("1"): 0xFF11}),
    "the signature of another body": signed(body=BODY + b" "),
    "of another id": signed(webhook_id="msg_2"),
    "of another time": signed(timestamp=str(int(STAMP) + 1)),
    "of another secret": signed(OTHER_SECRET),
    "of an empty secret": signed(b""),
    "10,000 entries with the good one first": " ".join([GOOD, *["v1,AAAA"] * 9_999]),
    "10,000 entries with the good one last": " ".join([*["v1,AAAA"] * 9_999, GOOD]),
}


@pytest.mark.parametrize("signatures", REFUSED.values(), ids=REFUSED)
def test_a_bad_signature_is_refused(signatures):
    """Refused, and never an error: a stranger must not be able to cause one."""
    assert not accepted(signatures)


def test_one_bit_off_is_refused():
    """Each of the 256 bits."""
    taken = [bit for bit in range(256) if accepted(v1(bit_flipped(DIGEST, bit)))]

    assert taken == []


def test_the_last_letters_spare_bits_must_be_zero():
    """Base64 of 32 bytes has two bits to spare, which lenient decoding ignores."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spellings = [f"{GOOD[:-2]}{letter}=" for letter in alphabet]

    assert [s for s in spellings if accepted(s)] == [GOOD]


def test_the_url_safe_alphabet_is_another_spelling():
    """The specification says base64 and means one alphabet."""
    body = next(b for n in range(1000) if {"+", "/"} & set(signed(body=(b := str(n).encode()))[3:]))
    digest = b64decode(signed(body=body)[3:])

    assert accepted(signed(body=body), body=body)
    assert not accepted(f"v1,{urlsafe_b64encode(digest).decode()}", body=body)


SPELLINGS = {
    "empty": "",
    "an exponent": f"{int(STAMP) // 10**9}e9",
    "with underscores": f"{STAMP[0]}_{STAMP[1:4]}_{STAMP[4:7]}_{STAMP[7:]}",
    "a blank before": f" {STAMP}",
    "a blank behind": f"{STAMP} ",
    "a line break behind": f"{STAMP}\n",
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
    "endless": "inf",
    "a date": NOW.isoformat(),
}


@pytest.mark.parametrize("timestamp", SPELLINGS.values(), ids=SPELLINGS)
def test_a_timestamp_is_ten_digits_and_nothing_else(timestamp):
    """Signed as it is spelled, and refused all the same."""
    assert not accepted(signed(timestamp=timestamp), timestamp=timestamp)


@pytest.mark.parametrize("off", [0, 1, 299, 300])
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_clock_may_be_five_minutes_off_either_way(off, direction):
    """Up to and including 300 seconds."""
    assert accepted(now=NOW + timedelta(seconds=off * direction))


@pytest.mark.parametrize("off", [TOLERANCE_S + 0.001, 301, 3600, 10**8])
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_delivery_of_another_time_is_refused(off, direction):
    """A replay an hour later, and a timestamp from the future just the same."""
    assert not accepted(now=NOW + timedelta(seconds=off * direction))


IDS = ["", ".", "msg.1", "msg_1.", " msg_1", "msg_1 ", "msg_1\n", "a" * 65, "é", "msg/1", "\x00"]


@pytest.mark.parametrize("webhook_id", IDS)
def test_an_id_is_64_plain_letters_at_most(webhook_id):
    """With a dot, one signature would fit two deliveries; so ids have none."""
    assert not accepted(signed(webhook_id=webhook_id), webhook_id=webhook_id)


@pytest.mark.parametrize("webhook_id", ["a", "a" * 64, "msg_2Lq-0", "-", "_"])
def test_ids_as_senders_make_them_are_taken(webhook_id):
    """Letters, digits, underscore and hyphen."""
    assert accepted(signed(webhook_id=webhook_id), webhook_id=webhook_id)


def test_a_dot_in_an_id_would_be_ambiguous():
    """Two deliveries with the same signed bytes: the reason for the rule on ids."""
    one = signed(webhook_id="a", timestamp=f"1.{STAMP}")
    other = signed(webhook_id="a.1", timestamp=STAMP)

    assert one == other


@pytest.mark.parametrize(
    "signatures",
    [
        f"{signed(OTHER_SECRET)} {GOOD}",
        f"{GOOD} {signed(OTHER_SECRET)}",
        f"v1a,AAAA {GOOD}",
        f"no-comma {GOOD}",
        f"a,b,c {GOOD}",
        f"v1,!!! {GOOD}",
        f"é {GOOD}",
        f"  {GOOD}  ",
        " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1) + [GOOD]),
    ],
)
def test_one_good_signature_among_others_is_enough(signatures):
    """While a secret rotates; a bad neighbour, which trips the reference library, is skipped."""
    assert accepted(signatures)


@pytest.mark.parametrize("secrets", [(SECRET, OTHER_SECRET), (OTHER_SECRET, SECRET)])
def test_either_secret_counts_while_one_rotates(secrets):
    """Old or new, whichever comes first."""
    assert accepted(secrets=secrets)
    assert accepted(signed(OTHER_SECRET), secrets=secrets)


def test_a_center_without_a_secret_signs_nothing():
    """An unknown center has none: whatever is sent, it is refused."""
    assert not accepted(secrets=())
    assert not accepted(signed(b""), secrets=())


# Few letters, so that what is drawn often comes close to something well formed.
header_text = st.text(st.sampled_from("v1, .=+/-_aA09é\n\x00\udcff٣"), max_size=50)


@given(
    webhook_id=header_text | st.just("msg_1"),
    timestamp=header_text | st.just(STAMP),
    signatures=header_text | header_text.map(lambda text: f"v1,{text}"),
    body=st.binary(max_size=20),
)
def test_nothing_that_can_be_sent_is_an_error(webhook_id, timestamp, signatures, body):
    """Any text in any header: refused, without an exception."""
    assert not accepted(signatures, webhook_id=webhook_id, timestamp=timestamp, body=body)


def library_accepts(signatures, *, webhook_id, timestamp, body, secret=SECRET):
    """What the reference library thinks; it raises whatever it stumbled over."""
    headers = {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signatures}
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError, IndexError):
        return False
    return True


bodies = st.text(st.sampled_from('{}[]":, .\n\x00éß☃𐍈')).map(str.encode)
webhook_ids = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")


@given(secret=st.binary(min_size=24, max_size=64), webhook_id=webhook_ids, body=bodies, off=st.integers(-299, 299))
def test_our_signatures_are_the_reference_librarys(secret, webhook_id, body, off):
    """Each side takes what the other signs."""
    at = NOW + timedelta(seconds=off)
    stamp = str(int(at.timestamp()))
    ours = signed(secret, webhook_id=webhook_id, timestamp=stamp, body=body)
    theirs = Webhook(secret).sign(webhook_id, at, body.decode())

    with time_machine.travel(NOW, tick=False):
        taken = library_accepts(ours, webhook_id=webhook_id, timestamp=stamp, body=body, secret=secret)

    assert ours == theirs
    assert taken
    assert accepted(theirs, webhook_id=webhook_id, timestamp=stamp, body=body, secrets=[secret])


@pytest.mark.parametrize("signatures", REFUSED.values(), ids=REFUSED)
def test_we_take_nothing_that_the_reference_library_refuses(signatures):
    """Stricter, never laxer; it reads the real clock, so the clock is held."""
    with time_machine.travel(NOW, tick=False):
        assert int(time.time()) == int(STAMP)
        theirs = library_accepts(signatures, webhook_id="msg_1", timestamp=STAMP, body=BODY)

    assert accepted(signatures) <= theirs
