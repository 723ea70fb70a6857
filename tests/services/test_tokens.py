"""Access tokens: whose they are, and everything that makes one worth nothing."""

import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from chalicelib.errors import UnauthenticatedError, UnavailableError
from chalicelib.services.tokens import (
    KEYS_KEPT_S,
    LEEWAY_S,
    LONGEST_LIFE_S,
    MAX_TOKEN_CHARS,
    REFRESH_PAUSE_S,
    TokenVerifier,
)
from tests.support import tokens
from tests.support.bad_credentials import bad_credentials

BAD = {
    name: header.removeprefix("Bearer ")
    for name, header in bad_credentials("sub-1").items()
    if header and header.startswith("Bearer ")
}
NEW_KEY = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})


class Issuer:
    """The issuer's document of keys, and how often it was read."""

    def __init__(self):
        self.keys = [tokens.KEY]
        self.trouble = None
        self.reads = 0

    def __call__(self):
        self.reads += 1
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return tokens.jwks(*self.keys) if self.trouble is None else self.trouble


@pytest.fixture
def issuer():
    """An issuer with one key."""
    return Issuer()


@pytest.fixture
def verifier(issuer):
    """What verifies its tokens, and has read nothing yet."""
    return TokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=issuer)


def now():
    """The time that tokens are made at."""
    return datetime.now(UTC)


def subject(verifier, token, *, at=None):
    """Whose token it is."""
    return verifier.subject(token, now=at or now())


def refused(verifier, token, *, at=None):
    """Whether a token is refused, and not taken and no error."""
    try:
        subject(verifier, token, at=at)
    except UnauthenticatedError:
        return True
    return False


def older(verifier, seconds):
    """Let what was read have been read longer ago."""
    verifier._keys.read_at -= seconds


def test_a_good_token_says_who_it_speaks_for(verifier):
    """What each test below changes one thing of."""
    assert subject(verifier, tokens.token("sub-1")) == "sub-1"


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_a_bad_token_speaks_for_nobody(verifier, token):
    """However it is spelled, whoever signed it, whatever it claims: one refusal."""
    assert refused(verifier, token)


def test_a_refusal_does_not_say_what_was_wrong(verifier):
    """One code and one text for all of them."""
    told = set()
    for token in BAD.values():
        with pytest.raises(UnauthenticatedError) as refusal:
            subject(verifier, token)
        told.add((refusal.value.code, refusal.value.detail, refusal.value.faults))

    assert len(told) == 1


def test_an_algorithm_that_we_did_not_choose_is_refused_whoever_signed(verifier, issuer):
    """By the issuer's own key too, which does not say what it is for."""
    key = RSAKey.generate_key(2048, {"kid": "key-3"})
    issuer.keys = [key]

    assert subject(verifier, tokens.token("sub-1", key=key)) == "sub-1"
    for algorithm in ("RS384", "RS512", "PS256"):
        header = {"alg": algorithm, "kid": key.kid}
        signed = jwt.encode(header, tokens.claims("sub-1"), key, algorithms=[algorithm])
        assert refused(verifier, signed)


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
    rest = tokens.token("sub-1").split(".", 1)[1]
    encoded = urlsafe_b64encode(header).rstrip(b"=").decode()

    assert refused(verifier, f"{encoded}.{rest}")


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
few_letters = st.text(st.sampled_from('eyJ.=_-{}[]":09aZ%\n\x00'), max_size=60)


@settings(max_examples=200)
@given(token=few_letters, place=st.integers(0, 700), letter=st.sampled_from("Aa0-_.=%"))
def test_nothing_that_can_be_sent_is_an_error(token, place, letter):
    """Anything at all, and a good token with one letter changed."""
    verifier = TokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=Issuer())
    good = tokens.token("sub-1")
    place %= len(good) - 1  # the last letter has bits to spare
    changed = good[:place] + letter + good[place + 1 :]

    assert refused(verifier, token)
    assert changed == good or refused(verifier, changed)


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
        pytest.param({"exp": LONGEST_LIFE_S}, 0, True, id="as long as Cognito's longest"),
        pytest.param({"exp": LONGEST_LIFE_S + 1}, 0, False, id="longer than Cognito's longest"),
        pytest.param({"exp": 0}, 0, False, id="ends as it begins"),
        pytest.param({"exp": 0}, -30, False, id="ends as it begins, by a clock that is behind"),
        pytest.param({"exp": 1}, 0, True, id="lives for a second"),
        pytest.param({"exp": -10}, 0, False, id="ends before it begins"),
        pytest.param({"exp": 10**12}, 0, False, id="ends in the year 33658"),
    ],
)
def test_a_token_is_good_for_its_time(verifier, claims, offset, good):
    """Times of the claims are relative to when it was issued."""
    at = now().replace(microsecond=0)
    issued = int(at.timestamp())
    times = {name: issued + seconds for name, seconds in claims.items()}
    token = tokens.token("sub-1", iat=issued, **{"exp": issued + 3600} | times)

    assert refused(verifier, token, at=at + timedelta(seconds=offset)) != good


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1", 1.5, True, [], {}, "nan"])
def test_a_time_that_is_no_whole_number_is_none(verifier, name, value):
    """A text, a fraction, a truth value: refused, and not converted."""
    assert refused(verifier, tokens.token("sub-1", **{name: value}))


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "client_id", "token_use"])
def test_each_claim_is_needed(verifier, name):
    """A token without it is refused; that it begins at some time tells not when it was issued."""
    without: dict[str, Any] = {name: None, "nbf": int(now().timestamp())}

    assert refused(verifier, tokens.token("sub-1", **without))


@pytest.mark.parametrize("length", [MAX_TOKEN_CHARS + 1, 10**6])
def test_a_token_that_is_too_long_is_not_even_read(verifier, issuer, length):
    """Before any key is looked for."""
    assert refused(verifier, "a" * length)
    assert issuer.reads == 0


def test_a_token_as_long_as_one_may_be_is_read(verifier, issuer):
    """To find that it is none."""
    assert refused(verifier, "a" * MAX_TOKEN_CHARS)
    assert issuer.reads == 1


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
