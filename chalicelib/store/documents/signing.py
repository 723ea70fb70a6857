"""Sign an upload form and a link for Amazon S3 (AWS Signature Version 4), without a request.

The API signs, and calls no storage itself, so it needs no S3 client, which is large.

Source:
    "Authenticating requests: using query parameters" and "Browser-based uploads using POST" in the Amazon S3
    API reference (read 2026-11). The tests compare with the signers of botocore.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class SigningIdentity(NamedTuple):
    """The credentials of this function, and its region. `token` is empty for credentials without a session."""

    access_key: str
    secret_key: str
    token: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """A form that uploads one file. Its fields come before the field `file`.

    Attributes:
        url: The address of the bucket.
        expires_at: Until when it can be used.
    """

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


def sign_upload_form(
    bucket: str,
    url: str,
    key: str,
    *,
    content_type: str,
    max_bytes: int,
    lifetime: timedelta,
    now: datetime,
    identity: SigningIdentity,
) -> UploadForm:
    """Sign a form that can upload exactly one key with exactly one type, of 1 to `max_bytes` bytes."""
    at, scope = _format_time(now), _build_scope(now, identity)
    fields = {
        "key": key,
        "Content-Type": content_type,
        "success_action_status": "201",
        "x-amz-algorithm": _ALGORITHM,
        "x-amz-credential": f"{identity.access_key}/{scope}",
        "x-amz-date": at,
        **({"x-amz-security-token": identity.token} if identity.token else {}),
    }
    expires_at = now + lifetime
    policy = {
        "expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [
            {"bucket": bucket},
            *({name: value} for name, value in fields.items()),
            ["content-length-range", 1, max_bytes],
        ],
    }
    encoded = base64.b64encode(json.dumps(policy, separators=(",", ":")).encode()).decode()
    signature = _sign(encoded, now, identity)
    return UploadForm(
        url=url, fields={**fields, "policy": encoded, "x-amz-signature": signature}, expires_at=expires_at
    )


def sign_link(
    url: str, key: str, *, parameters: Mapping[str, str], lifetime: timedelta, now: datetime, identity: SigningIdentity
) -> str:
    """Sign a link that reads one key with exactly these parameters."""
    at, scope = _format_time(now), _build_scope(now, identity)
    address = urlsplit(f"{url}/{quote(key)}")
    query = {
        **parameters,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{identity.access_key}/{scope}",
        "X-Amz-Date": at,
        "X-Amz-Expires": str(int(lifetime.total_seconds())),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": identity.token} if identity.token else {}),
    }
    canonical_query = "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))
    request = "\n".join(["GET", address.path, canonical_query, f"host:{address.netloc}\n", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _sign(f"{_ALGORITHM}\n{at}\n{scope}\n{digest}", now, identity)
    return f"{address.geturl()}?{canonical_query}&X-Amz-Signature={signature}"


def _format_time(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")


def _build_scope(now: datetime, identity: SigningIdentity) -> str:
    return f"{now:%Y%m%d}/{identity.region}/s3/aws4_request"


def _sign(text: str, now: datetime, identity: SigningIdentity) -> str:
    key = f"AWS4{identity.secret_key}".encode()
    for part in (f"{now:%Y%m%d}", identity.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
