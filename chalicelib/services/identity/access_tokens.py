"""Who is asking: access tokens of the identity service, verified by us on every request.

Locally as in the cloud: no gateway is trusted to have looked. What is checked, and why:

- RS256 alone, with a key of our issuer: neither `none` nor an HMAC with the public key.
- The exact issuer: a pool whose id merely starts alike is another pool.
- `client_id`: Cognito's access tokens have no `aud`, and another app of the pool is not ours.
- `token_use`: an ID token is for the browser, not for an API.
- `exp`, `iat`, `sub` present and numbers that make sense.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.errors import UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

MAX_TOKEN_CHARS = 8192
LEEWAY_S = 60
"""How far the issuer's clock may be off."""

MAX_TOKEN_LIFETIME_S = 24 * 3600
"""Cognito's own maximum for access tokens. Source: its developer guide."""

JWKS_CACHE_S = 3600
JWKS_REFRESH_INTERVAL_S = 60
"""At most one look for new keys a minute, however many unknown key ids strangers send."""


@dataclass(slots=True)
class _CachedKeys:
    """The issuer's public keys as last read, by our monotonic clock."""

    keys: "KeySet | None" = None
    read_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenVerifier:
    """Verifies tokens of one issuer for one app client.

    `fetch_keys` reads the issuer's JWKS document; only its address in our settings is used,
    never one that a token names.
    """

    issuer: str
    client_id: str
    fetch_keys: Callable[[], Mapping[str, Any]]
    _keys: _CachedKeys = field(default_factory=_CachedKeys)

    def verify(self, token: str, *, now: datetime) -> str:
        """The person that a token speaks for.

        Raises:
            UnauthenticatedError: the token is not one of ours, or not valid now.
            UnavailableError: the issuer's keys have never been read and cannot be.
        """
        claims = self._verify_claims(token)
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
        return [str(key.kid) for key in self._load_key_set(refresh=False).keys]

    def _verify_claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise UnauthenticatedError
        # Most of a cold start's crypto; a request without a token should not pay for it.
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415

        for fresh in (False, True):
            try:
                return jwt.decode(token, self._load_key_set(refresh=fresh), algorithms=["RS256"]).claims
            except InvalidKeyIdError:
                continue
            except (JoseError, ValueError, TypeError, KeyError) as e:
                raise UnauthenticatedError from e
        raise UnauthenticatedError

    def _load_key_set(self, *, refresh: bool) -> "KeySet":
        from joserfc.errors import JoseError  # noqa: PLC0415 as above
        from joserfc.jwk import KeySet  # noqa: PLC0415 as above

        known, age = self._keys.keys, time.monotonic() - self._keys.read_at
        if known is not None and age <= (JWKS_REFRESH_INTERVAL_S if refresh else JWKS_CACHE_S):
            return known
        try:
            known = KeySet.import_key_set(self.fetch_keys())  # type: ignore[arg-type]
        except (OSError, JoseError, ValueError, TypeError, KeyError) as e:
            # Known keys go on working while the issuer is out of reach, or answers nonsense.
            if known is None:
                raise UnavailableError from e
        self._keys.keys, self._keys.read_at = known, time.monotonic()
        return known


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
