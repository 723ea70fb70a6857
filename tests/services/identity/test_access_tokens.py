"""Access tokens: the subject of a valid one, and everything that makes a token invalid."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.identity.access_tokens import LEEWAY_S, MAX_TOKEN_LIFETIME_S, AccessTokenVerifier
from chalicelib.services.platform.jwks_cache import MAX_TOKEN_CHARS
from tests.support import tokens
from tests.support.bad_credentials import list_bad_credentials
from tests.support.issuer import JwksIssuer, get_now, is_refused, verify_subject

BAD = {
    name: header.removeprefix("Bearer ")
    for name, header in list_bad_credentials("sub-1").items()
    if header and header.startswith("Bearer ")
}


def test_a_valid_token_returns_its_subject(verifier):
    """Each test below changes one thing in this token."""
    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_an_invalid_token_is_refused(verifier, token):
    """The same error for every spelling, signer and claim."""
    assert is_refused(verifier, token)


def test_a_refusal_does_not_reveal_the_reason(verifier):
    """All have one code and one text."""
    refusals = set()
    for token in BAD.values():
        with pytest.raises(UnauthenticatedError) as error:
            verify_subject(verifier, token)
        refusals.add((error.value.code, error.value.detail, error.value.errors))

    assert len(refusals) == 1


def test_only_our_algorithm_is_accepted_even_with_the_issuers_key(verifier, issuer):
    """The key itself does not say which algorithm it is for."""
    key = RSAKey.generate_key(2048, {"kid": "key-3"})
    issuer.keys = [key]

    assert verify_subject(verifier, tokens.create_token("sub-1", key=key)) == "sub-1"
    for algorithm in ("RS384", "RS512", "PS256"):
        header = {"alg": algorithm, "kid": key.kid}
        signed = jwt.encode(header, tokens.build_claims("sub-1"), key, algorithms=[algorithm])
        assert is_refused(verifier, signed)


HEADERS = {
    "an algorithm that is no text": b'{"alg": ["RS256"], "kid": "key-1"}',
    "an algorithm that is no number": b'{"alg": NaN, "kid": "key-1"}',
    "a key id that is no text": b'{"alg": "RS256", "kid": {"a": 1}}',
    "a key id of SQL": b'{"alg": "RS256", "kid": "\' OR 1=1 --"}',
    "two algorithms": b'{"alg": "none", "alg": "RS256", "kid": "key-1"}',
    "a critical extension": b'{"alg": "RS256", "kid": "key-1", "crit": ["x"], "x": 1}',
    "a critical nothing": b'{"alg": "RS256", "kid": "key-1", "crit": 5}',
    "an unencoded payload": b'{"alg": "RS256", "kid": "key-1", "crit": ["b64"], "b64": false}',
    "brackets": b"[" * 2900 + b"]" * 2900,
    "objects in objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a very long number": b'{"alg": "RS256", "kid": ' + b"9" * 4400 + b"}",
    "a text": b'"RS256"',
    "a number": b"5",
    "nothing": b"null",
    "empty": b"",
    "no UTF-8": b"\xff\xfe",
    "UTF-16": '{"alg": "RS256", "kid": "key-1"}'.encode("utf-16"),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_malformed_header_is_refused(verifier, header):
    """Even before claims and a signature that are valid. It causes no other error."""
    rest = tokens.create_token("sub-1").split(".", 1)[1]
    encoded = urlsafe_b64encode(header).rstrip(b"=").decode()

    assert is_refused(verifier, f"{encoded}.{rest}")


few_letters = st.text(st.sampled_from('eyJ.=_-{}[]":09aZ%\n\x00'), max_size=60)


@settings(max_examples=200)
@given(token=few_letters, place=st.integers(0, 700), letter=st.sampled_from("Aa0-_.=%"))
def test_no_token_causes_another_error_than_a_refusal(token, place, letter):
    """Any text, and a valid token with one letter changed."""
    verifier = AccessTokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=JwksIssuer())
    valid = tokens.create_token("sub-1")
    place %= len(valid) - 1  # the last letter has unused bits
    changed = valid[:place] + letter + valid[place + 1 :]

    assert is_refused(verifier, token)
    assert changed == valid or is_refused(verifier, changed)


@pytest.mark.parametrize(
    ("claims", "offset", "good"),
    [
        pytest.param({}, 3599, True, id="its last second"),
        pytest.param({}, 3600, False, id="its end, which has no leeway"),
        pytest.param({}, -LEEWAY_S + 1, True, id="the issuer's clock is a little ahead"),
        pytest.param({}, -LEEWAY_S, True, id="the issuer's clock is ahead by the whole leeway"),
        pytest.param({}, -LEEWAY_S - 2, False, id="the issuer's clock is far ahead"),
        pytest.param({"nbf": 30}, 0, True, id="begins within the leeway"),
        pytest.param({"nbf": LEEWAY_S + 2}, 0, False, id="begins after the leeway"),
        pytest.param({"exp": MAX_TOKEN_LIFETIME_S}, 0, True, id="as long as Cognito's longest"),
        pytest.param({"exp": MAX_TOKEN_LIFETIME_S + 1}, 0, False, id="longer than Cognito's longest"),
        pytest.param({"exp": 0}, 0, False, id="ends as it begins"),
        pytest.param({"exp": 0}, -30, False, id="ends when it begins, by a clock that is behind"),
        pytest.param({"exp": 1}, 0, True, id="lives for a second"),
        pytest.param({"exp": -10}, 0, False, id="ends before it begins"),
        pytest.param({"exp": 10**12}, 0, False, id="ends in the year 33658"),
    ],
)
def test_a_token_is_valid_only_during_its_lifetime(verifier, claims, offset, good):
    """The times of the claims are relative to the time of issue."""
    at = get_now().replace(microsecond=0)
    issued = int(at.timestamp())
    times = {name: issued + seconds for name, seconds in claims.items()}
    token = tokens.create_token("sub-1", iat=issued, **{"exp": issued + 3600} | times)

    assert is_refused(verifier, token, at=at + timedelta(seconds=offset)) != good


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1", 1.5, True, [], {}, "nan"])
def test_a_time_that_is_not_a_whole_number_is_refused(verifier, name, value):
    """A text, a fraction or a boolean is refused, not converted."""
    assert is_refused(verifier, tokens.create_token("sub-1", **{name: value}))


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "client_id", "token_use"])
def test_each_claim_is_required(verifier, name):
    """A token without it is refused; `nbf` does not replace `iat`."""
    without: dict[str, Any] = {name: None, "nbf": int(get_now().timestamp())}

    assert is_refused(verifier, tokens.create_token("sub-1", **without))


@pytest.mark.parametrize("length", [MAX_TOKEN_CHARS + 1, 10**6])
def test_a_token_that_is_too_long_is_refused_unread(verifier, issuer, length):
    """Before any key is loaded."""
    assert is_refused(verifier, "a" * length)
    assert issuer.reads == 0


def test_a_token_of_the_maximum_length_is_read(verifier, issuer):
    """It is read and then refused."""
    assert is_refused(verifier, "a" * MAX_TOKEN_CHARS)
    assert issuer.reads == 1
