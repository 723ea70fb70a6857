"""Ids that follow from what they name, and how ids are written."""

import hashlib
from base64 import b32encode


def derive_id(prefix: str, *parts: str) -> str:
    """Derive an id of 128 bits; the same parts always give the same id.

    A repeated delivery therefore names the same event, and two events with the same
    `occurred_at` have the same order in every order of arrival.
    """
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()[:16]
    return f"{prefix}_{encode_id(digest)}"


def encode_id(data: bytes) -> str:
    """Encode bytes as lowercase base32 without padding: safe in a URL and easy to read aloud."""
    return b32encode(data).decode().rstrip("=").lower()
