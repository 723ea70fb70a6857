"""The public keys of a token issuer: its JWKS document, cached.

The cache reads a document when it is an hour old, and earlier when a token names an unknown key. Known
keys stay in use while the issuer does not respond.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chalicelib.errors import UnauthenticatedError, UnavailableError

MAX_TOKEN_CHARS = 8192
JWKS_CACHE_S = 3600
JWKS_REFRESH_INTERVAL_S = 60
"""At most one read for new keys a minute, however many unknown key ids a caller sends."""

FetchKeys = Callable[[], Mapping[str, Any]]
"""Reads the JWKS document at an address from our settings, never at one that a token names."""

Claims = Mapping[str, Any]
_Keys = TypeVar("_Keys")


class UnknownKeyError(Exception):
    """The token names a key that is not among the keys of the issuer."""


@dataclass(slots=True)
class JwksCache(Generic[_Keys]):
    """The public keys of one issuer as last read.

    Attributes:
        import_keys: Converts a JWKS document; raises `ValueError` if it has no usable key.
        decode: Verifies the signature of a token with the keys and returns its claims; raises `UnknownKeyError`, or
            `UnauthenticatedError` for a token that is not valid.
        read_at: When they were read, on our monotonic clock.
    """

    import_keys: Callable[[Any], _Keys]
    decode: Callable[[str, _Keys], Claims]
    keys: _Keys | None = None
    read_at: float = 0.0

    def verify_signature(self, token: str, *, fetch: FetchKeys) -> Claims:
        """The claims of a token with a valid signature by one of the keys.

        Raises:
            UnauthenticatedError: no key of the issuer signed it in a permitted way.
            UnavailableError: the keys have never been read, and cannot be read now.
        """
        for refresh in (False, True):
            try:
                return self.decode(token, self.load_keys(fetch, refresh=refresh))
            except UnknownKeyError:
                continue
        raise UnauthenticatedError

    def load_keys(self, fetch: FetchKeys, *, refresh: bool) -> _Keys:
        """The keys from the cache, or from the issuer if they are too old.

        Raises:
            UnavailableError: the keys have never been read, and cannot be read now.
        """
        keys, age = self.keys, time.monotonic() - self.read_at
        if keys is not None and age <= (JWKS_REFRESH_INTERVAL_S if refresh else JWKS_CACHE_S):
            return keys
        try:
            keys = self.import_keys(fetch())
        except (OSError, ValueError, TypeError, KeyError) as e:
            # Known keys stay in use while the issuer does not respond, or responds with nonsense.
            if keys is None:
                raise UnavailableError from e
        self.keys, self.read_at = keys, time.monotonic()
        return keys
