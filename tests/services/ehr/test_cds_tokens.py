"""Tokens of health record systems: the allow-list and the other checks."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from chalicelib.errors import UnauthenticatedError, UnavailableError
from chalicelib.services.ehr.cds_tokens import CdsTokenVerifier, parse_allow_list
from chalicelib.services.platform.run_context import RunContext
from chalicelib.settings import SettingsError
from infra import ehr

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AUDIENCE = "https://dashboard.example/cds-services/cart-screen-patient-view"
JKU = "https://keys.example/jwks.json"
PAIR = ECKey.generate_key("P-384", {"kid": "k1", "alg": "ES384", "use": "sig"})
OTHER = ECKey.generate_key("P-384", {"kid": "k1", "alg": "ES384", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "r1", "alg": "RS384", "use": "sig"})


def public(*pairs):
    return {"keys": [pair.as_dict(private=False) for pair in pairs]}


def verifier(setting=None, fetch=None):
    return CdsTokenVerifier(systems=parse_allow_list(setting or ehr.build_allow_list(PAIR)), fetch_keys=fetch or never)


def never(address):
    raise AssertionError(f"{address} was requested")


def at_jku(**more):
    return json.dumps([{"iss": ehr.ISSUER, "name": "x", "jku": JKU} | more])


def signed(pair=PAIR, *, alg="ES384", header=None, **claims):
    issued = int(NOW.timestamp())
    defaults = {"iss": ehr.ISSUER, "aud": AUDIENCE, "iat": issued, "exp": issued + 240, "jti": "j1"}
    payload = {name: value for name, value in (defaults | claims).items() if value is not None}
    head = {"alg": alg, "typ": "JWT", "kid": pair.kid} | (header or {})
    return jwt.encode(head, payload, pair, algorithms=[alg])


def verify(token, token_verifier=None, *, audience=AUDIENCE, now=NOW):
    return (token_verifier or verifier()).verify(token, audiences={audience}, now=now)


def test_a_token_of_a_system_on_the_list_is_accepted():
    """With one audience or several, and with the algorithms that the standard requires."""
    two_keys = json.dumps([{"iss": ehr.ISSUER, "name": "x", "keys": public(PAIR, RSA)}])

    assert verify(signed())["jti"] == "j1"
    assert verify(signed(aud=["https://other.example", AUDIENCE]))["iss"] == ehr.ISSUER
    assert verify(signed(RSA, alg="RS384"), verifier(two_keys))["iss"] == ehr.ISSUER


IN_SECONDS = int(NOW.timestamp())
WRONG = {
    "another system": {"iss": "https://ehr.unknown.example"},
    "no system": {"iss": None},
    "a similar system": {"iss": f"{ehr.ISSUER}/"},
    "another service": {"aud": AUDIENCE.replace("patient-view", "order-sign")},
    "a part of the address": {"aud": "https://dashboard.example"},
    "no audience": {"aud": None},
    "expired": {"iat": IN_SECONDS - 200, "exp": IN_SECONDS},
    "too long a lifetime": {"exp": IN_SECONDS + 301},
    "from the future": {"iat": IN_SECONDS + 120, "exp": IN_SECONDS + 300},
    "ends before it begins": {"iat": IN_SECONDS + 30, "exp": IN_SECONDS + 20},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a very long jti": {"jti": "x" * 256},
    "a jti that is not a text": {"jti": 7},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_token_with_one_wrong_claim_is_refused(claims):
    """Each alone, with everything else valid."""
    with pytest.raises(UnauthenticatedError):
        verify(signed(**claims))


def test_a_token_signed_by_another_key_with_the_same_id_is_refused():
    """The key id proves nothing."""
    with pytest.raises(UnauthenticatedError):
        verify(signed(OTHER))


def test_an_hmac_with_the_public_key_is_refused():
    """It is a well-known attack."""
    secret = OctKey.import_key(json.dumps(public(PAIR)))

    for alg in ("HS256", "HS384"):
        with pytest.raises(UnauthenticatedError):
            verify(signed(secret, alg=alg, header={"kid": "k1"}))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "..", "é.b.c", "x" * 9000, "e30.e30.", "bnVsbA.bnVsbA.x"])
def test_a_malformed_token_is_refused(token):
    """It causes no other error."""
    with pytest.raises(UnauthenticatedError):
        verify(token)


def test_an_unsigned_token_is_refused():
    """`none` is not one of our algorithms."""
    _, payload, _ = signed().split(".")

    with pytest.raises(UnauthenticatedError):
        verify(f"eyJhbGciOiJub25lIn0.{payload}.")


def test_an_address_in_a_token_is_never_requested():
    """Only the address on the list; a token that names another one is refused."""
    requested = []

    def fetch(address):
        requested.append(address)
        return public(PAIR)

    jku_verifier = verifier(at_jku(), fetch)

    assert verify(signed(header={"jku": JKU}), jku_verifier)
    assert verify(signed(), jku_verifier)
    for jku in ("https://evil.example/jwks.json", f"{JKU}?x", "http://keys.example/jwks.json"):
        with pytest.raises(UnauthenticatedError):
            verify(signed(header={"jku": jku}), jku_verifier)
    with pytest.raises(UnauthenticatedError):
        verify(signed(header={"jku": JKU}))
    assert requested == [JKU]


def test_a_system_cannot_sign_for_another():
    """Its key works only for its own name."""
    two_systems = json.dumps(
        [
            {"iss": ehr.ISSUER, "name": "x", "keys": public(PAIR)},
            {"iss": "https://second.example", "name": "y", "keys": public(OTHER)},
        ]
    )

    assert verify(signed(OTHER, iss="https://second.example"), verifier(two_systems))
    with pytest.raises(UnauthenticatedError):
        verify(signed(PAIR, iss="https://second.example"), verifier(two_systems))


def test_unreadable_keys_are_an_unavailable_error():
    """It is an outage on our side or theirs, and proves nothing about the token."""

    def fetch(_address):
        raise OSError

    with pytest.raises(UnavailableError):
        verify(signed(), verifier(at_jku(), fetch))


def test_keys_are_read_once_for_many_tokens():
    """Unknown key ids do not cause more reads."""
    requested = []

    def fetch(address):
        requested.append(address)
        return public(PAIR)

    jku_verifier = verifier(at_jku(), fetch)
    for number in range(5):
        verify(signed(jti=f"j{number}"), jku_verifier)
        with pytest.raises(UnauthenticatedError):
            verify(signed(header={"kid": f"unknown-{number}"}), jku_verifier)

    assert requested == [JKU]


def test_an_empty_list_refuses_every_token():
    """A new deployment starts with an empty list."""
    with pytest.raises(UnauthenticatedError):
        verify(signed(), CdsTokenVerifier(systems=parse_allow_list(""), fetch_keys=never))


@pytest.mark.parametrize(
    "setting",
    [
        "{",
        "{}x",
        "7",
        '["x"]',
        '[{"iss": "x"}]',
        '[{"iss": "x", "name": "y"}]',
        '[{"iss": "x", "name": "y", "jku": "http://keys.example"}]',
        '[{"iss": "x", "name": "y", "jku": "https://k.example", "keys": {}}]',
        '[{"iss": "x", "name": "y", "keys": {}, "surprise": 1}]',
        '[{"iss": "x", "name": "y", "keys": {}}, {"iss": "x", "name": "z", "keys": {}}]',
    ],
)
def test_a_list_with_one_invalid_entry_is_refused(setting):
    """A list with only some of its entries would be a different list."""
    with pytest.raises(SettingsError):
        parse_allow_list(setting)


def test_a_token_can_be_used_only_once(api):
    """Also after it expires, if a clock is a little off. Another token of the same system still works."""
    from chalicelib.services.ehr.cds_token_replay import verify_ehr_token_once

    def use(token, now=NOW):
        verify_ehr_token_once(token, audiences={AUDIENCE}, verifier=verifier(), context=RunContext(api.stores, now))

    token = signed()
    use(token)

    for later in (timedelta(0), timedelta(seconds=239)):
        with pytest.raises(UnauthenticatedError):
            use(token, NOW + later)
    use(signed(jti="j2"))
