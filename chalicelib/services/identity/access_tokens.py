"""Who is asking: access tokens of the identity service, verified by us on every request.

Locally as in the cloud: no gateway is trusted to have looked. What is checked, and why:

- RS256 alone, with a key of our issuer: neither `none` nor an HMAC with the public key.
- The exact issuer: a pool whose id merely starts alike is another pool.
- `client_id`: Cognito's access tokens have no `aud`, and another app of the pool is not ours.
- `token_use`: an ID token is for the browser, not for an API.
- `exp`, `iat`, `sub` present and numbers that make sense.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.platform.jwks_cache import MAX_TOKEN_CHARS, FetchKeys, JwksCache

LEEWAY_S = 60
"""How far the issuer's clock may be off."""

MAX_TOKEN_LIFETIME_S = 24 * 3600
"""Cognito's own maximum for access tokens. Source: its developer guide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenVerifier:
    """Verifies tokens of one issuer for one app client.

    `fetch_keys` reads the issuer's JWKS document; only its address in our settings is used,
    never one that a token names.
    """

    issuer: str
    client_id: str
    fetch_keys: FetchKeys
    _keys: JwksCache = field(default_factory=JwksCache)

    def verify(self, token: str, *, now: datetime) -> str:
        """The person that a token speaks for.

        Raises:
            UnauthenticatedError: the token is not one of ours, or not valid now.
            UnavailableError: the issuer's keys have never been read and cannot be.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError
        claims = self._keys.verify_signature(token, algorithms=("RS256",), fetch=self.fetch_keys)
        at = now.timestamp()
        good = (
            claims.get("iss") == self.issuer
            and claims.get("client_id") == self.client_id
            and claims.get("token_use") == "access"
            and _is_within_lifetime(claims, at)
            and isinstance(claims.get("sub"), str)
            and claims["sub"]
        )
        if not good:
            raise UnauthenticatedError
        subject: str = claims["sub"]
        return subject

    def list_key_ids(self) -> Sequence[str]:
        """The ids of the issuer's keys, for a look whether it answers."""
        return [str(key.kid) for key in self._keys.load_keys(self.fetch_keys, refresh=False).keys]


def _is_within_lifetime(claims: Mapping[str, Any], at: float) -> bool:
    expires, issued = _read_timestamp(claims, "exp"), _read_timestamp(claims, "iat")
    starts = _read_timestamp(claims, "nbf") if "nbf" in claims else issued
    if expires is None or issued is None or starts is None:
        return False
    begun = max(starts, issued) - LEEWAY_S <= at
    return begun and at < expires and 0 < expires - issued <= MAX_TOKEN_LIFETIME_S


def _read_timestamp(claims: Mapping[str, Any], name: str) -> int | None:
    """A time of the token; a truth value, a text and a fraction are none."""
    value = claims.get(name)
    return value if type(value) is int else None
