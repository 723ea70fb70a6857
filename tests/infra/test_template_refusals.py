"""The refusals that API Gateway makes before any function runs."""

import json

import pytest

from chalicelib.routes.platform.endpoint import build_gateway_problem
from chalicelib.routes.platform.problems import SECURITY_HEADERS
from infra.bundle.template import GATEWAY_RESPONSES

# Source: "Gateway response types for API Gateway", Amazon API Gateway developer guide,
# read 2026-11.
ALL_THAT_THE_GATEWAY_KNOWS = {
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
def refusals(template):
    """Each refusal by its type: status, headers as they are sent, body as a template."""
    return template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]


def test_no_refusal_is_left_to_the_gateways_own_words(refusals):
    """Every type of gateway response is ours."""
    assert set(refusals) == ALL_THAT_THE_GATEWAY_KNOWS


@pytest.mark.parametrize("kind", sorted(GATEWAY_RESPONSES))
def test_a_refusal_is_a_problem(refusals, kind):
    """RFC 9457, whatever the caller accepts, with the id under which it was logged."""
    refusal = refusals[kind]
    problem = json.loads(refusal["ResponseTemplates"]["application/json"])

    assert refusal["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
    assert problem["status"] == refusal["StatusCode"]
    assert problem["request_id"] == "$context.requestId"
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id", "errors"}


@pytest.mark.parametrize("kind", sorted(GATEWAY_RESPONSES))
def test_a_refusal_carries_the_security_headers(refusals, kind):
    """The same as on every answer of the product; a constant stands between quotes."""
    headers = refusals[kind]["ResponseParameters"]["Headers"]

    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == f"'{value}'"
    assert headers["X-Request-Id"] == "context.requestId"


def test_a_path_that_is_not_there_is_not_found(refusals):
    """Not forbidden, as API Gateway would say; and as the local server says it."""
    refusal = refusals["MISSING_AUTHENTICATION_TOKEN"]

    assert refusal["StatusCode"] == 404
    assert (
        refusal["ResponseTemplates"]["application/json"]
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
def test_a_refusal_has_the_contracts_status(refusals, kind, status):
    """As the contract lists them, and one that is worth a repeat says when."""
    assert refusals[kind]["StatusCode"] == status
    repeated = "Retry-After" in refusals[kind]["ResponseParameters"]["Headers"]
    assert repeated == (status in {429, 503})
