"""The public keys of a token issuer: its JWKS document, cached.

The cache reads a document when it is an hour old, and earlier when a token names an unknown key. Known
keys stay in use while the issuer does not respond.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.errors import UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

MAX_TOKEN_CHARS = 8192
JWKS_CACHE_S = 3600
JWKS_REFRESH_INTERVAL_S = 60
"""At most one read for new keys a minute, however many unknown key ids a caller sends."""

FetchKeys = Callable[[], Mapping[str, Any]]
"""Reads the JWKS document at an address from our settings, never at one that a token names."""


@dataclass(slots=True)
class JwksCache:
    """The public keys of one issuer as last read. `read_at` is a time of our monotonic clock."""

    keys: "KeySet | None" = None
    read_at: float = 0.0

    def verify_signature(self, token: str, *, algorithms: Sequence[str], fetch: FetchKeys) -> Mapping[str, Any]:
        """The claims of a token with a valid signature by one of the keys.

        Raises:
            UnauthenticatedError: no key of the issuer signed it with one of these algorithms.
            UnavailableError: the keys have never been read, and cannot be read now.
        """
        # Most of the cryptography in a cold start; a request without a token should not pay for it.
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415

        for refresh in (False, True):
            try:
                return jwt.decode(token, self.load_keys(fetch, refresh=refresh), algorithms=list(algorithms)).claims
            except InvalidKeyIdError:
                continue
            except (JoseError, ValueError, TypeError, KeyError) as e:
                raise UnauthenticatedError from e
        raise UnauthenticatedError

    def load_keys(self, fetch: FetchKeys, *, refresh: bool) -> "KeySet":
        """The keys from the cache, or from the issuer if they are too old.

        Raises:
            UnavailableError: the keys have never been read, and cannot be read now.
        """
        from joserfc.errors import JoseError  # noqa: PLC0415 as above
        from joserfc.jwk import KeySet  # noqa: PLC0415 as above

        keys, age = self.keys, time.monotonic() - self.read_at
        if keys is not None and age <= (JWKS_REFRESH_INTERVAL_S if refresh else JWKS_CACHE_S):
            return keys
        try:
            keys = KeySet.import_key_set(fetch())  # type: ignore[arg-type]
        except (OSError, JoseError, ValueError, TypeError, KeyError) as e:
            # Known keys stay in use while the issuer does not respond, or responds with nonsense.
            if keys is None:
                raise UnavailableError from e
        self.keys, self.read_at = keys, time.monotonic()
        return keys
