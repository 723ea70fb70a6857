"""Verify JSON Web Tokens that are signed with RS256, and nothing else.

The hot path of every request: importing a library for all of JOSE is a sixth of a cold start. The signature itself
is verified by `cryptography`. The tests compare the result with `joserfc` and with the vectors of Wycheproof.

Sources: RFC 7515 (compact serialization, `crit`), RFC 7517 (`use`, `key_ops`, `alg` of a key), RFC 7518 section 3.3
(RS256, keys of at least 2,048 bits), RFC 8725 (one algorithm, which the verifier chooses).
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.platform.jwks_cache import Claims, UnknownKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHM = "RS256"
MIN_KEY_BITS = 2048
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)

Rs256Keys = Mapping[str, "RSAPublicKey"]
"""Public keys by their id."""


def import_keys(document: Any) -> Rs256Keys:
    """Import the keys of a JWKS document that can verify RS256. Other keys, and shorter ones, are left out.

    Raises:
        ValueError: it is not a JWKS document, an RSA key in it is malformed, or it has no such key.
    """
    keys: dict[str, RSAPublicKey] = {}
    for key in _list_keys(document):
        if _is_for_rs256(key):
            public_key = _import_key(key)
            if public_key.key_size >= MIN_KEY_BITS:
                keys.setdefault(key["kid"], public_key)
    if not keys:
        raise ValueError("no key can verify RS256")
    return keys


def decode(token: str, keys: Rs256Keys) -> Claims:
    """Verify a token and return its claims.

    Raises:
        UnknownKeyError: none of the keys has the id that the token names.
        UnauthenticatedError: it is malformed, or its signature is wrong.
    """
    try:
        return _parse_object(verify(token, keys))
    except (ValueError, RecursionError) as e:
        raise UnauthenticatedError from e


def verify(token: str, keys: Rs256Keys) -> bytes:
    """Verify a token in compact serialization and return its payload. Nothing in the payload is read before.

    Raises:
        UnknownKeyError: none of the keys has the id that the token names.
        ValueError: it is malformed, or its signature is wrong.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 only requests with a token pay for it
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 as above

    signed, _, signature = token.rpartition(".")
    head, dot, payload = signed.partition(".")
    if not dot or "." in payload:
        raise ValueError("not three parts")
    header = _parse_object(_decode_base64url(head))
    key_id = header.get("kid")
    # Whether an extension is critical or not: we know none.
    if header.get("alg") != ALGORITHM or "crit" in header or not isinstance(key_id, str):
        raise ValueError("not an algorithm, extension or key id that is accepted")
    if key_id not in keys:
        raise UnknownKeyError
    content = _decode_base64url(payload)
    try:
        keys[key_id].verify(_decode_base64url(signature), signed.encode("ascii"), PKCS1v15(), SHA256())
    except InvalidSignature as e:
        raise ValueError("wrong signature") from e
    return content


def _list_keys(document: Any) -> Sequence[Mapping[str, Any]]:
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("not a JWKS document")
    return keys


def _is_for_rs256(key: Mapping[str, Any]) -> bool:
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("kty") == "RSA"
        and isinstance(key.get("kid"), str)
        and key.get("use", "sig") == "sig"
        and key.get("alg", ALGORITHM) == ALGORITHM
        and isinstance(operations, list)
        and "verify" in operations
    )


def _import_key(key: Mapping[str, Any]) -> "RSAPublicKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers  # noqa: PLC0415 as above

    modulus, exponent = (_decode_number(key.get(name)) for name in ("n", "e"))
    return RSAPublicNumbers(exponent, modulus).public_key()


def _decode_number(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("not a number in base64url")  # noqa: TRY004 all faults of a document have one error
    return int.from_bytes(_decode_base64url(value), "big")


def _decode_base64url(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2). There is one spelling for the same bytes."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as e:
        raise ValueError("not base64url") from e
    if urlsafe_b64encode(content).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("not the one spelling in base64url")
    return content


def _parse_object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object in UTF-8, in which no name is repeated and every number is one of JSON."""
    value = json.loads(content.decode("utf-8"), object_pairs_hook=_build_object, parse_constant=_refuse_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 as above
    return value


def _build_object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a repeated name")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
