"""Access tokens: whose they are, and everything that makes one worth nothing."""

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


def test_a_good_token_says_who_it_speaks_for(verifier):
    """What each test below changes one thing of."""
    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_a_bad_token_speaks_for_nobody(verifier, token):
    """However it is spelled, whoever signed it, whatever it claims: one refusal."""
    assert is_refused(verifier, token)


def test_a_refusal_does_not_say_what_was_wrong(verifier):
    """One code and one text for all of them."""
    told = set()
    for token in BAD.values():
        with pytest.raises(UnauthenticatedError) as refusal:
            verify_subject(verifier, token)
        told.add((refusal.value.code, refusal.value.detail, refusal.value.errors))

    assert len(told) == 1


def test_an_algorithm_that_we_did_not_choose_is_refused_whoever_signed(verifier, issuer):
    """By the issuer's own key too, which does not say what it is for."""
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
def test_a_header_of_any_kind_is_refused_and_no_error(verifier, header):
    """In front of claims and a signature that are good by themselves."""
    rest = tokens.create_token("sub-1").split(".", 1)[1]
    encoded = urlsafe_b64encode(header).rstrip(b"=").decode()

    assert is_refused(verifier, f"{encoded}.{rest}")


few_letters = st.text(st.sampled_from('eyJ.=_-{}[]":09aZ%\n\x00'), max_size=60)


@settings(max_examples=200)
@given(token=few_letters, place=st.integers(0, 700), letter=st.sampled_from("Aa0-_.=%"))
def test_nothing_that_can_be_sent_is_an_error(token, place, letter):
    """Anything at all, and a good token with one letter changed."""
    verifier = AccessTokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=JwksIssuer())
    good = tokens.create_token("sub-1")
    place %= len(good) - 1  # the last letter has bits to spare
    changed = good[:place] + letter + good[place + 1 :]

    assert is_refused(verifier, token)
    assert changed == good or is_refused(verifier, changed)


@pytest.mark.parametrize(
    ("claims", "offset", "good"),
    [
        pytest.param({}, 3599, True, id="its last second"),
        pytest.param({}, 3600, False, id="its end: no leeway after it"),
        pytest.param({}, -LEEWAY_S + 1, True, id="the issuer's clock is a little ahead"),
        pytest.param({}, -LEEWAY_S, True, id="the issuer's clock is as far ahead as it may be"),
        pytest.param({}, -LEEWAY_S - 2, False, id="the issuer's clock is far ahead"),
        pytest.param({"nbf": 30}, 0, True, id="begins within the leeway"),
        pytest.param({"nbf": LEEWAY_S + 2}, 0, False, id="begins after the leeway"),
        pytest.param({"exp": MAX_TOKEN_LIFETIME_S}, 0, True, id="as long as Cognito's longest"),
        pytest.param({"exp": MAX_TOKEN_LIFETIME_S + 1}, 0, False, id="longer than Cognito's longest"),
        pytest.param({"exp": 0}, 0, False, id="ends as it begins"),
        pytest.param({"exp": 0}, -30, False, id="ends as it begins, by a clock that is behind"),
        pytest.param({"exp": 1}, 0, True, id="lives for a second"),
        pytest.param({"exp": -10}, 0, False, id="ends before it begins"),
        pytest.param({"exp": 10**12}, 0, False, id="ends in the year 33658"),
    ],
)
def test_a_token_is_good_for_its_time(verifier, claims, offset, good):
    """Times of the claims are relative to when it was issued."""
    at = get_now().replace(microsecond=0)
    issued = int(at.timestamp())
    times = {name: issued + seconds for name, seconds in claims.items()}
    token = tokens.create_token("sub-1", iat=issued, **{"exp": issued + 3600} | times)

    assert is_refused(verifier, token, at=at + timedelta(seconds=offset)) != good


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1", 1.5, True, [], {}, "nan"])
def test_a_time_that_is_no_whole_number_is_none(verifier, name, value):
    """A text, a fraction, a truth value: refused, and not converted."""
    assert is_refused(verifier, tokens.create_token("sub-1", **{name: value}))


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "client_id", "token_use"])
def test_each_claim_is_needed(verifier, name):
    """A token without it is refused; that it begins at some time tells not when it was issued."""
    without: dict[str, Any] = {name: None, "nbf": int(get_now().timestamp())}

    assert is_refused(verifier, tokens.create_token("sub-1", **without))


@pytest.mark.parametrize("length", [MAX_TOKEN_CHARS + 1, 10**6])
def test_a_token_that_is_too_long_is_not_even_read(verifier, issuer, length):
    """Before any key is looked for."""
    assert is_refused(verifier, "a" * length)
    assert issuer.reads == 0


def test_a_token_as_long_as_one_may_be_is_read(verifier, issuer):
    """To find that it is none."""
    assert is_refused(verifier, "a" * MAX_TOKEN_CHARS)
    assert issuer.reads == 1
