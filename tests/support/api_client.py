"""Calls the real handler with events as API Gateway makes them."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.routes.platform.operations import PDF_TYPE, XLSX_TYPE
from tests.support import tokens

Headers: TypeAlias = Mapping[str, str | None]

_FILE_TYPES = {".pdf": PDF_TYPE, ".xlsx": XLSX_TYPE}


@dataclass(frozen=True)
class ApiAnswer:
    """A response."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def content(self) -> bytes:
        """The body of a response that is not text. API Gateway decodes it before it sends it."""
        return base64.b64decode(self.text, validate=True)


class FakeLambdaContext:
    """A Lambda context with time left."""

    aws_request_id = "test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """The time that API Gateway allows."""
        return 29_000


@dataclass(frozen=True)
class ApiClient:
    """A client of an app; `token` says who calls, and `membership` in which organization, if there are several."""

    app: Any
    token: str | None = None
    membership: str | None = None

    def with_token(self, token: str | None) -> "ApiClient":
        """Return a client of the same app with another token."""
        return ApiClient(self.app, token)

    def with_membership(self, member_id: str) -> "ApiClient":
        """Return a client of the same person that names a membership in each request."""
        return ApiClient(self.app, self.token, member_id)

    def get(self, path: str, **headers: str) -> ApiAnswer:
        """Send a GET."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any, *, key: str | None = "", **headers: str) -> ApiAnswer:
        """Send a POST with a new Idempotency-Key, with `key`, or with none."""
        chosen = secrets.token_hex(8) if key == "" else key
        extra = {"Idempotency-Key": chosen} if chosen else {}
        return self.send("POST", path, body, headers={**extra, **headers})

    def patch(self, path: str, body: Any, *, version: int | str | None) -> ApiAnswer:
        """Send a PATCH for a version."""
        extra = {} if version is None else {"If-Match": f'"{version}"'}
        return self.send("PATCH", path, body, headers=extra)

    def put(self, path: str, body: Any, *, version: int | str | None) -> ApiAnswer:
        """Send a PUT for a version."""
        extra = {} if version is None else {"If-Match": f'"{version}"'}
        return self.send("PUT", path, body, headers=extra)

    def send(self, method: str, path: str, body: Any = None, *, headers: Headers | None = None) -> ApiAnswer:
        """Send any request. A body of bytes or text is sent as it is, anything else as JSON.

        A header of None is left out.
        """
        raw = body if isinstance(body, bytes | str | None) else json.dumps(body)
        given: dict[str, str | None] = {}
        given |= {"Content-Type": "application/json"} if raw is not None else {}
        given |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        given |= {"X-Membership": self.membership} if self.membership else {}
        kind = _FILE_TYPES.get(PurePosixPath(urlsplit(path).path).suffix)
        given |= {"Accept": kind} if kind else {}
        given |= dict(headers or {})
        sent = {name: value for name, value in given.items() if value is not None}
        if path.startswith("/v1/sessions"):
            tokens.forget_signed_tokens()
        return self.invoke(self.build_event(method, path, raw, sent))

    def invoke(self, event: dict[str, Any]) -> ApiAnswer:
        """Call the handler with an event as it is."""
        answer = self.app(event, FakeLambdaContext())
        return ApiAnswer(answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, answer["body"])

    def build_event(self, method: str, path: str, raw: bytes | str | None, headers: dict[str, str]) -> dict[str, Any]:
        """Build the proxy event that API Gateway makes from a request."""
        parts = urlsplit(path)
        resource, parameters = self._route(parts.path)
        query = parse_qs(parts.query, keep_blank_values=True) or None
        body, is_base64 = _as_text(raw)
        return {
            "resource": resource,
            "path": parts.path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {k: [v] for k, v in headers.items()},
            "queryStringParameters": {k: v[-1] for k, v in query.items()} if query else None,
            "multiValueQueryStringParameters": query,
            "pathParameters": parameters,
            "stageVariables": None,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": resource,
                "path": parts.path,
                "requestId": "test",
                "identity": {"sourceIp": "127.0.0.1"},
            },
            "body": body,
            "isBase64Encoded": is_base64,
        }

    def _route(self, path: str) -> tuple[str, dict[str, str] | None]:
        wanted = path.split("/")
        for route in sorted(self.app.routes, key=lambda r: r.count("{")):
            parts = route.split("/")
            if len(parts) == len(wanted) and all(
                p == w or p.startswith("{") for p, w in zip(parts, wanted, strict=True)
            ):
                names = {p[1:-1]: unquote(w) for p, w in zip(parts, wanted, strict=True) if p[:1] == "{"}
                return route, names or None
        raise LookupError(f"no route for {path}: the gateway would answer")


def _as_text(raw: bytes | str | None) -> tuple[str | None, bool]:
    """Encode a body as an event carries it: bytes that are not text become base64."""
    if not isinstance(raw, bytes):
        return raw, False
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii"), True
