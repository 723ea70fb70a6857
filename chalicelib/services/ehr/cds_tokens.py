"""CDS Hooks tokens, verified against an allow-list to identify the health record system that calls.

A system that is not on the list is refused, whatever it signs. What is checked, and why:

- `iss` names a system on the list, and one of that system's keys signed the token.
- The keys are in the list, or at the address that the list gives. A `jku` in the token must be exactly
  that address. We never request an address that only a token names.
- `aud` is the address of the service that is called: a token for another service, or for another
  product of the same vendor, is not for us. Feedback belongs to its service, and the standard does not
  say which of the two addresses its token is for: both are accepted.
- `exp` is at most five minutes after `iat`, and `jti` was never used before: a token that leaks from a
  log has no value.
- Only signatures with an asymmetric key: neither `none` nor an HMAC with the public key.

Source: CDS Hooks 2.0, "Trusting CDS Clients".
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.platform.jwks_cache import MAX_TOKEN_CHARS, JwksCache, UnknownKeyError
from chalicelib.settings import SettingsError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
"""CDS Hooks asks systems for ES384 or RS384; some sign with the shorter keys."""

MAX_TOKEN_LIFETIME_S = 300
LEEWAY_S = 60
MAX_ID_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrSystem:
    """A health record system on the allow-list.

    Attributes:
        issuer: The exact `iss` of its tokens.
        origins: Origins of its pages, for browsers that call us from them.
        keys: Its public keys (a JWKS), if the list has them.
        jwks_url: The address of its keys otherwise.
    """

    issuer: str
    name: str
    origins: tuple[str, ...] = ()
    keys: Mapping[str, Any] | None = None
    jwks_url: str | None = None


def parse_allow_list(value: str) -> tuple[EhrSystem, ...]:
    """Parse the setting: a JSON list of objects with the fields of `EhrSystem`.

    Raises:
        SettingsError: an entry is not valid; nothing starts with only a part of the list.
    """
    if not value:
        return ()
    try:
        systems = tuple(_parse_system(row) for row in json.loads(value))
    except (ValueError, TypeError, AttributeError) as e:
        raise SettingsError("EHR_CLIENTS is not a JSON list of health record systems") from e
    for system in systems:
        _validate_system(system)
    if len({system.issuer for system in systems}) != len(systems):
        raise SettingsError("EHR_CLIENTS names one iss twice")
    return systems


def _parse_system(row: Mapping[str, Any]) -> EhrSystem:
    """Parse one entry of the setting, which uses the names of tokens and of JWKS: `iss`, `jku`."""
    names = {"iss": "issuer", "jku": "jwks_url"}
    values = {names.get(key, key): value for key, value in row.items()}
    return EhrSystem(**{**values, "origins": tuple(row.get("origins", ()))})


def _validate_system(system: EhrSystem) -> None:
    if not system.issuer or not system.name or (system.keys is None) is (system.jwks_url is None):
        raise SettingsError("EHR_CLIENTS: each system has iss, name, and either keys or jku")
    if system.jwks_url is not None and urlsplit(system.jwks_url).scheme != "https":
        raise SettingsError("EHR_CLIENTS: a jku is fetched over https alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsTokenVerifier:
    """Verifies tokens of the systems on one list.

    Attributes:
        fetch_keys: Reads a JWKS document; it gets only addresses from the list.
    """

    systems: tuple[EhrSystem, ...]
    fetch_keys: Callable[[str], Mapping[str, Any]]
    _caches: "dict[str, JwksCache[KeySet]]" = field(default_factory=dict)

    def allowed_origins(self) -> frozenset[str]:
        """The origins of the systems' pages."""
        return frozenset(origin for system in self.systems for origin in system.origins)

    def verify(self, token: str, *, audiences: Collection[str], now: datetime) -> Mapping[str, Any]:
        """Verify a token and return its claims: a system on the list made it for us.

        Args:
            audiences: The addresses that a token may be for; one is enough.

        Raises:
            UnauthenticatedError: any check failed. One text for all.
            UnavailableError: the system's keys have never been read, and cannot be read now.
        """
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise UnauthenticatedError
        system = self._find_system(token)
        claims = self._verify_signature(token, system)
        if not (
            claims.get("iss") == system.issuer
            and any(audience in audiences for audience in _list_audiences(claims))
            and _is_within_lifetime(claims, now.timestamp())
            and _is_valid_id(claims.get("jti"))
        ):
            raise UnauthenticatedError
        return claims

    def _find_system(self, token: str) -> EhrSystem:
        """Find the system that the token names. Nothing in the token is trusted yet."""
        header, payload = (_decode_unverified(part) for part in [*token.split("."), "", ""][:2])
        system = next((s for s in self.systems if s.issuer == payload.get("iss")), None)
        if system is None or header.get("jku", system.jwks_url) != system.jwks_url:
            raise UnauthenticatedError
        return system

    def _verify_signature(self, token: str, system: EhrSystem) -> Mapping[str, Any]:
        cache = self._caches.setdefault(system.issuer, JwksCache(_import_keys, _decode))
        return cache.verify_signature(token, fetch=lambda: self._get_jwks(system))

    def _get_jwks(self, system: EhrSystem) -> Mapping[str, Any]:
        if system.keys is not None:
            return system.keys
        if system.jwks_url is None:
            raise TypeError("a system has either keys or the address of its keys")
        return self.fetch_keys(system.jwks_url)


def _import_keys(document: Any) -> "KeySet":
    from joserfc.errors import JoseError  # noqa: PLC0415 it is slow to import, and few requests need it
    from joserfc.jwk import KeySet  # noqa: PLC0415 as above

    try:
        return KeySet.import_key_set(document)
    except (JoseError, TypeError, KeyError, AttributeError) as e:
        raise ValueError("not a JWKS document") from e


def _decode(token: str, keys: "KeySet") -> Mapping[str, Any]:
    from joserfc import jwt  # noqa: PLC0415 as above
    from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415 as above

    try:
        return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except InvalidKeyIdError as e:
        raise UnknownKeyError from e
    except (JoseError, ValueError, TypeError, KeyError) as e:
        raise UnauthenticatedError from e


def _decode_unverified(segment: str) -> Mapping[str, Any]:
    try:
        content = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _list_audiences(claims: Mapping[str, Any]) -> Sequence[str]:
    audience = claims.get("aud")
    return [each for each in (audience if isinstance(audience, list) else [audience]) if isinstance(each, str)]


def _is_within_lifetime(claims: Mapping[str, Any], at: float) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        return False
    return issued - LEEWAY_S <= at < expires and 0 < expires - issued <= MAX_TOKEN_LIFETIME_S


def _is_valid_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS
