"""Which health record system is asking: CDS Hooks tokens, verified against an allow-list.

A system that is not on the list is refused, whatever it signs. What is checked, and why:

- `iss` names a system of the list, and only that system's keys may have signed.
- The keys are those of the list, or those at the address that the list gives; a `jku` in the
  token must be that very address. No address that a token names is ever asked.
- `aud` is the address of the service that is being called: a token for another service, or for
  another product of the same vendor, is not for us.
- `exp` lies at most five minutes after `iat`, and `jti` was never seen: a token that leaks from a
  log is worth nothing.
- Signatures with an asymmetric key alone: neither `none` nor an HMAC with the public key.

Source: CDS Hooks 2.0, "Trusting CDS Clients".
"""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.errors import UnauthenticatedError, UnavailableError
from chalicelib.settings import SettingsError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
"""CDS Hooks asks systems for ES384 or RS384; some sign with the shorter ones."""

MAX_TOKEN_CHARS = 8192
LONGEST_LIFE_S = 300
LEEWAY_S = 60
KEYS_KEPT_S = 3600
REFRESH_PAUSE_S = 60
MAX_ID_CHARS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Ehr:
    """A health record system of the allow-list.

    Attributes:
        iss: As its tokens name it, to the letter.
        origins: Where its pages are, for browsers that call us from them.
        keys: Its public keys (a JWKS), if the list holds them.
        jku: Else where they are.
    """

    iss: str
    name: str
    origins: tuple[str, ...] = ()
    keys: Mapping[str, Any] | None = None
    jku: str | None = None


def allow_list(setting: str) -> tuple[Ehr, ...]:
    """The systems that the setting names: a JSON list of objects like `Ehr`.

    Raises:
        SettingsError: it makes no sense, so that nothing starts with half of a list.
    """
    if not setting:
        return ()
    try:
        systems = tuple(
            Ehr(**{**row, "origins": tuple(row.get("origins", ()))}) for row in json.loads(setting)
        )
    except (ValueError, TypeError, AttributeError) as e:
        raise SettingsError("EHR_CLIENTS is not a JSON list of health record systems") from e
    for system in systems:
        _require_sensible(system)
    if len({system.iss for system in systems}) != len(systems):
        raise SettingsError("EHR_CLIENTS names one iss twice")
    return systems


def _require_sensible(system: Ehr) -> None:
    if not system.iss or not system.name or (system.keys is None) is (system.jku is None):
        raise SettingsError("EHR_CLIENTS: each system has iss, name, and either keys or jku")
    if system.jku is not None and urlsplit(system.jku).scheme != "https":
        raise SettingsError("EHR_CLIENTS: a jku is fetched over https alone")


@dataclass(slots=True)
class _Keys:
    """A system's public keys as last read, by our monotonic clock."""

    found: "KeySet | None" = None
    read_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrVerifier:
    """Verifies tokens of the systems of one list.

    Attributes:
        fetch_keys: Reads a JWKS document; only addresses of the list are ever handed to it.
    """

    systems: tuple[Ehr, ...]
    fetch_keys: Callable[[str], Mapping[str, Any]]
    _kept: dict[str, _Keys] = field(default_factory=dict)

    def origins(self) -> frozenset[str]:
        """Where pages of the systems are."""
        return frozenset(origin for system in self.systems for origin in system.origins)

    def claims(self, token: str, *, audience: str, now: datetime) -> Mapping[str, Any]:
        """What a token says, once it is clear that a system of the list says it to us.

        Raises:
            UnauthenticatedError: anything about it is not as it should be. One text for all.
            UnavailableError: the system's keys have never been read and cannot be.
        """
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise UnauthenticatedError
        system = self._system(token)
        claims = self._verified(token, system)
        if not (
            claims.get("iss") == system.iss
            and audience in _audiences(claims)
            and _is_brief(claims, now.timestamp())
            and _is_id(claims.get("jti"))
        ):
            raise UnauthenticatedError
        return claims

    def _system(self, token: str) -> Ehr:
        """Whom the token claims to be of. Nothing is believed of it yet."""
        header, payload = (_unverified(part) for part in [*token.split("."), "", ""][:2])
        system = next((s for s in self.systems if s.iss == payload.get("iss")), None)
        if system is None or header.get("jku", system.jku) != system.jku:
            raise UnauthenticatedError
        return system

    def _verified(self, token: str, system: Ehr) -> Mapping[str, Any]:
        from joserfc import jwt  # noqa: PLC0415 most of a cold start's crypto
        from joserfc.errors import InvalidKeyIdError, JoseError  # noqa: PLC0415 as above

        for fresh in (False, True):
            try:
                keys = self._key_set(system, fresh=fresh)
                return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            except InvalidKeyIdError:
                continue
            except (JoseError, ValueError, TypeError, KeyError) as e:
                raise UnauthenticatedError from e
        raise UnauthenticatedError

    def _key_set(self, system: Ehr, *, fresh: bool) -> "KeySet":
        from joserfc.errors import JoseError  # noqa: PLC0415 as above
        from joserfc.jwk import KeySet  # noqa: PLC0415 as above

        kept = self._kept.setdefault(system.iss, _Keys())
        age = time.monotonic() - kept.read_at
        if kept.found is None or (
            system.jku is not None and age > (REFRESH_PAUSE_S if fresh else KEYS_KEPT_S)
        ):
            try:
                document = system.keys if system.jku is None else self.fetch_keys(system.jku)
                kept.found = KeySet.import_key_set(document)  # type: ignore[arg-type]
            except (OSError, JoseError, ValueError, TypeError, KeyError) as e:
                # Known keys go on working while the system is out of reach, or answers nonsense.
                if kept.found is None:
                    raise UnavailableError from e
            kept.read_at = time.monotonic()
        return kept.found


def _unverified(part: str) -> Mapping[str, Any]:
    try:
        told = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _audiences(claims: Mapping[str, Any]) -> Sequence[Any]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _is_brief(claims: Mapping[str, Any], at: float) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        return False
    return issued - LEEWAY_S <= at < expires and 0 < expires - issued <= LONGEST_LIFE_S


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS
