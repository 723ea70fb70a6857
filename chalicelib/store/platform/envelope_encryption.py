"""Health data and secrets sealed on our side, so that a table dump alone reveals nothing.

Each scope (a practice, a center, the service itself) has one AES-256 data key, made and
wrapped by KMS. A sealed value is bound to the place it was written to: moved to another item,
field or tenant, it does not open.
"""

import hmac
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chalicelib.aws import translate_aws_errors
from chalicelib.store.platform.dynamo import DynamoTable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_CACHE_S = 900
_CACHED_SCOPES = 500


_BLIND_INDEX_INFO = b"marks of names"


@dataclass(frozen=True, slots=True)
class _ScopeKeys:
    """What a scope's data key is used as: to seal with, and one derived from it to mark with."""

    cipher: "AESGCM"
    index_key: bytes


@dataclass(frozen=True, slots=True)
class EnvelopeEncryption:
    """Seals and opens by scope; keeps unwrapped keys in memory for 15 minutes at most."""

    keys: DynamoTable
    kms: Callable[[], Any]
    kms_key_id: str
    _kept: dict[str, tuple[float, _ScopeKeys]] = field(default_factory=dict)

    def encrypt(self, plaintext: bytes, *, scope: str, context: str) -> bytes:
        """Encrypt for one place: a string that names table, item and field."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._get_keys(scope).cipher.encrypt(nonce, plaintext, context.encode())

    def decrypt(self, ciphertext: bytes, *, scope: str, context: str) -> bytes:
        """Decrypt what `seal` made for the same scope and place.

        Raises:
            cryptography.exceptions.InvalidTag: it was altered, or stood elsewhere.
            UnavailableError: KMS did not answer. There is no way around it.
        """
        cipher = self._get_keys(scope).cipher
        # The format is the only byte that the tag does not cover.
        if ciphertext[:1] != _FORMAT or len(ciphertext) < 1 + _NONCE_BYTES:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `_unwrapped`

            raise InvalidTag
        nonce, ciphertext = ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :]
        return cipher.decrypt(nonce, ciphertext, context.encode())

    def compute_blind_index(self, text: str, *, scope: str) -> bytes:
        """A fingerprint of a text: the same for the same text of a scope, and no way back.

        Nobody without the scope's key can make one, not even to try out a guess.
        """
        return hmac.digest(self._get_keys(scope).index_key, text.encode(), "sha256")

    def _get_keys(self, scope: str) -> _ScopeKeys:
        cached = self._kept.get(scope)
        if cached and time.monotonic() - cached[0] < _CACHE_S:
            return cached[1]
        # OpenSSL costs a cold start 20 ms; a request that seals nothing should not pay them.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if len(self._kept) >= _CACHED_SCOPES:
            self._kept.clear()
        key = self._get_data_key(scope)
        keys = _ScopeKeys(AESGCM(key), hmac.digest(key, _BLIND_INDEX_INFO, "sha256"))
        self._kept[scope] = (time.monotonic(), keys)
        return keys

    def _get_data_key(self, scope: str) -> bytes:
        """The scope's key; made when it is first needed, by whoever comes first."""
        row = self.keys.get({"scope": scope})
        if row is None:
            with translate_aws_errors():
                made = self.kms().generate_data_key(
                    KeyId=self.kms_key_id, KeySpec="AES_256", EncryptionContext={"scope": scope}
                )
            fresh = {"scope": scope, "data_key": made["CiphertextBlob"]}
            if self.keys.put(fresh, when="attribute_not_exists(data_key)"):
                plaintext: bytes = made["Plaintext"]
                return plaintext
            row = self.keys.get({"scope": scope}) or {}
        with translate_aws_errors():
            answer = self.kms().decrypt(
                KeyId=self.kms_key_id, CiphertextBlob=row["data_key"], EncryptionContext={"scope": scope}
            )
        unwrapped: bytes = answer["Plaintext"]
        return unwrapped
