"""Refusals as RFC 9457 problem details, and the headers that every response has."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from chalice import Response

from chalicelib.errors import ApiError, FieldError, RateLimitedError, UnavailableError
from chalicelib.routes.platform.responses import ProblemResponse

PROBLEM_TYPE_PREFIX = "/docs#problem-"
"""A problem's type: where its code is explained, relative to the API's own address."""

API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Content-Security-Policy": API_CSP,
    "Cache-Control": "no-store",
}
"""On every response, unless the response sets another value. The template's own refusals repeat
them."""


def build_problem(error: ApiError, request_id: str) -> Response:
    """Build the response to one of our own errors."""
    response = _build_problem(error.status, error.title, error.code, error.detail, request_id, error.errors)
    if isinstance(error, RateLimitedError | UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def build_internal_error(request_id: str) -> Response:
    """Build the response to a bug of ours: an id to ask us about, and nothing else."""
    detail = (
        "Something went wrong on our side. Nothing was partly saved. Try again, and give support the reference "
        "number if it happens again."
    )
    return _build_problem(500, ApiError.title, "internal", detail, request_id)


def build_gateway_problem_body(status: int, code: str, request_id: str) -> Response:
    """Build a refusal that none of our errors describes: a gateway's, or the framework's."""
    title = HTTPStatus(status).phrase
    return _build_problem(status, title, code, f"{title}.", request_id)


def _build_problem(
    status: int, title: str, code: str, detail: str, request_id: str, errors: Sequence[FieldError] = ()
) -> Response:
    body = _to_problem_response(status, title, code, detail, request_id, errors)
    headers: dict[str, str | list[str]] = {"Content-Type": "application/problem+json", "X-Request-Id": request_id}
    return Response(body=json.dumps(body, separators=(",", ":")), status_code=status, headers=headers)


def _to_problem_response(
    status: int, title: str, code: str, detail: str, request_id: str, errors: Sequence[FieldError]
) -> ProblemResponse:
    return {
        "type": f"{PROBLEM_TYPE_PREFIX}{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "errors": [{"pointer": error.pointer, "code": error.code, "message": error.message} for error in errors],
    }


def add_security_headers(response: dict[str, Any]) -> dict[str, Any]:
    """Add the headers that every response has, unless the response sets its own."""
    response["headers"] = {**SECURITY_HEADERS, **response["headers"]}
    return response
