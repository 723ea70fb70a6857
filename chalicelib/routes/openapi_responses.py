"""The responses of the OpenAPI document: what succeeds, what is refused, and the headers of both."""

from typing import Any, get_type_hints

from chalicelib.routes.openapi_links import build_links
from chalicelib.routes.platform.operations import RouteAccess, RouteOperation
from chalicelib.routes.platform.responses import ReadinessResponse

_REFUSALS = {
    "400": "The request has errors. `errors` names each of them.",
    "401": "Not signed in, or the token or the signature is not valid.",
    "403": "Your role or your organization does not allow this.",
    "404": "Not found. It may have been removed, or your organization does not have access to it.",
    "406": "The response exists only as a PDF, which `Accept` does not allow.",
    "409": "It contradicts what is stored. Read it again; `code` says what is in the way.",
    "412": "The version in `If-Match` is not the current one. For an EHR: a FHIR resource is missing.",
    "413": "The body is too large.",
    "415": "Send the body with `Content-Type: application/json`.",
    "422": "The `Idempotency-Key` was used with another request.",
    "428": "Send `If-Match` with the version that you read.",
    "429": "Too many requests. Wait for the seconds in `Retry-After`.",
    "431": "The headers are too large. The gateway refuses the request.",
    "500": "An error of the product. Nothing was partly saved. It is safe to try again.",
    "503": "Not available for now. Wait for the seconds in `Retry-After`, and try again.",
}
"""The meaning of each status of a refusal; its `code` is more exact."""

_WAITS = frozenset({"429", "503"})

HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The version of the object, in quotes. Send it in `If-Match` with a change.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` if this is the stored response to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    "Link": {
        "description": 'The address of the next page, with `rel="next"`; left out on the last page.',
        "schema": {"type": "string"},
    },
    "Location": {"description": "The address of the new object.", "schema": {"type": "string"}},
    "Retry-After": {"description": "How many seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "X-Request-Id": {
        "description": "The ID of the request. Quote it when you ask for help. Send your own to choose it.",
        "schema": {"type": "string"},
    },
}
"""The headers of responses that a program reads."""

_LOCATED = frozenset({"add_document", "create_referral"})
"""Operations whose response says where the new object is."""


def build_refusals(problem: dict[str, Any]) -> dict[str, Any]:
    """The refusals as components, to which each operation refers.

    Args:
        problem: The schema of a problem.
    """
    return {
        f"Problem{status}": {
            "description": text,
            "headers": _refer_to_headers("X-Request-Id", *(["Retry-After"] if status in _WAITS else [])),
            "content": {"application/problem+json": {"schema": problem}},
        }
        for status, text in _REFUSALS.items()
    }


def build_responses(operation: RouteOperation, schema: dict[str, Any] | None) -> dict[str, Any]:
    """Describe the responses of an operation.

    Args:
        operation: The operation.
        schema: The schema of its JSON; None if the response has no body, or is text or a file.
    """
    success: dict[str, Any] = {"description": "Done", "headers": _refer_to_headers(*_list_headers(operation))}
    if schema is not None:
        success["content"] = {"application/json": {"schema": schema}}
    if links := build_links(operation):
        success["links"] = links
    codes = sorted(_list_refusal_codes(operation))
    refusals = {code: {"$ref": f"#/components/responses/Problem{code}"} for code in codes}
    responses = {str(operation.status): success} | refusals
    if operation.access is RouteAccess.WEBHOOK_SIGNATURE:
        responses["202"] = success | {"description": "Parked until an earlier event arrives"}
    if operation.file_type:
        file_schema = {"type": "string", "contentMediaType": operation.file_type}
        success["content"] = {operation.file_type: {"schema": file_schema}}
    elif operation.response_type is None and operation.status == 200:
        success["content"] = {"*/*": {"schema": {"type": "string"}}}
        responses["304"] = {"description": "Not changed since the response with this ETag"}
    if operation.response_type is ReadinessResponse:
        responses["503"] = success | {"description": "Not ready; `dependencies` shows which service does not respond"}
    return responses


def _list_headers(operation: RouteOperation) -> list[str]:
    """The headers of a success that follow from how the operation is declared."""
    names = ["X-Request-Id"]
    fields = get_type_hints(operation.response_type) if isinstance(operation.response_type, type) else {}
    if fields.get("version") is int or operation.name in _LOCATED:
        names.append("ETag")
    if operation.name in _LOCATED:
        names.append("Location")
    if operation.needs_idempotency_key:
        names.append("Idempotent-Replayed")
    if operation.query is not None and "cursor" in operation.query.model_fields:
        names.append("Link")
    return names


def _refer_to_headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _list_refusal_codes(operation: RouteOperation) -> set[str]:
    codes = {"400", "429", "431", "500", "503"}
    if operation.access not in {RouteAccess.PUBLIC, RouteAccess.LINK_HOLDER}:
        codes |= {"401"}
    if operation.path == "/v1/sessions" or operation.path.startswith("/v1/sessions/"):
        codes |= {"401"}
    if operation.access in {RouteAccess.MEMBER, RouteAccess.WEBHOOK_SIGNATURE}:
        codes |= {"403"}
    # A new referral may name one that it continues.
    if "{" in operation.path or (operation.method, operation.path) == ("POST", "/v1/referrals"):
        codes |= {"404"}
    if operation.file_type:
        codes |= {"406"}
    return codes | _list_codes_of_changes(operation)


def _list_codes_of_changes(operation: RouteOperation) -> set[str]:
    codes = set()
    if operation.body is not None or operation.access is RouteAccess.WEBHOOK_SIGNATURE:
        codes |= {"409", "413", "415"}
    if operation.access is RouteAccess.SNS_SIGNATURE:
        codes |= {"413"}
    if operation.access is RouteAccess.CDS_CALLER:
        codes |= {"412"}
    if operation.needs_idempotency_key:
        codes |= {"409", "422"}
    if operation.needs_if_match:
        codes |= {"409", "412", "428"}
    return codes
