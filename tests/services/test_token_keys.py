"""The keys of who issues access tokens: read seldom, kept while the issuer is away."""

import time

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.identity.access_tokens import KEYS_KEPT_S, REFRESH_PAUSE_S
from tests.support import tokens
from tests.support.issuer import NEW_KEY, older, refused, subject

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
        subject(verifier, tokens.token(f"sub-{n}"))

    assert issuer.reads == 1


def test_the_issuers_keys_are_read_again_after_an_hour(verifier, issuer):
    """A key that was withdrawn does not count for ever."""
    subject(verifier, tokens.token("sub-1"))
    issuer.keys = [NEW_KEY]
    older(verifier, KEYS_KEPT_S + 1)

    assert refused(verifier, tokens.token("sub-1"))
    assert issuer.reads == 2


@pytest.mark.parametrize(("age", "reads"), [(KEYS_KEPT_S, 1), (KEYS_KEPT_S + 1, 2)])
def test_keys_are_kept_for_an_hour_to_the_second(verifier, issuer, monkeypatch, age, reads):
    """By a clock that stands still, as the real one never does."""
    at = 10.0**6
    monkeypatch.setattr(time, "monotonic", lambda: at)
    subject(verifier, tokens.token("sub-1"))
    older(verifier, age)
    subject(verifier, tokens.token("sub-1"))

    assert issuer.reads == reads


def test_a_machine_that_has_just_started_reads_the_keys(verifier, monkeypatch):
    """Its clock began at nought too, as if the keys had been read just then."""
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)

    assert subject(verifier, tokens.token("sub-1")) == "sub-1"


def test_a_new_key_is_found_when_its_first_token_comes(verifier, issuer):
    """At once, or a minute after the last look at the most."""
    subject(verifier, tokens.token("sub-1"))
    issuer.keys.append(NEW_KEY)
    older(verifier, REFRESH_PAUSE_S + 1)

    assert subject(verifier, tokens.token("sub-2", key=NEW_KEY)) == "sub-2"
    assert issuer.reads == 2


def test_strangers_keys_are_looked_for_once_a_minute(verifier, issuer):
    """However many tokens with unknown key ids are sent."""
    subject(verifier, tokens.token("sub-1"))
    stranger = tokens.token("sub-1", key=NEW_KEY)
    refusals = []
    for minute in range(3):
        older(verifier, REFRESH_PAUSE_S + 1)
        refusals += [refused(verifier, stranger) for _ in range(20)]
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
        forged = tokens.token("sub-1", key=NEW_KEY, header={"kid": "key-1", name: value})
        assert refused(verifier, forged)
        older(verifier, REFRESH_PAUSE_S + 1)

    assert issuer.reads == 1


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_known_keys_go_on_working_while_the_issuer_does_not(verifier, issuer, trouble):
    """It is down, or answers something else; even past the keys' hour."""
    subject(verifier, tokens.token("sub-1"))
    issuer.trouble = trouble
    older(verifier, KEYS_KEPT_S + 1)

    assert subject(verifier, tokens.token("sub-1")) == "sub-1"
    assert refused(verifier, tokens.token("sub-1", key=NEW_KEY))


@pytest.mark.parametrize("trouble", TROUBLE, ids=repr)
def test_without_any_key_nobody_is_let_in(verifier, issuer, trouble):
    """Ours is failing, and the caller is told so; when the keys can be read, all is well."""
    issuer.trouble = trouble
    with pytest.raises(UnavailableError):
        subject(verifier, tokens.token("sub-1"))
    issuer.trouble = None

    assert subject(verifier, tokens.token("sub-1")) == "sub-1"


def test_the_ids_of_the_keys_can_be_told(verifier, issuer):
    """For a look whether the issuer answers."""
    issuer.keys.append(NEW_KEY)

    assert list(verifier.key_ids()) == ["key-1", "key-2"]


def test_a_look_at_the_ids_does_not_read_the_keys_again(verifier, issuer):
    """However often somebody looks: only an unknown key is worth the way before the hour is up."""
    for _ in range(3):
        verifier.key_ids()
        older(verifier, REFRESH_PAUSE_S + 1)

    assert issuer.reads == 1
