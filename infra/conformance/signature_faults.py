"""Finds why a signature was refused, so that a developer can repair the sender.

The product itself answers every wrong signature with one text, which reveals nothing. This module runs on the
developer's own machine with the developer's own secret. It tries the mistakes that senders make, and names the one
that explains the delivery. Nothing that it says contains a secret or a signature.
"""

import hmac
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from chalicelib.domain.webhooks.signature import (
    ID_PATTERN,
    MAX_SIGNATURES,
    TIMESTAMP_PATTERN,
    TOLERANCE_S,
    verify_signature,
)
from chalicelib.routes.webhooks.delivery_reports import SIGNATURE_PARTS, read_signature_header

_HEX_DIGEST = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_FORMATTED_AGAIN = "The JSON was formatted again after it was signed. Sign the bytes that you send."
_VERSION = re.compile(r"^(?:v1[,=]|sha256=)")


class SignatureFault(StrEnum):
    """Why a signature was refused."""

    HEADERS = "headers"
    """A header is missing or has another form."""
    OLD_TIMESTAMP = "old_timestamp"
    """The signature is right, and the timestamp is outside the tolerance."""
    WRONG_SIGNATURE = "wrong_signature"


@dataclass(frozen=True, slots=True)
class FaultFound:
    """A fault, and what it is in plain words."""

    fault: SignatureFault
    text: str


def find_fault_without_secret(headers: Mapping[str, str], *, now: datetime) -> FaultFound | None:
    """Find what is wrong with the headers of a delivery whose signature cannot be checked; None if nothing is."""
    in_headers = _find_header_fault(headers)
    if in_headers:
        return FaultFound(SignatureFault.HEADERS, in_headers)
    signed_at = _read_timestamp(headers)
    if abs((now - signed_at).total_seconds()) <= TOLERANCE_S:
        return None
    return FaultFound(SignatureFault.OLD_TIMESTAMP, _describe_clock(signed_at, now))


def find_signature_fault(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[bytes], now: datetime
) -> FaultFound:
    """Find why `verify_signature` refused a delivery.

    Args:
        headers: The headers, with names in lowercase.
        body: The exact bytes of the body.
        secrets: The secrets that are valid.
        now: When the delivery arrived.
    """
    in_headers = _find_header_fault(headers)
    if in_headers:
        return FaultFound(SignatureFault.HEADERS, in_headers)
    webhook_id, timestamp, signatures = (read_signature_header(headers, part) for part in SIGNATURE_PARTS)
    signed_at = _read_timestamp(headers)
    is_right = verify_signature(
        webhook_id=webhook_id, timestamp=timestamp, signatures=signatures, body=body, secrets=secrets, now=signed_at
    )
    if is_right:
        return FaultFound(
            SignatureFault.OLD_TIMESTAMP,
            f"The signature is right, but the time is not. {_describe_clock(signed_at, now)}",
        )
    signed = _SignedParts(webhook_id, timestamp, body)
    return FaultFound(SignatureFault.WRONG_SIGNATURE, _explain_signature(signatures, signed, secrets))


def _find_header_fault(headers: Mapping[str, str]) -> str:
    missing = [part for part in SIGNATURE_PARTS if not read_signature_header(headers, part)]
    if missing:
        names = ", ".join(f"webhook-{part}" for part in missing)
        return (
            f"Header missing or empty: {names}. Each delivery needs webhook-id, webhook-timestamp, webhook-signature."
        )
    if not ID_PATTERN.fullmatch(read_signature_header(headers, "id")):
        return "webhook-id has another form. Use 1 to 64 letters, digits, hyphens and underscores."
    timestamp = read_signature_header(headers, "timestamp")
    if timestamp.isdigit() and len(timestamp) == 13:
        return "webhook-timestamp is in milliseconds. Send whole seconds since 1970, which have 10 digits."
    if not TIMESTAMP_PATTERN.fullmatch(timestamp):
        return "webhook-timestamp has another form. Send whole seconds since 1970, 10 digits, without a fraction."
    if len(read_signature_header(headers, "signature").split(" ")) > MAX_SIGNATURES:
        return f"webhook-signature has too many entries. The most is {MAX_SIGNATURES}, separated by single spaces."
    return ""


