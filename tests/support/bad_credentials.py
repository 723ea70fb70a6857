"""Everything that can be wrong with an Authorization header."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import RSAKey

from tests.support import tokens

LONG_AGO = 1_700_000_000
DAY_S = 86_400


def list_bad_credentials(subject: str) -> Mapping[str, str | None]:
    """Headers that must be refused, by what is wrong with them."""
    good = tokens.create_token(subject)
    schemes = {
        "none": None,
        "empty": "",
        "no token": "Bearer",
        "empty token": "Bearer ",
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "two tokens": f"Bearer {good}, Bearer {good}",
    }
    bad = _spelled_wrong(good) | _signed_wrong(subject) | _claiming_wrong(subject)
    return schemes | {name: f"Bearer {token}" for name, token in bad.items()}


def _spelled_wrong(good: str) -> dict[str, str]:
    head, claims, signature = good.split(".")
    return {
        "malformed": "not-a-token",
        "two parts": f"{head}.{claims}",
        "five parts": f"{good}.a.b",
        "not base64": "%%%.%%%.%%%",
        "not ASCII": "\u00fcbung.\u00fcbung.\u00fcbung",
        "too long": "a" * 9000,
        "cut off": good[:-8],
        "without its signature": f"{head}.{claims}.",
        "other claims": f"{head}.{tokens.create_token('sub-other').split('.')[1]}.{signature}",
        "header is no object": f"{_part([1])}.{claims}.{signature}",
        "header is deep": f"{_part(_nested(1500))}.{claims}.{signature}",
    }


def _signed_wrong(subject: str) -> dict[str, str]:
    """Tokens without a signature, with someone else's, or signed with a public key as the secret."""
    stranger = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})
    theirs = {"jwk": stranger.as_dict(private=False)}
    claims = tokens.build_claims(subject)
    hmac_part = f"{_part({'alg': 'HS256', 'kid': tokens.KEY.kid})}.{_part(claims)}"
    public = tokens.KEY.as_pem(private=False)
    mac = hmac.digest(public, hmac_part.encode(), "sha256")
    return {
        "forged": tokens.create_token(subject, key=stranger),
        "alg none": f"{_part({'alg': 'none', 'kid': tokens.KEY.kid})}.{_part(claims)}.",
        "alg None": f"{_part({'alg': 'None', 'kid': tokens.KEY.kid})}.{_part(claims)}.",
        "alg HS256 with the public key": f"{hmac_part}.{_encoded(mac)}",
        "no alg": f"{_part({'kid': tokens.KEY.kid})}.{_part(claims)}.{_encoded(mac)}",
        "unknown kid": tokens.create_token(subject, key=stranger, header={"kid": "key-2"}),
        "kid is a path": tokens.create_token(subject, key=stranger, header={"kid": "../../key"}),
        "brings its own key": tokens.create_token(subject, key=stranger, header=theirs),
        "names its own key server": tokens.create_token(
            subject, key=stranger, header={"jku": "https://evil.example/jwks.json"}
        ),
    }


def _claiming_wrong(subject: str) -> dict[str, str]:
    """Tokens that our issuer signed, but for another audience, purpose or time."""
    now = tokens.build_claims(subject)["iat"]
    result: dict[str, dict[str, Any]] = {
        "another client": {"client_id": "another-client"},
        "no client": {"client_id": None},
        "ID token": {"client_id": None, "aud": tokens.CLIENT_ID, "token_use": "id"},
        "says it is an ID token": {"token_use": "id"},
        "expired": {"iat": LONG_AGO, "exp": LONG_AGO + 3600},
        "without end": {"exp": None},
        "its end is a text": {"exp": str(now + 3600)},
        "good for a year": {"exp": now + 365 * DAY_S},
        "of tomorrow": {"iat": now + DAY_S, "exp": now + DAY_S + 3600},
        "not before tomorrow": {"nbf": now + DAY_S},
        "another issuer": {"iss": "https://identity.test.example/pool_B"},
        "an issuer that begins in the same way": {"iss": f"{tokens.ISSUER}B"},
        "without a subject": {"sub": ""},
        "of a number": {"sub": 7},
    }
    return {name: tokens.create_token(subject, **claims) for name, claims in result.items()}


def _part(value: Any) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels // 2):
        value = [value]
    return value
