"""The keys of who issues access tokens: read seldom, kept while the issuer is away."""

import time

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.platform.jwks_cache import JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S
from tests.support import tokens
from tests.support.issuer import NEW_KEY, age_cache, is_refused, verify_subject

TROUBLE = [
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


def test_the_issuers_keys_are_read_once(verifier, issuer):
    """Not with each request."""
    for n in range(10):
        verify_subject(verifier, tokens.create_token(f"sub-{n}"))

    assert issuer.reads == 1


def test_the_issuers_keys_are_read_again_after_an_hour(verifier, issuer):
    """A key that was withdrawn does not count for ever."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.keys = [NEW_KEY]
    age_cache(verifier, JWKS_CACHE_S + 1)

    assert is_refused(verifier, tokens.create_token("sub-1"))
    assert issuer.reads == 2


@pytest.mark.parametrize(("age", "reads"), [(JWKS_CACHE_S, 1), (JWKS_CACHE_S + 1, 2)])
def test_keys_are_kept_for_an_hour_to_the_second(verifier, issuer, monkeypatch, age, reads):
    """By a clock that stands still, as the real one never does."""
    at = 10.0**6
    monkeypatch.setattr(time, "monotonic", lambda: at)
    verify_subject(verifier, tokens.create_token("sub-1"))
    age_cache(verifier, age)
    verify_subject(verifier, tokens.create_token("sub-1"))

    assert issuer.reads == reads


def test_a_machine_that_has_just_started_reads_the_keys(verifier, monkeypatch):
    """Its clock began at nought too, as if the keys had been read just then."""
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


def test_a_new_key_is_found_when_its_first_token_comes(verifier, issuer):
    """At once, or a minute after the last look at the most."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.keys.append(NEW_KEY)
    age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert verify_subject(verifier, tokens.create_token("sub-2", key=NEW_KEY)) == "sub-2"
    assert issuer.reads == 2


def test_strangers_keys_are_looked_for_once_a_minute(verifier, issuer):
    """However many tokens with unknown key ids are sent."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    stranger = tokens.create_token("sub-1", key=NEW_KEY)
    refusals = []
    for minute in range(3):
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)
        refusals += [is_refused(verifier, stranger) for _ in range(20)]
        assert issuer.reads == 2 + minute

    assert all(refusals)


def test_a_token_cannot_send_us_anywhere(verifier, issuer):
    """The addresses and keys that it names are not looked at; only ours is."""
    theirs = {
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert",
        "jwk": NEW_KEY.as_dict(private=False),
    }
    for name, value in theirs.items():
        forged = tokens.create_token("sub-1", key=NEW_KEY, header={"kid": "key-1", name: value})
        assert is_refused(verifier, forged)
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert issuer.reads == 1


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_known_keys_go_on_working_while_the_issuer_does_not(verifier, issuer, trouble):
    """It is down, or answers something else; even past the keys' hour."""
    verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.trouble = trouble
    age_cache(verifier, JWKS_CACHE_S + 1)

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"
    assert is_refused(verifier, tokens.create_token("sub-1", key=NEW_KEY))


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_without_any_key_nobody_is_let_in(verifier, issuer, trouble):
    """Ours is failing, and the caller is told so; when the keys can be read, all is well."""
    issuer.trouble = trouble
    with pytest.raises(UnavailableError):
        verify_subject(verifier, tokens.create_token("sub-1"))
    issuer.trouble = None

    assert verify_subject(verifier, tokens.create_token("sub-1")) == "sub-1"


def test_the_ids_of_the_keys_can_be_told(verifier, issuer):
    """For a look whether the issuer answers."""
    issuer.keys.append(NEW_KEY)

    assert list(verifier.list_key_ids()) == ["key-1", "key-2"]


def test_a_look_at_the_ids_does_not_read_the_keys_again(verifier, issuer):
    """However often somebody looks: only an unknown key is worth the way before the hour is up."""
    for _ in range(3):
        verifier.list_key_ids()
        age_cache(verifier, JWKS_REFRESH_INTERVAL_S + 1)

    assert issuer.reads == 1
