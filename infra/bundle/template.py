"""What Chalice's template lacks and a merged template cannot say."""

import copy
import json
from typing import Any

from chalicelib.errors import UnavailableError
from chalicelib.routes.platform.endpoint import build_gateway_problem

Template = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put"})

# Every refusal that API Gateway makes by itself, as the product refuses. The API has no IAM
# authorization, keys or authorizers of the gateway's, so whatever it says about signatures and
# tokens means that there is no such route.
GATEWAY_RESPONSES = {
    "ACCESS_DENIED": (404, "not_found"),
    "API_CONFIGURATION_ERROR": (503, "unavailable"),
    "AUTHORIZER_CONFIGURATION_ERROR": (503, "unavailable"),
    "AUTHORIZER_FAILURE": (503, "unavailable"),
    "BAD_REQUEST_BODY": (400, "malformed"),
    "BAD_REQUEST_PARAMETERS": (400, "malformed"),
    "DEFAULT_4XX": (400, "malformed"),
    "DEFAULT_5XX": (503, "unavailable"),
    "EXPIRED_TOKEN": (404, "not_found"),
    "INTEGRATION_FAILURE": (503, "unavailable"),
    "INTEGRATION_TIMEOUT": (503, "unavailable"),
    "INVALID_API_KEY": (404, "not_found"),
    "INVALID_SIGNATURE": (404, "not_found"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found"),
    "QUOTA_EXCEEDED": (429, "slow_down"),
    "REQUEST_TOO_LARGE": (413, "too_large"),
    "RESOURCE_NOT_FOUND": (404, "not_found"),
    "THROTTLED": (429, "slow_down"),
    "UNAUTHORIZED": (401, "unauthenticated"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "not_json"),
    "WAF_FILTERED": (403, "forbidden"),
}


def complete_template(template: Template, *, bundle: str, commit: str) -> Template:
    """Complete Chalice's template.

    Args:
        template: As `chalice package --merge-template` wrote it.
        bundle: Where the zip is, seen from the template.
        commit: The revision that was packaged; empty if unknown.
    """
    finished = copy.deepcopy(template)
    for function in list_resources_of_type(finished, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = bundle
    for api in list_resources_of_type(finished, "AWS::Serverless::Api").values():
        api["Properties"]["GatewayResponses"] = {
            kind: _gateway_response(status, code) for kind, (status, code) in GATEWAY_RESPONSES.items()
        }
        for path in api["Properties"]["DefinitionBody"]["paths"].values():
            path[_ANY_METHOD] = _route_unknown_methods(path)
    finished["Parameters"]["Commit"]["Default"] = commit
    return finished


def list_resources_of_type(template: Template, kind: str) -> Template:
    """The resources of one CloudFormation type, by logical name."""
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def _gateway_response(status: int, code: str) -> Template:
    """The product's own refusal, as a response that API Gateway can give without it."""
    refusal = build_gateway_problem(status, code, "$context.requestId")
    headers = dict(refusal["headers"])
    if status in {429, 503}:
        headers["Retry-After"] = str(UnavailableError.retry_after_s)
    # API Gateway picks this template whatever the request accepts, and then says that it is
    # JSON, unless a header says otherwise.
    return {
        "StatusCode": status,
        "ResponseParameters": {"Headers": {name: _quote_header(value) for name, value in headers.items()}},
        "ResponseTemplates": {"application/json": refusal["body"]},
    }


def _quote_header(value: str) -> str:
    """A constant stands between single quotes; those within it need no escape."""
    return "context.requestId" if value == "$context.requestId" else f"'{value}'"


def _route_unknown_methods(path: Template) -> Template:
    """Let the function answer a method that a path does not have: 405 with `Allow`.

    API Gateway itself would say the same as for a path that does not exist.
    """
    return copy.deepcopy(next(path[method] for method in sorted(_METHODS & path.keys())))


def to_json(template: Template) -> str:
    """The template as it is written to a file."""
    return json.dumps(template, indent=2) + "\n"
