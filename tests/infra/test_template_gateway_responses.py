"""The error responses that API Gateway sends before any function runs."""

import json

import pytest

from chalicelib.routes.platform.endpoint import build_gateway_problem
from chalicelib.routes.platform.problems import SECURITY_HEADERS
from infra.bundle.template import GATEWAY_RESPONSES

# Source: "Gateway response types for API Gateway", Amazon API Gateway developer guide,
# read 2026-11.
ALL_RESPONSE_TYPES = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}


@pytest.fixture
def responses(template):
    """The gateway responses by type. Each has a status, headers, and a body template."""
    return template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]


def test_the_template_defines_every_gateway_response(responses):
    assert set(responses) == ALL_RESPONSE_TYPES


@pytest.mark.parametrize("kind", sorted(GATEWAY_RESPONSES))
def test_a_gateway_response_is_a_problem_with_the_security_headers(responses, kind):
    """It follows RFC 9457, whatever the caller accepts, and has the request ID of the log."""
    response = responses[kind]
    headers = response["ResponseParameters"]["Headers"]
    problem = json.loads(response["ResponseTemplates"]["application/json"])

    assert headers["Content-Type"] == "'application/problem+json'"
    assert problem["status"] == response["StatusCode"]
    assert problem["request_id"] == "$context.requestId"
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == f"'{value}'"
    assert headers["X-Request-Id"] == "context.requestId"


def test_an_unknown_path_is_404_not_found(responses):
    """API Gateway's default is 403. The local server also responds with 404."""
    response = responses["MISSING_AUTHENTICATION_TOKEN"]

    assert response["StatusCode"] == 404
    assert (
        response["ResponseTemplates"]["application/json"]
        == build_gateway_problem(404, "not_found", "$context.requestId")["body"]
    )


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("REQUEST_TOO_LARGE", 413),
        ("UNSUPPORTED_MEDIA_TYPE", 415),
        ("THROTTLED", 429),
        ("INTEGRATION_FAILURE", 503),
        ("INTEGRATION_TIMEOUT", 503),
        ("DEFAULT_5XX", 503),
    ],
)
def test_a_gateway_response_has_the_status_of_the_api_contract(responses, kind, status):
    """A response after which a retry makes sense has a Retry-After header."""
    assert responses[kind]["StatusCode"] == status
    has_retry_after = "Retry-After" in responses[kind]["ResponseParameters"]["Headers"]
    assert has_retry_after == (status in {429, 503})
