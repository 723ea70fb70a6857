"""Envelope encryption: health data and secrets are encrypted before they reach DynamoDB.

A dump of a table alone reveals nothing. Each scope (a practice, a center, the service itself) has
one AES-256 data key. AWS KMS creates the data key and encrypts it; the table `keys` stores only the
encrypted data key. A ciphertext is bound to the item, field and tenant for which it was written.
Moved to another one, it does not decrypt.

What is about one referral has a key of its own, from a tree of keys (`domain.platform.key_tree`) that is
encrypted with the data key of its scope. If the key of a referral is destroyed, no one can read what it
encrypted, also not in a backup.

    format   after it                      key
    1        nonce, ciphertext             the data key of the scope
    2        generation, path, nonce, …    the key of a referral
    3        generation, nonce, …          the data key of the scope of a later generation

The upper four bits of the format are the version of the template with which the plaintext was compressed (see
`compression`), and 0 if it was not, because it would not become smaller.

A scope gets a new generation of its keys when an operator rotates them. The first data key also gives the
scope's blind index: a keyed hash by which names and addresses can be compared without decrypting them.
"""

import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from chalicelib.aws import translate_aws_errors
from chalicelib.domain.platform.key_tree import PATH_BYTES, KeyDestroyedError, KeyTree, compute_path
from chalicelib.errors import ReferralErasedError
from chalicelib.store.platform.compression import TEMPLATE_VERSION, compress, decompress
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.scope_keys import FIRST_GENERATION, NONCE_BYTES, ScopeKeyRows, ScopeKeys, seal, to_cipher

if TYPE_CHECKING:
    from concurrent.futures import Future

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_OF_SCOPE, _OF_REFERRAL, _OF_LATER_GENERATION = b"\x01", b"\x02", b"\x03"
LoadError: TypeAlias = Exception | None

StartCall: TypeAlias = Callable[[Callable[[], LoadError]], "Future[LoadError]"]
"""Starts a call at the same time as others, see `ParallelCalls.start`."""

_CACHE_S = 900
_CACHED_SCOPES = 500


