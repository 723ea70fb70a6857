"""Real RS256 access tokens in Cognito's format, from the tests' own issuer."""

import json
import time
import uuid
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://identity.test.example/pool_A"
CLIENT_ID = "dashboard-client"
KEY = RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig", "alg": "RS256"})


def build_jwks(*keys: RSAKey) -> dict[str, Any]:
    """The public key as the issuer publishes it."""
    return {"keys": [key.as_dict(private=False) for key in (keys or (KEY,))]}


def build_claims(subject: str, **changed: Any) -> dict[str, Any]:
    """Build the claims of a valid access token; a value of None leaves the claim out."""
    now = int(time.time())
    result = {
        "iss": ISSUER,
        "sub": subject,
        "client_id": CLIENT_ID,
        "token_use": "access",
        "iat": now,
        "exp": now + 3600,
        "auth_time": changed.get("iat", now),
        "origin_jti": str(uuid.uuid4()),
    } | changed
    return {name: value for name, value in result.items() if value is not None}


def create_token(subject: str, *, key: RSAKey = KEY, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """Create a signed token."""
    if key is KEY and not header and not changed:
        return _sign_plain(subject, int(time.time()))
    return jwt.encode({"alg": "RS256", "kid": key.kid} | (header or {}), build_claims(subject, **changed), key)


@lru_cache(maxsize=1000)
def _sign_plain(subject: str, now: int) -> str:
    """Sign once in a second what is the same in all of it: a signature takes most of a millisecond."""
    return jwt.encode({"alg": "RS256", "kid": KEY.kid}, build_claims(subject, iat=now, exp=now + 3600), KEY)


def forget_signed_tokens() -> None:
    """Sign again, for a new session: someone may have signed out in this second."""
    _sign_plain.cache_clear()


def write_jwks(path: Any) -> str:
    """Write the public keys to a file, and return its URL."""
    path.write_text(json.dumps(build_jwks()), encoding="utf-8")
    return path.as_uri()
