"""Converts an HTTP request into an API Gateway event, and the function's result into an HTTP response.

The event has the format of a REST API with a Lambda proxy integration, as recorded from AWS: the path and
its parameters stay percent-encoded, the query is decoded with `+` as a space, the last value of a repeated
name counts, and missing values are null. A trailing slash does not change which resource matches.

Source: the snapshots that LocalStack recorded against AWS on 2024-07-10 and published
(tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json, read 2026-11-22).
"""

import base64
import gzip
import logging
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

from chalice import Chalice
from werkzeug.http import parse_accept_header

from chalicelib.routes.chalice_app import list_allowed_methods
from infra.local.functions import API_FUNCTION, LambdaContext, get_compressed_from_bytes
from infra.local.http1 import MAX_BODY_BYTES, HttpRequest, HttpResponse, RequestRejectedError

log = logging.getLogger(__name__)

STAGE = "api"

Event = dict[str, Any]
LocalPages = Callable[[HttpRequest], HttpResponse | None]
# These headers describe a single connection, which the gateway ends, so it does not pass them on.
_CONNECTION_HEADERS = {"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding",
                       "upgrade"}  # fmt: skip
_HEADERS_ADDED_BY_SERVER = {"content-length", "date"}
_COMPRESS_BY_CODING: Mapping[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


class BuildErrorResult(Protocol):
    """Builds the product's error result for a request that the gateway rejects."""

    def __call__(self, status: int, code: str, request_id: str, *, allow: str = "") -> Mapping[str, Any]:
        """Build the result that a function would return."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Answers requests with the product's handler.

    Attributes:
        app: The Chalice application.
        build_error_result: Builds the product's error result for a request that the gateway rejects.
        local_pages: Answers the pages that exist only in a local run. The gateway tries it first.
    """

    app: Chalice
    build_error_result: BuildErrorResult
    local_pages: LocalPages = field(default=lambda _: None)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer any request."""
        response = self.local_pages(request) or self._call_product(request)
        return compress_response(response, accepted=request.get_header("accept-encoding"))

    def answer_rejected(self, error: RequestRejectedError) -> HttpResponse:
        """Answer a request that could not be parsed."""
        return self._build_error_response(error.status, error.code)

    def _build_error_response(self, status: int, code: str, *, allow: str = "") -> HttpResponse:
        return _build_response(self.build_error_result(status, code, str(uuid.uuid4()), allow=allow))

    def _call_product(self, request: HttpRequest) -> HttpResponse:
        match = find_resource(self.app.routes, request.path)
        if not match:
            return self._build_error_response(404, "not_found")
        resource, parameters = match
        methods = self.app.routes[resource]
        # The function answers these itself, as in production: like GET, or before another site's request (CORS).
        is_answered = (request.method == "HEAD" and "GET" in methods) or request.method == "OPTIONS"
        if request.method not in methods and not is_answered:
            return self._build_error_response(405, "method_not_allowed", allow=list_allowed_methods(methods))
        try:
            event = build_event(request, resource, parameters, self.app.api.binary_types)
        except RequestRejectedError as error:
            return self.answer_rejected(error)
        return self._invoke(event)

    def _invoke(self, event: Event) -> HttpResponse:
        try:
            response = _build_response(self.app(event, LambdaContext(function_name=API_FUNCTION)))
        except Exception:
            log.exception("The handler failed")
            return self._build_error_response(502, "bad_gateway")
        if len(response.body) > MAX_BODY_BYTES:
            return self._build_error_response(502, "bad_gateway")
        return response


def compress_response(response: HttpResponse, *, accepted: str) -> HttpResponse:
    """Compress a response that is large enough, with the coding that the client prefers.

    A client that prefers another coding than these gets an uncompressed response. Source: AWS, "Payload compression
    for REST APIs in API Gateway", read 2026-11-29.
    """
    preferred = parse_accept_header(accepted)
    coding = preferred.best or ""
    is_possible = coding in _COMPRESS_BY_CODING and preferred.quality(coding) > 0
    if not is_possible or len(response.body) < get_compressed_from_bytes():
        return response
    body = _COMPRESS_BY_CODING[coding](response.body)
    return replace(response, headers=(*response.headers, ("Content-Encoding", coding)), body=body)


def find_resource(resources: Iterable[str], path: str) -> tuple[str, dict[str, str]] | None:
    """Find the resource that matches a path, and its parameters without decoding them.

    If several resources match, the one with the earlier literal segment is used, as in API Gateway.
    """
    parts = _split_path(path)
    matches = [(pattern, _split_path(pattern)) for pattern in resources if _matches(_split_path(pattern), parts)]
    if not matches:
        return None
    pattern, pattern_parts = min(matches, key=lambda pair: [_is_parameter(part) for part in pair[1]])
    parameters = {name[1:-1]: value for name, value in zip(pattern_parts, parts, strict=True) if _is_parameter(name)}
    return pattern, parameters


def _split_path(path: str) -> list[str]:
    return (path[:-1] if len(path) > 1 and path.endswith("/") else path).split("/")


def _is_parameter(part: str) -> bool:
    return part.startswith("{")


def _matches(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        (value != "") if _is_parameter(name) else name == value for name, value in zip(pattern, parts, strict=True)
    )


def build_event(request: HttpRequest, resource: str, parameters: dict[str, str], binary_types: Iterable[str]) -> Event:
    """Build the event that API Gateway sends to the function.

    Raises:
        RequestRejectedError: the event would be larger than Lambda accepts.
    """
    headers = (
        *(pair for pair in request.headers if pair[0].lower() not in _CONNECTION_HEADERS),
        ("X-Forwarded-For", request.peer),
        ("X-Forwarded-Proto", "http"),
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"),
    )
    query = _group_values(_decode_query(request.query))
    body, is_base64 = _encode_body(request, binary_types)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _group_values(headers),
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": _build_request_context(request, resource),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _group_values(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _decode_query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=500)
    except ValueError as error:
        raise RequestRejectedError(400, "malformed") from error


def _encode_body(request: HttpRequest, binary_types: Iterable[str]) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media_type = request.get_header("content-type").partition(";")[0].strip().lower()
    if media_type not in set(binary_types):
        # AWS would insert replacement characters for bytes that are not UTF-8. With base64, the
        # function gets the exact bytes and can reject them.
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    encoded = base64.b64encode(request.body).decode("ascii")
    if len(encoded) > MAX_BODY_BYTES:
        raise RequestRejectedError(413, "too_large")
    return encoded, True


def _build_request_context(request: HttpRequest, resource: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    request_id = str(uuid.uuid4())
    unused = ("accessKey", "accountId", "caller", "cognitoAuthenticationProvider",
               "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId",
               "principalOrgId", "user", "userArn")  # fmt: skip
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": request.get_header("host"),
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": dict.fromkeys(unused)
        | {"sourceIp": request.peer, "userAgent": request.get_header("user-agent") or None},
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": resource,
        "stage": STAGE,
    }


def _build_response(result: Mapping[str, Any]) -> HttpResponse:
    """Convert the result of a function into an HTTP response."""
    headers = [
        (name, str(value))
        for name, value in (result.get("headers") or {}).items()
        if name not in (result.get("multiValueHeaders") or {})
    ]
    for name, values in (result.get("multiValueHeaders") or {}).items():
        headers += [(name, str(value)) for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    dropped = _CONNECTION_HEADERS | _HEADERS_ADDED_BY_SERVER
    body = result.get("body") or ""
    return HttpResponse(
        status=int(result["statusCode"]),
        headers=tuple(pair for pair in headers if pair[0].lower() not in dropped),
        body=base64.b64decode(body) if result.get("isBase64Encoded") else body.encode(),
    )
