"""An HTTP request as the event that API Gateway makes of it, and an answer as HTTP.

The shape of the event is that of a REST API with a Lambda proxy integration, as recorded from
AWS: the path and its parameters stay percent-encoded, the query is decoded with `+` as a space,
of a repeated name the last value counts, and what is absent is null. A trailing slash does not
matter for which resource answers.

Source: the snapshots that LocalStack recorded against AWS on 2024-07-10 and published
(tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json, read 2026-11-22).
"""

import base64
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl

from chalice import Chalice

from infra.local.functions import API, Context
from infra.local.http1 import MAX_BODY_BYTES, RefusedError, Request, Response

log = logging.getLogger(__name__)

STAGE = "api"

Event = dict[str, Any]
LocalPages = Callable[[Request], Response | None]
# About one connection, which the gateway ends: neither side's word on it goes to the other.
_OF_THE_CONNECTION = {"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding",
                      "upgrade"}  # fmt: skip
_ADDED_WHEN_SENT = {"content-length", "date"}


class Refusal(Protocol):
    """The product's own answer where the gateway refuses."""

    def __call__(
        self, status: int, code: str, request_id: str, *, allow: str = ""
    ) -> Mapping[str, Any]:
        """Make the answer that a function would return."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Answers requests with the product's own handler.

    Attributes:
        app: The Chalice application.
        refuse: The product's answer where the gateway refuses by itself.
        local_pages: What only a local run serves; asked first.
    """

    app: Chalice
    refuse: Refusal
    local_pages: LocalPages = field(default=lambda _: None)

    def answer(self, request: Request) -> Response:
        """Answer a request, whatever it is."""
        return self.local_pages(request) or self._answer_of_the_product(request)

    def refusal(self, error: RefusedError) -> Response:
        """The answer to a request that could not even be read."""
        return self._refused(error.status, error.code)

    def _refused(self, status: int, code: str, *, allow: str = "") -> Response:
        return _response(self.refuse(status, code, str(uuid.uuid4()), allow=allow))

    def _answer_of_the_product(self, request: Request) -> Response:
        found = find_resource(self.app.routes, request.path)
        if not found:
            return self._refused(404, "not_found")
        resource, parameters = found
        methods = self.app.routes[resource]
        if request.method not in methods:
            return self._refused(405, "method_not_allowed", allow=", ".join(sorted(methods)))
        try:
            event = event_of(request, resource, parameters, self.app.api.binary_types)
        except RefusedError as error:
            return self.refusal(error)
        return self._call(event)

    def _call(self, event: Event) -> Response:
        try:
            response = _response(self.app(event, Context(function_name=API)))
        except Exception:
            log.exception("The handler failed")
            return self._refused(502, "bad_gateway")
        if len(response.body) > MAX_BODY_BYTES:
            return self._refused(502, "bad_gateway")
        return response


def find_resource(resources: Iterable[str], path: str) -> tuple[str, dict[str, str]] | None:
    """The resource that answers a path, and its parameters as they were sent.

    Where several fit, the one with the earlier literal segment does, as in API Gateway.
    """
    parts = _segments(path)
    fitting = [
        (pattern, _segments(pattern)) for pattern in resources if _fits(_segments(pattern), parts)
    ]
    if not fitting:
        return None
    pattern, wanted = min(fitting, key=lambda pair: [_is_parameter(part) for part in pair[1]])
    captured = {
        name[1:-1]: value for name, value in zip(wanted, parts, strict=True) if _is_parameter(name)
    }
    return pattern, captured


def _segments(path: str) -> list[str]:
    return (path[:-1] if len(path) > 1 and path.endswith("/") else path).split("/")


def _is_parameter(part: str) -> bool:
    return part.startswith("{")


def _fits(wanted: list[str], parts: list[str]) -> bool:
    return len(wanted) == len(parts) and all(
        (value != "") if _is_parameter(name) else name == value
        for name, value in zip(wanted, parts, strict=True)
    )


def event_of(
    request: Request, resource: str, parameters: dict[str, str], binary_types: Iterable[str]
) -> Event:
    """The event that API Gateway sends to the function.

    Raises:
        RefusedError: it would be larger than Lambda takes.
    """
    headers = (
        *(pair for pair in request.headers if pair[0].lower() not in _OF_THE_CONNECTION),
        ("X-Forwarded-For", request.peer),
        ("X-Forwarded-Proto", "http"),
        ("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"),
    )
    query = _multiple(_decoded_query(request.query))
    body, is_base64 = _body(request, binary_types)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _multiple(headers),
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, resource),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _multiple(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    together: dict[str, list[str]] = {}
    for name, value in pairs:
        together.setdefault(name, []).append(value)
    return together


def _decoded_query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=500)
    except ValueError as error:
        raise RefusedError(400, "malformed") from error


def _body(request: Request, binary_types: Iterable[str]) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type not in set(binary_types):
        # AWS would put replacement characters for what is not UTF-8. As base64 the function
        # sees the very bytes, and can refuse them.
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    encoded = base64.b64encode(request.body).decode("ascii")
    if len(encoded) > MAX_BODY_BYTES:
        raise RefusedError(413, "too_large")
    return encoded, True


def _request_context(request: Request, resource: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    request_id = str(uuid.uuid4())
    unknown = ("accessKey", "accountId", "caller", "cognitoAuthenticationProvider",
               "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId",
               "principalOrgId", "user", "userArn")  # fmt: skip
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": request.header("host"),
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": dict.fromkeys(unknown)
        | {"sourceIp": request.peer, "userAgent": request.header("user-agent") or None},
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": resource,
        "stage": STAGE,
    }


def _response(result: Mapping[str, Any]) -> Response:
    """What a function returned, as HTTP."""
    headers = [
        (name, str(value))
        for name, value in (result.get("headers") or {}).items()
        if name not in (result.get("multiValueHeaders") or {})
    ]
    for name, values in (result.get("multiValueHeaders") or {}).items():
        headers += [(name, str(value)) for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    not_ours = _OF_THE_CONNECTION | _ADDED_WHEN_SENT
    body = result.get("body") or ""
    return Response(
        status=int(result["statusCode"]),
        headers=tuple(pair for pair in headers if pair[0].lower() not in not_ours),
        body=base64.b64decode(body) if result.get("isBase64Encoded") else body.encode(),
    )
