"""Signatures of center webhooks: a strict implementation of Standard Webhooks 1.0.

Source: Standard Webhooks specification 1.0 (as of 2026-04): HMAC-SHA256 over
`id.timestamp.body`, header `webhook-signature` with space-separated `v1,<base64>` entries.

Deliberately stricter than the reference libraries: a timestamp must be ten decimal digits, a
signature must be canonical base64, and the tolerance of 300 s applies in both directions.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime

TOLERANCE_S = 300
"""The tolerance: a timestamp may differ from our clock by up to 300 s, in either direction.

Source: the specification."""

MAX_SIGNATURES = 16
"""More than any secret rotation needs, and a limit on the work that an unknown sender can cause."""

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
TIMESTAMP_PATTERN = re.compile(r"[0-9]{10}", re.ASCII)


def sign_delivery(secret: bytes, *, webhook_id: str, timestamp: str, body: bytes) -> str:
    """Compute the `webhook-signature` entry that a sender attaches."""
    return f"v1,{b64encode(_compute_signature(secret, webhook_id, timestamp, body)).decode()}"


def verify_signature(
    *, webhook_id: str, timestamp: str, signatures: str, body: bytes, secrets: Iterable[bytes], now: datetime
) -> bool:
    """Whether one of `secrets` signed exactly this delivery, within the tolerance of 300 s.

    Never raises, regardless of what a sender sends. Compares in constant time, and tries every
    secret even after a match.
    """
    if not (ID_PATTERN.fullmatch(webhook_id) and TIMESTAMP_PATTERN.fullmatch(timestamp)):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    received = _parse_signatures(signatures)
    expected = [_compute_signature(secret, webhook_id, timestamp, body) for secret in secrets]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in received]
    return any(matches)


def _compute_signature(secret: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return hmac.digest(secret, signed, "sha256")


def _parse_signatures(header: str) -> list[bytes]:
    """Parse the well-formed v1 signatures of the header; all other entries are skipped."""
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
    # The decoder ignores invalid characters and unused bits; only the canonical encoding is accepted.
    return digest if b64encode(digest).decode() == text else None
