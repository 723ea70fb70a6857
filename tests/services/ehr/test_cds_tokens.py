"""Tokens of health record systems: who is on the list, and what else has to be right."""

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
    raise AssertionError(f"{address} was asked")


def at_jku(**more):
    return json.dumps([{"iss": ehr.ISSUER, "name": "x", "jku": JKU} | more])


def signed(pair=PAIR, *, alg="ES384", header=None, **claims):
    issued = int(NOW.timestamp())
    told = {"iss": ehr.ISSUER, "aud": AUDIENCE, "iat": issued, "exp": issued + 240, "jti": "j1"}
    kept = {name: value for name, value in (told | claims).items() if value is not None}
    head = {"alg": alg, "typ": "JWT", "kid": pair.kid} | (header or {})
    return jwt.encode(head, kept, pair, algorithms=[alg])


def take(token, made=None, *, audience=AUDIENCE, now=NOW):
    return (made or verifier()).verify(token, audience=audience, now=now)


def test_a_token_of_a_system_on_the_list_is_taken():
    """With one audience or several, and in the algorithms that the standard asks for."""
    both = json.dumps([{"iss": ehr.ISSUER, "name": "x", "keys": public(PAIR, RSA)}])

    assert take(signed())["jti"] == "j1"
    assert take(signed(aud=["https://other.example", AUDIENCE]))["iss"] == ehr.ISSUER
    assert take(signed(RSA, alg="RS384"), verifier(both))["iss"] == ehr.ISSUER


IN_SECONDS = int(NOW.timestamp())
WRONG = {
    "another system": {"iss": "https://ehr.unknown.example"},
    "no system": {"iss": None},
    "a system alike": {"iss": f"{ehr.ISSUER}/"},
    "another service": {"aud": AUDIENCE.replace("patient-view", "order-sign")},
    "a part of the address": {"aud": "https://dashboard.example"},
    "no audience": {"aud": None},
    "expired": {"iat": IN_SECONDS - 200, "exp": IN_SECONDS},
    "too long a life": {"exp": IN_SECONDS + 301},
    "from the future": {"iat": IN_SECONDS + 120, "exp": IN_SECONDS + 300},
    "ended before it began": {"iat": IN_SECONDS + 30, "exp": IN_SECONDS + 20},
    "no exp": {"exp": None},
    "no iat": {"iat": None},
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a jti without end": {"jti": "x" * 256},
    "a jti that is no text": {"jti": 7},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_token_that_is_wrong_in_one_thing_is_refused(claims):
    """Each alone; all else is right."""
    with pytest.raises(UnauthenticatedError):
        take(signed(**claims))


def test_a_token_signed_by_another_key_of_that_name_is_refused():
    """The key id proves nothing."""
    with pytest.raises(UnauthenticatedError):
        take(signed(OTHER))


def test_the_public_key_is_no_password():
    """An HMAC with it is a well-known way in."""
    secret = OctKey.import_key(json.dumps(public(PAIR)))

    for alg in ("HS256", "HS384"):
        with pytest.raises(UnauthenticatedError):
            take(signed(secret, alg=alg, header={"kid": "k1"}))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "..", "é.b.c", "x" * 9000, "e30.e30.", "bnVsbA.bnVsbA.x"])
def test_what_is_no_token_is_refused(token):
    """Nor does it cause anything else."""
    with pytest.raises(UnauthenticatedError):
        take(token)


def test_an_unsigned_token_is_refused():
    """`none` is no algorithm of ours."""
    _, payload, _ = signed().split(".")

    with pytest.raises(UnauthenticatedError):
        take(f"eyJhbGciOiJub25lIn0.{payload}.")


def test_an_address_that_a_token_names_is_never_asked():
    """Only that of the list, and a token that names another one is refused."""
    asked = []

    def fetch(address):
        asked.append(address)
        return public(PAIR)

    made = verifier(at_jku(), fetch)

    assert take(signed(header={"jku": JKU}), made)
    assert take(signed(), made)
    for jku in ("https://evil.example/jwks.json", f"{JKU}?x", "http://keys.example/jwks.json"):
        with pytest.raises(UnauthenticatedError):
            take(signed(header={"jku": jku}), made)
    with pytest.raises(UnauthenticatedError):
        take(signed(header={"jku": JKU}))
    assert asked == [JKU]


def test_one_system_cannot_speak_for_another():
    """Its key is good for its own name alone."""
    two = json.dumps(
        [
            {"iss": ehr.ISSUER, "name": "x", "keys": public(PAIR)},
            {"iss": "https://second.example", "name": "y", "keys": public(OTHER)},
        ]
    )

    assert take(signed(OTHER, iss="https://second.example"), verifier(two))
    with pytest.raises(UnauthenticatedError):
        take(signed(PAIR, iss="https://second.example"), verifier(two))


def test_a_system_whose_keys_cannot_be_read_is_asked_to_come_again():
    """That is our trouble or its own, and no proof of anything."""

    def fetch(_address):
        raise OSError

    with pytest.raises(UnavailableError):
        take(signed(), verifier(at_jku(), fetch))


def test_keys_are_read_once_for_many_tokens():
    """And an unknown key id is no way to make us ask without end."""
    asked = []

    def fetch(address):
        asked.append(address)
        return public(PAIR)

    made = verifier(at_jku(), fetch)
    for number in range(5):
        take(signed(jti=f"j{number}"), made)
        with pytest.raises(UnauthenticatedError):
            take(signed(header={"kid": f"unknown-{number}"}), made)

    assert asked == [JKU]


def test_nobody_is_on_an_empty_list():
    """Which is how a deployment begins."""
    with pytest.raises(UnauthenticatedError):
        take(signed(), CdsTokenVerifier(systems=parse_allow_list(""), fetch_keys=never))


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
def test_a_list_that_makes_no_sense_is_refused_as_a_whole(setting):
    """Half of a list would be somebody else's list."""
    with pytest.raises(SettingsError):
        parse_allow_list(setting)


def test_a_token_is_good_once_even_after_it_has_expired(api):
    """A clock that is a little off brings none back; two systems may use the same id."""
    from chalicelib.services.ehr.cds_token_replay import verify_ehr_token_once

    def use(token, now=NOW):
        verify_ehr_token_once(token, audience=AUDIENCE, verifier=verifier(), context=RunContext(api.stores, now))

    token = signed()
    use(token)

    for later in (timedelta(0), timedelta(seconds=239)):
        with pytest.raises(UnauthenticatedError):
            use(token, NOW + later)
    use(signed(jti="j2"))
