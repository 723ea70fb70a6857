"""Ids that follow from what they name, and how ids are written."""

import hashlib
import re
from base64 import b32encode

ID_PATTERNS = {
    "referral_id": re.compile(r"ref_[a-z2-7]{26}", re.ASCII),
    "member_id": re.compile(r"mem_[a-z2-7]{26}", re.ASCII),
    "entry_id": re.compile(r"dir_[a-z2-7]{26}", re.ASCII),
    "notice_id": re.compile(r"ntc_[0-9]{8}T[0-9]{12}_[a-z2-7]{26}", re.ASCII),
}
"""The form of the random ids that this product gives, by their name in a path."""

IMPOSSIBLE_ID = "impossible_id"
"""What the audit trail calls everything that this product cannot have given as an id. It may be anyone's text."""


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