@dataclass(frozen=True, slots=True)
class EnvelopeEncryption:
    """Encrypts and decrypts by scope. Keeps decrypted data keys in memory for 15 minutes at most."""

    keys: DynamoTable
    kms: Callable[[], Any]
    kms_key_id: str
    _cache: dict[str, tuple[float, ScopeKeys]] = field(default_factory=dict)
    _loading: "dict[str, Future[LoadError]]" = field(default_factory=dict)

    def load_ahead(self, scopes: Iterable[str], start: StartCall) -> None:
        """Start to load the keys of scopes that will be needed, unless they are in memory.

        A call that needs the keys of a scope waits while they are loaded. If that has not begun, it loads them itself.
        """
        for scope in dict.fromkeys(scopes):
            loading = self._loading.get(scope)
            # What was loaded ahead, and not needed since, is not loaded again: a new tenant may have no keys yet.
            if (loading is None or _has_failed(loading)) and self._find_cached(scope) is None:
                self._loading[scope] = start(partial(self._try_to_load, scope))

    def encrypt(self, plaintext: bytes, *, scope: str, context: str, referral_id: str = "") -> bytes:
        """Encrypt for one `context`: a string that names the table, the item and the field.

        Args:
            plaintext: What is encrypted.
            scope: The tenant, or `service`.
            context: Where it is stored.
            referral_id: The referral that it is about, whose own key is used; empty for anything else.

        Raises:
            ReferralErasedError: the key of the referral was destroyed.
        """
        header, cipher = self._choose_cipher(scope, referral_id)
        template = 0
        if len(compressed := compress(plaintext)) < len(plaintext):
            template, plaintext = TEMPLATE_VERSION, compressed
        return _with_template(header, template) + seal(cipher, plaintext, _name_context(context, template))

    def decrypt(self, ciphertext: bytes, *, scope: str, context: str) -> bytes:
        """Decrypt what `encrypt` returned for the same scope and context.

        Raises:
            cryptography.exceptions.InvalidTag: it was altered, or it was moved from another context.
            ReferralErasedError: the key of its referral was destroyed.
            UnavailableError: KMS did not respond. There is no way to decrypt without it.
        """
        template, ciphertext = _split_template(ciphertext)
        cipher, sealed = self._find_cipher(ciphertext, scope)
        # The header is the only part that the authentication tag does not cover. A wrong one finds a wrong key.
        if cipher is None or len(sealed) < NONCE_BYTES:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `to_cipher`

            raise InvalidTag
        bound_to = _name_context(context, template).encode()
        plaintext = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
        return decompress(plaintext, template=template) if template else plaintext

    def is_current(self, ciphertext: bytes, *, scope: str, referral_id: str = "") -> bool:
        """Whether `encrypt` would use the same key now."""
        current = self._get_keys(scope).current
        _, ciphertext = _split_template(ciphertext)
        if referral_id:
            return ciphertext[:2] == _OF_REFERRAL + bytes([current])
        if current == FIRST_GENERATION:
            return ciphertext[:1] == _OF_SCOPE
        return ciphertext[:2] == _OF_LATER_GENERATION + bytes([current])

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

    def destroy_referral_key(self, referral_id: str, *, scope: str) -> bool:
        """Destroy the key of a referral. Return False if it was destroyed before."""
        was_destroyed = self.rows.destroy(referral_id, scope=scope)
        self._cache.pop(scope, None)
        return was_destroyed

    def add_generation(self, scope: str) -> int:
        """Rotate the keys of a scope; see `ScopeKeyRows.add_generation`."""
        generation = self.rows.add_generation(scope)
        self._cache.pop(scope, None)
        return generation

    @property
    def rows(self) -> ScopeKeyRows:
        """The stored keys."""
        return ScopeKeyRows(self.keys, self.kms, self.kms_key_id)

    def _choose_cipher(self, scope: str, referral_id: str) -> tuple[bytes, "AESGCM"]:
        """Return the header and the cipher with which something new is encrypted."""
        keys = self._get_keys(scope)
        if not referral_id:
            header = _OF_SCOPE if keys.current == FIRST_GENERATION else _OF_LATER_GENERATION + bytes([keys.current])
            return header, keys.ciphers[keys.current]
        if keys.current not in keys.trees:
            keys = self._plant_tree(scope)
        path = compute_path(referral_id)
        return _OF_REFERRAL + bytes([keys.current]) + path, _derive_cipher(keys.trees[keys.current], path)

    def _find_cipher(self, ciphertext: bytes, scope: str) -> tuple["AESGCM | None", bytes]:
        """Find the cipher of a ciphertext, and what follows its header. No cipher for an unknown format."""
        keys = self._get_keys(scope)
        kind, generation = ciphertext[:1], ciphertext[1:2]
        if kind == _OF_SCOPE:
            return keys.ciphers[FIRST_GENERATION], ciphertext[1:]
        if kind not in {_OF_REFERRAL, _OF_LATER_GENERATION} or not generation:
            return None, b""
        if generation[0] not in keys.ciphers or (kind == _OF_REFERRAL and generation[0] not in keys.trees):
            # Another function rotated the keys, or planted the first tree, after this one read them.
            keys = self._reload_keys(scope)
        if kind == _OF_LATER_GENERATION:
            return keys.ciphers.get(generation[0]), ciphertext[2:]
        tree, path = keys.trees.get(generation[0]), ciphertext[2 : 2 + PATH_BYTES]
        if tree is None or len(path) < PATH_BYTES:
            return None, b""
        return _derive_cipher(tree, path), ciphertext[2 + PATH_BYTES :]

    def _get_keys(self, scope: str) -> ScopeKeys:
        loading = self._loading.get(scope)
        if loading:
            # What failed before may have failed in an earlier request.
            is_over = loading.done()
            # A load that has not begun may be queued behind this call, so waiting for it could take forever.
            error = None if loading.cancel() else loading.result()
            self._loading.pop(scope, None)
            if error and not is_over:
                raise error
        return self._find_cached(scope) or self._cache_keys(scope, self.rows.load(scope))

    def _find_cached(self, scope: str) -> ScopeKeys | None:
        cached = self._cache.get(scope)
        return cached[1] if cached and time.monotonic() - cached[0] < _CACHE_S else None

    def _try_to_load(self, scope: str) -> LoadError:
        """Load the keys of a scope. Return an error instead of raising it: a request may not need these keys."""
        try:
            keys = self.rows.load_existing(scope)
        except Exception as e:  # noqa: BLE001 see above
            return e
        if keys:
            self._cache_keys(scope, keys)
        return None

    def _reload_keys(self, scope: str) -> ScopeKeys:
        return self._cache_keys(scope, self.rows.load(scope))

    def _plant_tree(self, scope: str) -> ScopeKeys:
        return self._cache_keys(scope, self.rows.plant_tree(scope))

    def _cache_keys(self, scope: str, keys: ScopeKeys) -> ScopeKeys:
        if len(self._cache) >= _CACHED_SCOPES:
            self._cache.clear()
            self._loading.clear()
        self._cache[scope] = (time.monotonic(), keys)
        return keys


def _has_failed(loading: "Future[LoadError]") -> bool:
    return loading.done() and not loading.cancelled() and loading.result() is not None


def _with_template(header: bytes, template: int) -> bytes:
    return bytes([header[0] | template << 4]) + header[1:]


def _split_template(ciphertext: bytes) -> tuple[int, bytes]:
    """Return the version of the template in the format, and the ciphertext without it."""
    return (ciphertext[0] >> 4, bytes([ciphertext[0] & 0xF]) + ciphertext[1:]) if ciphertext else (0, ciphertext)


def _name_context(context: str, template: int) -> str:
    """Return the context of a compressed plaintext, so that a changed version of its template is noticed."""
    return f"{context}/template {template}" if template else context


def _derive_cipher(tree: KeyTree, path: bytes) -> "AESGCM":
    try:
        return to_cipher(tree.derive_key(path))
    except KeyDestroyedError as e:
        raise ReferralErasedError from e
