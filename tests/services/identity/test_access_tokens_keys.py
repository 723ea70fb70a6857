"""The issuer's public keys: read rarely, and kept while the issuer does not respond."""

import time

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.platform.jwks_cache import JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S
from tests.support import tokens
from tests.support.issuer import NEW_KEY, age_cache, is_refused, verify_subject

FAILURES = [
    OSError("down"),
    TimeoutError(),
    ValueError("no JSON"),
    {},
    [],
    "maintenance",
    {"keys": 5},
    {"keys": []},
    {"keys": [{}]},
    {"keys": [{"kty": "RSA", "n": "!!", "e": "AQAB"}]},
]


def test_keys_are_read_once_for_many_requests(verifier, issuer):
    """Not with each request."""
    for n in range(10):
        verify_subject(verifier, tokens.create_token(f"sub-{n}"))

    assert issuer.reads == 1


def test_keys_are_read_again_after_an_hour(verifier, issuer):
    """A withdrawn key stops working."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.keys = [NEW_KEY]
    age_cache(verifier, JWKS_CACHE_S + 1)

    assert is_refused(verifier, tokens.create_token("sub-1"))
    assert issuer.reads == 2


@pytest.mark.parametrize(("age", "reads"), [(JWKS_CACHE_S, 1), (JWKS_CACHE_S + 1, 2)])
def test_keys_are_cached_for_exactly_one_hour(verifier, issuer, monkeypatch, age, reads):
    """With a clock that does not move, unlike the real one."""
    at = 10.0**6
    monkeypatch.setattr(time, "monotonic", lambda: at)
    verify_subject(verifier, tokens.create_token("sub-1"))
    age_cache(verifier, age)
    verify_subject(verifier, tokens.create_token("sub-1"))

    assert issuer.reads == reads


def test_keys_are_read_although_the_monotonic_clock_has_just_started(verifier, monkeypatch):
    """Its clock also starts near zero, as if the keys had been read at that time."""
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


def test_a_new_key_is_found_with_its_first_token(verifier, issuer):
    """At once, or at most a minute after the last read."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.keys.append(NEW_KEY)
    age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert verify_subject(verifier, tokens.create_token("sub-2", key=NEW_KEY)) == "sub-2"
    assert issuer.reads == 2


def test_unknown_key_ids_cause_one_read_a_minute(verifier, issuer):
    """However many tokens with unknown key ids arrive."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    unknown_key = tokens.create_token("sub-1", key=NEW_KEY)
    refusals = []
    for minute in range(3):
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)
        refusals += [is_refused(verifier, unknown_key) for _ in range(20)]
        assert issuer.reads == 2 + minute

    assert all(refusals)


def test_addresses_and_keys_in_a_token_are_ignored(verifier, issuer):
    """Only the address in our settings is used."""
    headers = {
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert",
        "jwk": NEW_KEY.as_dict(private=False),
    }
    for name, value in headers.items():
        forged = tokens.create_token("sub-1", key=NEW_KEY, header={"kid": "key-1", name: value})
        assert is_refused(verifier, forged)
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert issuer.reads == 1


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_known_keys_stay_valid_while_the_issuer_fails(verifier, issuer, failure):
    """The issuer does not respond, or responds with something else, even after the keys' hour."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.failure = failure
    age_cache(verifier, JWKS_CACHE_S + 1)

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"
    assert is_refused(verifier, tokens.create_token("sub-1", key=NEW_KEY))


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_without_keys_every_token_is_refused_as_unavailable(verifier, issuer, failure):
    """The error says that we have a problem. When the keys can be read, tokens work again."""
    issuer.failure = failure
    with pytest.raises(UnavailableError):
        verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.failure = None

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


def test_the_key_ids_can_be_listed(verifier, issuer):
    """For the health check of the issuer."""
    issuer.keys.append(NEW_KEY)

    assert list(verifier.list_key_ids()) == ["key-1", "key-2"]


def test_listing_the_key_ids_does_not_read_the_keys_again(verifier, issuer):
    """Only an unknown key is a reason to read before the hour is over."""
    for _ in range(3):
        verifier.list_key_ids()
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert issuer.reads == 1
