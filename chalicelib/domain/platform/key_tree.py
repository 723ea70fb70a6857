"""A tree of keys: one secret gives every referral a key of its own, and the key of one referral can be destroyed.

    root ──0──▶ node ──0──▶ node ── … ──▶ key of a referral      a node gives the key of each node below it,
     └───1──▶ node ──1──▶ node ── … ──▶ key of a referral        and of no other one

The path to a referral's key is the hash of its id. To destroy the key, the nodes on its path are replaced by
the nodes that branch off the path. They give the key of every other referral, and nothing gives this one. So
no referral needs a stored key, and a list of referrals needs no more reads than before.

Source: puncturable pseudorandom functions on the tree of Goldreich, Goldwasser and Micali ("How to Construct
Random Functions", J. ACM 33(4), 1986; Boneh and Waters, "Constrained Pseudorandom Functions", 2013).
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PATH_BYTES = 6
"""Bytes of a path. Two of 100,000 referrals of one practice have the same path with a probability of 1 to 56,000."""

SECRET_BYTES = 16
"""Bytes of the secret of a node: 128 bits, which no one can guess."""

MAX_BYTES = 350_000
"""How large a tree can be, because it is one attribute of a row of DynamoDB: after some 400 destroyed keys."""

MAX_KEPT_KEYS = 25_000
"""How many derived keys a tree keeps in memory: some 4 MB, for the longest list that is read to its end. A key takes 48
hashes, and a list has a key per row."""

_DEPTH = PATH_BYTES * 8
_ENTRY_BYTES = 1 + PATH_BYTES + SECRET_BYTES
_CHILD_INFO = {"0": b"key tree 0", "1": b"key tree 1"}


class KeyDestroyedError(Exception):
    """The key was destroyed. What it encrypted can no longer be read by anyone."""


class TreeFullError(Exception):
    """So many keys were destroyed that the tree cannot be stored without one more."""


@dataclass(frozen=True, slots=True)
class KeyTree:
    """The nodes of a tree that are left: bits of a path, most significant first, to the secret of the node.

    A tree keeps the keys that it derived. It can derive them anyway, and destroying a key makes a new tree without any.
    """

    nodes: Mapping[str, bytes]
    _keys: dict[bytes, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def grow(cls, root: bytes) -> "KeyTree":
        """Begin a tree from a random secret of 16 bytes."""
        return cls({"": root})

    def derive_key(self, path: bytes) -> bytes:
        """Derive the key at the end of a path: 32 bytes.

        Raises:
            KeyDestroyedError: no node that is left gives it.
        """
        key = self._keys.get(path)
        if key is None:
            key = self._derive_key(path)
            if len(self._keys) >= MAX_KEPT_KEYS:
                self._keys.clear()
            self._keys[path] = key
        return key

    def _derive_key(self, path: bytes) -> bytes:
        bits = _to_bits(path)
        start = self._find_start(bits)
        secret = self.nodes[start]
        for bit in bits[len(start) :]:
            secret = _derive_child(secret, bit)
        return hmac.digest(secret, b"key of a referral", "sha256")

    def destroy_key(self, path: bytes) -> "KeyTree":
        """Return the tree that gives every key except this one.

        Raises:
            KeyDestroyedError: the key was destroyed before.
            TreeFullError: too many keys were destroyed.
        """
        bits = _to_bits(path)
        start = self._find_start(bits)
        if (len(self.nodes) + _DEPTH) * _ENTRY_BYTES > MAX_BYTES:
            raise TreeFullError
        left = {prefix: secret for prefix, secret in self.nodes.items() if prefix != start}
        secret = self.nodes[start]
        for depth in range(len(start), _DEPTH):
            other = "1" if bits[depth] == "0" else "0"
            left[bits[:depth] + other] = _derive_child(secret, other)
            secret = _derive_child(secret, bits[depth])
        return KeyTree(left)

    def to_bytes(self) -> bytes:
        """Convert the tree to bytes: for each node the length of its prefix, the prefix, and the secret."""
        return b"".join(
            bytes([len(prefix)]) + int(prefix.ljust(_DEPTH, "0"), 2).to_bytes(PATH_BYTES, "big") + secret
            for prefix, secret in sorted(self.nodes.items())
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> "KeyTree":
        """Convert what `to_bytes` returned."""
        return cls(dict(_read_entries(content)))

    def _find_start(self, bits: str) -> str:
        """Find the prefix of the one node from which a path can be followed."""
        for length in range(_DEPTH + 1):
            if bits[:length] in self.nodes:
                return bits[:length]
        raise KeyDestroyedError


def compute_path(name: str) -> bytes:
    """Compute the path of what has this name. The path reveals nothing that the name does not."""
    return hashlib.sha256(name.encode()).digest()[:PATH_BYTES]


def _read_entries(content: bytes) -> Iterator[tuple[str, bytes]]:
    for first in range(0, len(content), _ENTRY_BYTES):
        entry = content[first : first + _ENTRY_BYTES]
        yield _to_bits(entry[1 : 1 + PATH_BYTES])[: entry[0]], entry[1 + PATH_BYTES :]


def _to_bits(path: bytes) -> str:
    return f"{int.from_bytes(path, 'big'):0{_DEPTH}b}"


def _derive_child(secret: bytes, bit: str) -> bytes:
    return hmac.digest(secret, _CHILD_INFO[bit], "sha256")[:SECRET_BYTES]
