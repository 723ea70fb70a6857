"""The `keys` table: the data keys of each scope, encrypted by AWS KMS, and the trees of keys for its referrals.

    scope      data_key      data_key_1, …        tree_0, tree_1, …                current     edition
    <tenant>   the first     of later rotations   encrypted with the data key      generation  counts changes

A row without a tree is one of an earlier release, or of a scope that has encrypted nothing about a referral.
"""

import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws import translate_aws_errors
from chalicelib.domain.platform.key_tree import SECRET_BYTES, KeyDestroyedError, KeyTree, TreeFullError, compute_path
from chalicelib.store.platform.dynamo import DynamoTable, Item

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12

_BLIND_INDEX_INFO = b"marks of names"
"""Derives the key of the blind index from the data key. Stored hashes depend on these exact bytes."""

FIRST_GENERATION = 0
MAX_GENERATIONS = 50
"""How many generations of keys a scope can have. They are in one row, and a number is one byte."""


@dataclass(frozen=True, slots=True)
class ScopeKeys:
    """The keys of a scope: by generation a cipher and a tree, and the key for the blind index."""

    current: int
    ciphers: Mapping[int, "AESGCM"]
    trees: Mapping[int, KeyTree]
    index_key: bytes


@dataclass(frozen=True, slots=True)
class ScopeKeyRows:
    """Reads, creates and changes the rows of scopes."""

    keys: DynamoTable
    kms: Callable[[], Any]
    kms_key_id: str

    def load(self, scope: str) -> ScopeKeys:
        """Read and decrypt the keys of a scope, and create its data key if it has none."""
        return self._decrypt_row(self._read_or_create_row(scope))

    def load_existing(self, scope: str) -> ScopeKeys | None:
        """Read and decrypt the keys of a scope; None if it has none yet."""
        row = self.keys.get({"scope": scope})
        return self._decrypt_row(row) if row else None

    def plant_tree(self, scope: str) -> ScopeKeys:
        """Create the tree of the current generation if there is none, and read the keys."""
        return self._decrypt_row(self._plant_missing_tree(scope))

    def destroy(self, referral_id: str, *, scope: str) -> bool:
        """Destroy the key of a referral in every generation. Return False if it was destroyed before.

        Functions that already run keep it in memory for 15 minutes at most. Backups of the table `keys` keep it
        until they expire. A full tree of an earlier generation is left as it is: after a rotation only backups from
        before need it.

        Raises:
            TreeFullError: too many keys of the current generation were destroyed.
        """
        path, was_destroyed = compute_path(referral_id), False
        while True:
            row = self._plant_missing_tree(scope)
            keys = self._decrypt_row(row)
            left: dict[str, bytes] = {}
            for generation, tree in keys.trees.items():
                try:
                    smaller = tree.destroy_key(path)
                except KeyDestroyedError:
                    continue
                except TreeFullError:
                    if generation == keys.current:
                        raise
                    continue
                left[_name_tree(generation)] = _seal_tree(smaller, keys.ciphers[generation], scope, generation)
            if not left:
                return was_destroyed
            if self._replace_row(row, row | left):
                was_destroyed = True

    def add_generation(self, scope: str) -> int:
        """Give a scope a new data key and a new tree, with which everything is encrypted from now on.

        Functions that already run use the keys before it for 15 minutes at most.

        Raises:
            ValueError: the scope has too many generations.
        """
        while True:
            row = self._read_or_create_row(scope)
            row.pop("plaintext", None)
            generation = int(row.get("current", FIRST_GENERATION)) + 1
            if generation >= MAX_GENERATIONS:
                raise ValueError("too many generations of keys")
            new_key = self._generate_data_key(scope)
            added = {
                "current": generation,
                "wrapped_by": None,
                _name_data_key(generation): new_key["CiphertextBlob"],
                _name_tree(generation): _seal_tree(
                    KeyTree.grow(os.urandom(SECRET_BYTES)), to_cipher(new_key["Plaintext"]), scope, generation
                ),
            }
            if self._replace_row(row, row | added):
                return generation

    def rewrap(self, scope: str, *, to: str) -> bool:
        """Let another KMS key encrypt the data keys of a scope. Return False if it does already.

        Nothing else is written, and what was encrypted stays readable: KMS finds the key of a data key itself.

        Args:
            scope: The scope, as the table `keys` names it.
            to: The ARN of the KMS key.
        """
        while True:
            row = self.keys.get({"scope": scope})
            if row is None or "data_key" not in row or row.get("wrapped_by") == to:
                return False
            wrapped = {name: self._reencrypt(row[name], scope, to) for name in _list_data_keys(row)}
            if self._replace_row(row, row | wrapped | {"wrapped_by": to}):
                return True

    def export_scope(self, scope: str) -> Mapping[str, Any]:
        """Return the row of a scope with its data keys in clear text, in base64. Only for an encrypted export."""
        row = self._plant_missing_tree(scope)
        plain = {name: self._decrypt_data_key(row[name], scope) for name in _list_data_keys(row)}
        return {
            name: b64encode(plain.get(name, value)).decode() if isinstance(value, bytes) else value
            for name, value in row.items()
            if name not in {"wrapped_by", "edition"}
        }

    def import_scope(self, exported: Mapping[str, Any]) -> bool:
        """Store what `export_scope` returned, encrypted by this deployment's KMS key.

        Return False if the scope has other keys here.
        """
        scope = str(exported["scope"])
        row: Item = {
            name: b64decode(value) if name.startswith(("data_key", "tree_")) else value
            for name, value in exported.items()
        }
        plain = {name: row[name] for name in _list_data_keys(row)}
        existing = self.keys.get({"scope": scope})
        if existing is not None:
            return {name: self._decrypt_data_key(existing[name], scope) for name in _list_data_keys(existing)} == plain
        for name, data_key in plain.items():
            with translate_aws_errors():
                response = self.kms().encrypt(
                    KeyId=self.kms_key_id, Plaintext=data_key, EncryptionContext={"scope": scope}
                )
            row[name] = response["CiphertextBlob"]
        return self.keys.put(row, when="attribute_not_exists(data_key)")

    def _reencrypt(self, data_key: bytes, scope: str, to: str) -> bytes:
        with translate_aws_errors():
            response = self.kms().re_encrypt(
                CiphertextBlob=data_key,
                SourceEncryptionContext={"scope": scope},
                DestinationKeyId=to,
                DestinationEncryptionContext={"scope": scope},
            )
        rewrapped: bytes = response["CiphertextBlob"]
        return rewrapped

    def _read_or_create_row(self, scope: str) -> Item:
        """Read the row of a scope. The first caller that needs its data key creates it."""
        row = self.keys.get({"scope": scope})
        if row is not None:
            return row
        new_key = self._generate_data_key(scope)
        new_row = {"scope": scope, "data_key": new_key["CiphertextBlob"]}
        if self.keys.put(new_row, when="attribute_not_exists(data_key)"):
            return new_row | {"plaintext": new_key["Plaintext"]}
        return self.keys.get({"scope": scope}) or {}

    def _generate_data_key(self, scope: str) -> Mapping[str, bytes]:
        with translate_aws_errors():
            new_key: Mapping[str, bytes] = self.kms().generate_data_key(
                KeyId=self.kms_key_id, KeySpec="AES_256", EncryptionContext={"scope": scope}
            )
        return new_key

    def _plant_missing_tree(self, scope: str) -> Item:
        """Read the row of a scope. The first caller that needs its tree creates it."""
        while True:
            row = self._read_or_create_row(scope)
            row.pop("plaintext", None)
            current = int(row.get("current", FIRST_GENERATION))
            if _name_tree(current) in row:
                return row
            cipher = to_cipher(self._decrypt_data_key(row[_name_data_key(current)], scope))
            tree = _seal_tree(KeyTree.grow(os.urandom(SECRET_BYTES)), cipher, scope, current)
            self._replace_row(row, row | {_name_tree(current): tree})

    def _replace_row(self, read: Item, new: Item) -> bool:
        """Write a changed row of keys, unless it changed after it was read."""
        edition = int(read.get("edition", 0))
        return self.keys.put(
            {**new, "edition": edition + 1},
            when="edition = :read" if edition else "attribute_exists(data_key) AND attribute_not_exists(edition)",
            values={"read": edition} if edition else None,
        )

    def _decrypt_row(self, row: Item) -> ScopeKeys:
        scope, current = str(row["scope"]), int(row.get("current", FIRST_GENERATION))
        first_key = row.get("plaintext") or self._decrypt_data_key(row["data_key"], scope)
        ciphers = {FIRST_GENERATION: to_cipher(first_key)}
        for generation in range(FIRST_GENERATION + 1, current + 1):
            ciphers[generation] = to_cipher(self._decrypt_data_key(row[_name_data_key(generation)], scope))
        trees = {
            generation: _open_tree(row[_name_tree(generation)], cipher, scope, generation)
            for generation, cipher in ciphers.items()
            if _name_tree(generation) in row
        }
        return ScopeKeys(current, ciphers, trees, hmac.digest(first_key, _BLIND_INDEX_INFO, "sha256"))

    def _decrypt_data_key(self, data_key: bytes, scope: str) -> bytes:
        with translate_aws_errors():
            # No key id: while an operator moves the data keys to another KMS key, both are in use.
            response = self.kms().decrypt(CiphertextBlob=data_key, EncryptionContext={"scope": scope})
        plaintext: bytes = response["Plaintext"]
        return plaintext


def _list_data_keys(row: Item) -> Sequence[str]:
    return [name for name in row if name == "data_key" or name.startswith("data_key_")]


def _name_data_key(generation: int) -> str:
    return "data_key" if generation == FIRST_GENERATION else f"data_key_{generation}"


def _name_tree(generation: int) -> str:
    return f"tree_{generation}"


def seal(cipher: "AESGCM", plaintext: bytes, context: str) -> bytes:
    """Encrypt for one context, after a random nonce."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, context.encode())


def _seal_tree(tree: KeyTree, cipher: "AESGCM", scope: str, generation: int) -> bytes:
    return seal(cipher, tree.to_bytes(), f"key tree/{scope}/{generation}")


def _open_tree(sealed: bytes, cipher: "AESGCM", scope: str, generation: int) -> KeyTree:
    context = f"key tree/{scope}/{generation}"
    return KeyTree.from_bytes(cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode()))


def to_cipher(key: bytes) -> "AESGCM":
    """Build the cipher of a key."""
    # OpenSSL adds 20 ms to a cold start; a request that encrypts nothing should not pay for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)