def _read_timestamp(headers: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(read_signature_header(headers, "timestamp")), UTC)


def _describe_clock(signed_at: datetime, now: datetime) -> str:
    seconds = round((now - signed_at).total_seconds())
    direction = "old" if seconds > 0 else "in the future"
    return (
        f"webhook-timestamp is {abs(seconds):,} seconds {direction}; at most {TOLERANCE_S} are accepted. "
        "Sign each attempt with the time of that attempt, and check the clock."
    )


@dataclass(frozen=True, slots=True)
class _SignedParts:
    """What a sender signs."""

    webhook_id: str
    timestamp: str
    body: bytes

    def list_contents(self) -> Iterator[tuple[str, bytes]]:
        """List what may have been signed, each with the sentence that explains it; the right one has none."""
        webhook_id, timestamp, body = self.webhook_id.encode(), self.timestamp.encode(), self.body
        yield "", b".".join((webhook_id, timestamp, body))
        yield "Only the body was signed.", body
        yield "The ID was not signed.", b".".join((timestamp, body))
        yield "The timestamp was not signed.", b".".join((webhook_id, body))
        yield "The three parts were joined without periods.", webhook_id + timestamp + body
        for changed in self._list_other_bodies():
            yield _FORMATTED_AGAIN, b".".join((webhook_id, timestamp, changed))

    def _list_other_bodies(self) -> Iterator[bytes]:
        yield self.body.rstrip()
        yield self.body + b"\n"
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return
        for separators in ((",", ":"), (", ", ": ")):
            for is_ascii in (True, False):
                yield json.dumps(value, separators=separators, ensure_ascii=is_ascii).encode()
        yield json.dumps(value, indent=2).encode()


def _list_keys(secret: bytes) -> Iterator[tuple[str, bytes]]:
    text = b64encode(secret)
    yield "", secret
    yield "The key was the text after whsec_. Decode it from base64, and use the bytes as the key.", text
    yield "The key was the whole text of the secret. Remove whsec_, and decode the rest from base64.", b"whsec_" + text


def _list_digests(entry: str) -> Iterator[tuple[str, bytes]]:
    """List what an entry of the header may mean, each with the sentence that explains its form."""
    text = _VERSION.sub("", entry)
    unversioned = "" if entry.startswith("v1,") else "The entry does not start with v1 and a comma."
    if _HEX_DIGEST.fullmatch(text):
        yield f"{unversioned} The signature is hexadecimal. Encode its 32 bytes in base64.".strip(), bytes.fromhex(text)
        return
    for name, decode in (("", b64decode), ("The signature is base64url. Use standard base64.", urlsafe_b64decode)):
        try:
            digest = decode(text + "=" * (-len(text) % 4))
        except ValueError:
            continue
        form = name or ("" if b64encode(digest).decode() == text else "The base64 is not in its standard form.")
        yield f"{unversioned} {form}".strip(), digest
        if _HEX_DIGEST.fullmatch(digest.decode("latin-1")):
            form = "The hexadecimal text was encoded in base64. Encode the 32 bytes themselves."
            yield f"{unversioned} {form}".strip(), bytes.fromhex(digest.decode())


def _explain_signature(signatures: str, signed: _SignedParts, secrets: Sequence[bytes]) -> str:
    received = [found for entry in signatures.split(" ") for found in _list_digests(entry)]
    for secret in secrets:
        for key_text, key in _list_keys(secret):
            for content_text, content in signed.list_contents():
                digest = hmac.digest(key, content, "sha256")
                for form_text, theirs in received:
                    if hmac.compare_digest(digest, theirs):
                        return " ".join(text for text in (content_text, key_text, form_text) if text)
    if not any(entry.startswith("v1,") for entry in signatures.split(" ")):
        return "webhook-signature has no entry that starts with v1 and a comma."
    return (
        "The signature fits neither the secret nor a known mistake. Check that both sides have the same secret, and "
        "that nothing on the way, such as a proxy, changes the body or the headers."
    )
