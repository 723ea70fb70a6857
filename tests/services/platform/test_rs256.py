"""RS256 tokens: verified as Project Wycheproof and another implementation say, and nothing else is accepted."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.platform import rs256
from chalicelib.services.platform.jwks_cache import UnknownKeyError
from tests.support import tokens

# Wycheproof's valid tokens with other algorithms than RS256, which the product must refuse.
VECTORS = json.loads(Path(__file__).with_name("wycheproof_rsa_tokens.json").read_text(encoding="utf-8"))
CASES = [(group["key"], test) for group in VECTORS["groups"] for test in group["tests"]]

KEYS = rs256.import_keys(tokens.build_jwks())
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def is_accepted(token, document):
    """Whether the product accepts the signature of a token."""
    try:
        rs256.verify(token, rs256.import_keys(document))
    except (ValueError, UnknownKeyError):
        return False
    return True


def decode_with_joserfc(token):
    """The claims as another implementation reads them; None if it refuses the token."""
    try:
        return jwt.decode(token, KeySet([tokens.KEY]), algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def decode(token):
    """The claims; None if the token is refused."""
    try:
        return rs256.decode(token, KEYS)
    except (UnauthenticatedError, UnknownKeyError):
        return None


def sign(header, payload):
    """Sign any bytes as header and payload with the issuer's key."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signed = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload))
    private_key = tokens.KEY.private_key
    assert private_key is not None
    signature = private_key.sign(signed.encode(), PKCS1v15(), SHA256())
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(("key", "case"), CASES, ids=[f"{case['id']}-{case['comment']}" for _, case in CASES])
def test_wycheproofs_vectors_are_accepted_and_refused(key, case):
    """Only what is valid, and only with RS256."""
    expected = case["result"] == "valid" and key.get("alg") == "RS256"

    assert is_accepted(case["jws"], {"keys": [key]}) == expected


@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4))
@settings(max_examples=50)
def test_signed_claims_are_read_as_another_implementation_reads_them(claims):
    token = sign(b'{"alg":"RS256","kid":"key-1"}', json.dumps(claims).encode())

    assert decode(token) == decode_with_joserfc(token) == claims


@given(st.data())
@settings(max_examples=100)
def test_no_changed_token_is_accepted_that_another_implementation_refuses(data):
    """One character is replaced, added or removed."""
    token = tokens.create_token("sub-1")
    at = data.draw(st.integers(0, len(token) - 1))
    change = data.draw(st.sampled_from(["", "A", "_", ".", "=", " ", "\n", "+", "é"]))
    changed = token[:at] + change + token[at + data.draw(st.integers(0, 1)) :]

    ours = decode(changed)

    assert ours is None or ours == decode_with_joserfc(changed)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"RS256","alg":"RS256","kid":"key-1"}', b"{}"),
        (b'{"alg":"RS256","kid":"key-1","crit":["b64"],"b64":true}', b"{}"),
        (b'{"alg":"RS256","kid":"key-1","crit":[]}', b"{}"),
        (b'{"alg":"RS256"}', b"{}"),
        (b'{"alg":"RS256","kid":1}', b"{}"),
        (b'{"alg":"rs256","kid":"key-1"}', b"{}"),
        (b'{"alg":"RS256","kid":"key-1"}', b'{"sub":"one","sub":"two"}'),
        (b'{"alg":"RS256","kid":"key-1"}', b'{"exp":NaN}'),
        (b'{"alg":"RS256","kid":"key-1"}', b"[]"),
        (b'{"alg":"RS256","kid":"key-1"}', b""),
        (b'{"alg":"RS256","kid":"key-1"}', "{}".encode("utf-16")),
        (b'{"alg":"RS256","kid":"key-1"}', b'{"a":' * 5000 + b"1" + b"}" * 5000),
    ],
)
def test_a_token_that_can_be_read_in_two_ways_is_refused_although_it_is_signed(header, payload):
    assert decode(sign(header, payload)) is None


@pytest.mark.parametrize("ending", ["=", "==", " ", "\n"])
def test_a_token_has_one_spelling(ending):
    token = tokens.create_token("sub-1")

    assert decode(token) is not None
    assert decode(token + ending) is None


def test_bits_that_base64_does_not_use_are_zero():
    """Otherwise one signature would have several spellings."""
    token = next(t for n in range(50) if (t := tokens.create_token(f"sub-{n}"))[-1] in "AQgw")
    last = chr(ord(token[-1]) + 1)

    assert decode(token[:-1] + last) is None


def build_key(**changed):
    """The issuer's key, with other members."""
    return tokens.build_jwks()["keys"][0] | changed


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"alg": "RS384"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"kty": "oct", "k": "AAAA"},
        {"kid": None},
        {"n": "!!"},
        {"n": "AAAA"},
        {"n": 5},
        {"e": "AA"},
        {"e": None},
    ],
)
def test_a_key_that_is_not_for_rs256_is_not_imported(changed):
    with pytest.raises(ValueError, match=r"."):
        rs256.import_keys({"keys": [build_key(**changed)]})


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(("bits", "is_long_enough"), [(1024, False), (2048, True)])
def test_a_key_has_at_least_2048_bits(bits, is_long_enough):
    """RFC 7518 requires it."""
    key = RSAKey.generate_key(bits, {"kid": "key-9"}).as_dict(private=False)
    try:
        imported = list(rs256.import_keys({"keys": [key]}))
    except ValueError:
        imported = []

    assert imported == ["key-9"] * is_long_enough


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_key_does_not_hide_the_others():
    """Nobody could sign in."""
    short = RSAKey.generate_key(1024, {"kid": "short"}).as_dict(private=False)

    assert list(rs256.import_keys({"keys": [short, build_key()]})) == ["key-1"]


def test_keys_of_other_kinds_are_left_out():
    document = {"keys": [build_key(kid="other", use="enc"), build_key()]}

    assert list(rs256.import_keys(document)) == ["key-1"]
