"""Signatures of center webhooks: Standard Webhooks 1.0, strictly.

Source: Standard Webhooks specification 1.0 (as gathered by 2026-04): HMAC-SHA256 over
`id.timestamp.body`, header `webhook-signature` with space-separated `v1,<base64>` entries.

Stricter than the reference libraries on purpose: only ten decimal digits are a timestamp, only
canonical base64 is a signature, and the tolerance holds in both directions.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

TOLERANCE_S = 300
"""Seconds that a timestamp may differ from our clock, either way. Source: the specification."""

MAX_SIGNATURES = 16
"""More than any rotation needs, and a bound on the work that a stranger can cause."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)


def sign_delivery(secret: bytes, *, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The `webhook-signature` entry that a sender attaches."""
    return f"v1,{b64encode(_compute_signature(secret, webhook_id, timestamp, body)).decode()}"


def verify_signature(
    *, webhook_id: str, timestamp: str, signatures: str, body: bytes, secrets: Iterable[bytes], now: datetime
) -> bool:
    """Whether one of `secrets` signed exactly this delivery, just now.

    Never raises for what a sender can send. Compares in constant time, and tries every secret
    whatever matched before.
    """
    if not (_ID.fullmatch(webhook_id) and _TIMESTAMP.fullmatch(timestamp)):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    given = _parse_signatures(signatures)
    expected = [_compute_signature(secret, webhook_id, timestamp, body) for secret in secrets]
    matches = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in given]
    return any(matches)


def _compute_signature(secret: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return hmac.digest(secret, signed, "sha256")


def _parse_signatures(header: str) -> list[bytes]:
    """The well-formed v1 signatures of the header; others, of whatever version, are skipped."""
    entries = header.split(" ")
    if len(entries) > MAX_SIGNATURES:
        return []
    return [digest for entry in entries if (digest := _decode_signature(entry)) is not None]


def _decode_signature(entry: str) -> bytes | None:
    version, _, text = entry.partition(",")
    if version != "v1":
        return None
    try:
        digest = b64decode(text)
    except ValueError:
        return None
    # The decoder overlooks strange letters and spare bits; a digest has one spelling.
    return digest if b64encode(digest).decode() == text else None
