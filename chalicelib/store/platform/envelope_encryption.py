"""Envelope encryption: health data and secrets are encrypted before they reach DynamoDB.

A dump of a table alone reveals nothing. Each scope (a practice, a center, the service itself) has
one AES-256 data key. AWS KMS creates the data key and encrypts it; the table `keys` stores only the
encrypted data key. A ciphertext is bound to the item, field and tenant for which it was written.
Moved to another one, it does not decrypt.

The same data key gives the scope's blind index: a keyed hash by which names and addresses can be
compared without decrypting them.
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
"""Derives the key of the blind index from the data key. Stored hashes depend on these exact bytes."""


@dataclass(frozen=True, slots=True)
class _ScopeKeys:
    """A scope's data key as a cipher, and the key derived from it for the blind index."""

    cipher: "AESGCM"
    index_key: bytes


@dataclass(frozen=True, slots=True)
class EnvelopeEncryption:
    """Encrypts and decrypts by scope. Keeps decrypted data keys in memory for 15 minutes at most."""

    keys: DynamoTable
    kms: Callable[[], Any]
    kms_key_id: str
    _cache: dict[str, tuple[float, _ScopeKeys]] = field(default_factory=dict)

    def encrypt(self, plaintext: bytes, *, scope: str, context: str) -> bytes:
        """Encrypt for one `context`: a string that names the table, the item and the field."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._get_keys(scope).cipher.encrypt(nonce, plaintext, context.encode())

    def decrypt(self, ciphertext: bytes, *, scope: str, context: str) -> bytes:
        """Decrypt what `encrypt` returned for the same scope and context.

        Raises:
            cryptography.exceptions.InvalidTag: it was altered, or it was moved from another context.
            UnavailableError: KMS did not respond. There is no way to decrypt without it.
        """
        cipher = self._get_keys(scope).cipher
        # The format is the only byte that the authentication tag does not cover.
        if ciphertext[:1] != _FORMAT or len(ciphertext) < 1 + _NONCE_BYTES:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `_get_keys`

            raise InvalidTag
        nonce, ciphertext = ciphertext[1 : 1 + _NONCE_BYTES], ciphertext[1 + _NONCE_BYTES :]
        return cipher.decrypt(nonce, ciphertext, context.encode())

    def compute_blind_index(self, text: str, *, scope: str) -> bytes:
        """Compute a keyed hash: the same for the same text of a scope, and not reversible.

        Without the scope's key no one can compute it, not even to test a guess.
        """
        return hmac.digest(self._get_keys(scope).index_key, text.encode(), "sha256")

    def is_key_usable(self) -> bool:
        """Whether the KMS key is enabled. A disabled one is noticed here before the last data key leaves memory."""
        with translate_aws_errors():
            description = self.kms().describe_key(KeyId=self.kms_key_id)
        return bool(description["KeyMetadata"]["KeyState"] == "Enabled")

    def _get_keys(self, scope: str) -> _ScopeKeys:
        cached = self._cache.get(scope)
        if cached and time.monotonic() - cached[0] < _CACHE_S:
            return cached[1]
        # OpenSSL adds 20 ms to a cold start; a request that encrypts nothing should not pay for it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        if len(self._cache) >= _CACHED_SCOPES:
            self._cache.clear()
        key = self._get_data_key(scope)
        keys = _ScopeKeys(AESGCM(key), hmac.digest(key, _BLIND_INDEX_INFO, "sha256"))
        self._cache[scope] = (time.monotonic(), keys)
        return keys

    def _get_data_key(self, scope: str) -> bytes:
        """Decrypt the scope's data key. The first caller that needs it creates it."""
        row = self.keys.get({"scope": scope})
        if row is None:
            with translate_aws_errors():
                new_key = self.kms().generate_data_key(
                    KeyId=self.kms_key_id, KeySpec="AES_256", EncryptionContext={"scope": scope}
                )
            new_row = {"scope": scope, "data_key": new_key["CiphertextBlob"]}
            if self.keys.put(new_row, when="attribute_not_exists(data_key)"):
                plaintext: bytes = new_key["Plaintext"]
                return plaintext
            row = self.keys.get({"scope": scope}) or {}
        with translate_aws_errors():
            response = self.kms().decrypt(
                KeyId=self.kms_key_id, CiphertextBlob=row["data_key"], EncryptionContext={"scope": scope}
            )
        data_key: bytes = response["Plaintext"]
        return data_key
