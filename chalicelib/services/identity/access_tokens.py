"""Access tokens of the identity service, verified on every request to identify the caller.

We verify them ourselves, on a laptop and in the cloud, and do not rely on a gateway. What is checked,
and why:

- Only RS256 with a key of our issuer: neither `none` nor an HMAC with the public key.
- The exact issuer: a pool whose id has the same beginning is another pool.
- `client_id`: Cognito's access tokens have no `aud`, and another app of the pool is not ours.
- `token_use`: an ID token is for the browser, not for an API.
- `exp`, `iat` and `sub` are present and make sense.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.platform import rs256
from chalicelib.services.platform.jwks_cache import MAX_TOKEN_CHARS, FetchKeys, JwksCache

LEEWAY_S = 60
"""Tolerance for the issuer's clock, in seconds."""

MAX_TOKEN_LIFETIME_S = 24 * 3600
"""Cognito's own maximum for access tokens. Source: its developer guide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSession:
    """The session that a token belongs to. A renewed token belongs to the session of the first one.

    Attributes:
        subject: The person.
        session_id: The id of the session (`origin_jti`); empty for an issuer that has none.
        signed_in_at: When the person proved a password, in Unix seconds (`auth_time`).
    """

    subject: str
    session_id: str
    signed_in_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenVerifier:
    """Verifies tokens of one issuer for one app client.

    `fetch_keys` reads the issuer's JWKS document from the address in our settings, never from an address
    that a token names.
    """

    issuer: str
    client_id: str
    fetch_keys: FetchKeys
    _keys: JwksCache[rs256.Rs256Keys] = field(default_factory=lambda: JwksCache(rs256.import_keys, rs256.decode))

    def verify(self, token: str, *, now: datetime) -> str:
        """Verify a token and return the subject that it belongs to. Raises the same as `verify_session`."""
        return self.verify_session(token, now=now).subject

    def verify_session(self, token: str, *, now: datetime) -> TokenSession:
        """Verify a token and return the session that it belongs to.

        Raises:
            UnauthenticatedError: the token is not from our issuer, or it is not valid now.
            UnavailableError: the issuer's keys have never been read, and cannot be read now.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError
        claims = self._keys.verify_signature(token, fetch=self.fetch_keys)
        at = now.timestamp()
        is_valid = (
            claims.get("iss") == self.issuer
            and claims.get("client_id") == self.client_id
            and claims.get("token_use") == "access"
            and _is_within_lifetime(claims, at)
            and isinstance(claims.get("sub"), str)
            and claims["sub"]
        )
        if not is_valid:
            raise UnauthenticatedError
        signed_in_at, session_id = _read_timestamp(claims, "auth_time"), claims.get("origin_jti")
        return TokenSession(
            subject=claims["sub"],
            session_id=session_id if isinstance(session_id, str) else "",
            signed_in_at=int(claims["iat"]) if signed_in_at is None else signed_in_at,
        )

    def list_key_ids(self) -> Sequence[str]:
        """The ids of the issuer's keys, to check that the issuer responds."""
        return list(self._keys.load_keys(self.fetch_keys, refresh=False))


def _is_within_lifetime(claims: Mapping[str, Any], at: float) -> bool:
    expires, issued = _read_timestamp(claims, "exp"), _read_timestamp(claims, "iat")
    starts = _read_timestamp(claims, "nbf") if "nbf" in claims else issued
    if expires is None or issued is None or starts is None:
        return False
    has_begun = max(starts, issued) - LEEWAY_S <= at
    return has_begun and at < expires and 0 < expires - issued <= MAX_TOKEN_LIFETIME_S


def _read_timestamp(claims: Mapping[str, Any], name: str) -> int | None:
    """A time in the token; None for a boolean, a text or a fraction."""
    value = claims.get(name)
    return value if type(value) is int else None
