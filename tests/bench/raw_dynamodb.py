"""DynamoDB without a library: the floor of what a call can cost.

Not for production: it has no retries, no refresh of credentials and no certificate check.
"""

import hashlib
import hmac
import http.client
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_SCOPE = "us-east-1/dynamodb/aws4_request"
_SIGNED = "content-type;host;x-amz-date;x-amz-target"


@dataclass(slots=True)
class RawDynamoDB:
    """DynamoDB's protocol over one kept connection, signed by hand (Signature Version 4)."""

    port: int
    access_key: str = "testing"
    secret_key: str = "testing"
    _connection: http.client.HTTPConnection = field(init=False)
    _signing_key: tuple[str, bytes] = ("", b"")

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def call(self, name: str, request: Mapping[str, Any]) -> Any:
        """Call one operation by its name on the wire."""
        body = json.dumps(request, default=_in_base64).encode()
        self._connection.request("POST", "/", body, self._headers(name, body))
        return json.loads(self._connection.getresponse().read())

    def _headers(self, name: str, body: bytes) -> dict[str, str]:
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": f"127.0.0.1:{self.port}",
            "x-amz-date": stamp,
            "x-amz-target": f"DynamoDB_20120810.{name}",
        }
        listed = "".join(f"{header}:{value}\n" for header, value in headers.items())
        canonical = f"POST\n/\n\n{listed}\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{_SCOPE}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(
            self._key_of(stamp[:8]), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256"
        ).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"
        )
        return headers

    def _key_of(self, day: str) -> bytes:
        if self._signing_key[0] != day:
            key = f"AWS4{self.secret_key}".encode()
            for part in (day, *_SCOPE.split("/")):
                key = hmac.digest(key, part.encode(), "sha256")
            self._signing_key = (day, key)
        return self._signing_key[1]


def _in_base64(value: bytes) -> str:
    return b64encode(value).decode()
