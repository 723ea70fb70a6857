"""Adds the parts to Chalice's template that it lacks and that a merged template cannot add."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from chalicelib.errors import UnavailableError
from chalicelib.routes.platform.endpoint import build_gateway_problem
from infra.bundle.alarms import add_alarms
from infra.bundle.aliases import add_aliases
from infra.bundle.capacity import add_capacity
from infra.bundle.dashboard import add_dashboard
from infra.bundle.existing import add_existing_resources
from infra.bundle.mail_identity import add_mail_identity
from infra.bundle.protection import add_protection
from infra.setting_outputs import build_setting_outputs

Template = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put"})

# Every error response that API Gateway creates by itself, in the product's format. The API uses no IAM
# authorization, API keys, or authorizers. Therefore, a gateway error about signatures or tokens means
# that no such route exists.
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


def complete_template(
    template: Template, *, bundle: str, own_bundles: Mapping[str, str], commit: str, shifts_traffic: bool
) -> Template:
    """Complete Chalice's template.

    Args:
        template: As `chalice package --merge-template` wrote it.
        bundle: The path of the zip, relative to the template.
        own_bundles: The path of the zip of each function that has one of its own, by its logical name.
        commit: The packaged commit. Empty if unknown.
        shifts_traffic: Whether CodeDeploy moves requests to a new version step by step.
    """
    completed = copy.deepcopy(template)
    functions = list_resources_of_type(completed, "AWS::Serverless::Function")
    for name, function in functions.items():
        function["Properties"]["CodeUri"] = own_bundles.get(name, bundle)
    # Chalice does not know these functions.
    theirs = functions["APIHandler"]["Properties"]
    for name in own_bundles:
        functions[name]["Properties"] |= {part: theirs[part] for part in ("Runtime", "Architectures") if part in theirs}
    for api in list_resources_of_type(completed, "AWS::Serverless::Api").values():
        api["Properties"]["GatewayResponses"] = {
            kind: _build_gateway_response(status, code) for kind, (status, code) in GATEWAY_RESPONSES.items()
        }
        for path in api["Properties"]["DefinitionBody"]["paths"].values():
            path[_ANY_METHOD] = _copy_any_operation(path)
    completed["Parameters"]["Commit"]["Default"] = commit
    for add_part in (
        *(add_alarms, add_dashboard, add_capacity, add_protection),
        # After the alarms, which name the user pool too.
        *(add_mail_identity, add_existing_resources),
    ):
        add_part(completed)
    add_aliases(completed, shifts_traffic=shifts_traffic)
    variables = completed["Globals"]["Function"]["Environment"]["Variables"]
    completed["Outputs"] |= build_setting_outputs(variables)
    return completed


def list_resources_of_type(template: Template, kind: str) -> Template:
    """Return the resources of one CloudFormation type, by logical name."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def _build_gateway_response(status: int, code: str) -> Template:
    """Build the product's error as a response that API Gateway can send without the product."""
    problem = build_gateway_problem(status, code, "$context.requestId")
    headers = dict(problem["headers"])
    if status in {429, 503}:
        headers["Retry-After"] = str(UnavailableError.retry_after_s)
    # API Gateway uses this template for every Accept header, and sets the content type to JSON unless
    # another header overrides it.
    return {
        "StatusCode": status,
        "ResponseParameters": {"Headers": {name: _quote_header(value) for name, value in headers.items()}},
        "ResponseTemplates": {"application/json": problem["body"]},
    }


def _quote_header(value: str) -> str:
    """Put a constant in single quotes. Quotes inside it need no escape."""
    return "context.requestId" if value == "$context.requestId" else f"'{value}'"


def _copy_any_operation(path: Template) -> Template:
    """Return an operation that sends unsupported methods to the function, which responds with 405 and `Allow`.

    API Gateway itself would respond as if the path did not exist.
    """
    return copy.deepcopy(next(path[method] for method in sorted(_METHODS & path.keys())))


def to_json(template: Template) -> str:
    """Format the template for its file."""
    return json.dumps(template, indent=2) + "\n"
