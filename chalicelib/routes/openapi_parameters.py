"""The parameters of the OpenAPI document: in paths, in headers and in queries."""

from typing import Any

from chalicelib.domain.platform.ids import ID_PATTERNS
from chalicelib.routes.field_texts import FieldTexts
from chalicelib.routes.platform.operations import MEMBERSHIP_HEADER, RouteAccess, RouteOperation
from chalicelib.routes.platform.request import MAX_KEY_CHARS

_ANY_ID = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_.-]+$"}

# The values that the routes accept, see platform/request.py and domain/webhooks/signature.py.
_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": (
            "A key that you choose for this request, such as a UUID. A repeat with the same key and the same body gets "
            "the same response and changes nothing. The same key with another body is refused (422)."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": "^[ -~]+$"},
    },
    "If-Match": {
        "description": (
            "The version that you read, in quotes: the `ETag` of that response, or its `version`. If someone changed "
            "it since, the request is refused (412)."
        ),
        "schema": {"type": "string", "minLength": 3, "maxLength": 13, "pattern": '^(W/)?"[0-9]{1,9}"$'},
    },
    MEMBERSHIP_HEADER: {
        "description": (
            "The membership that the request uses, by its ID from `GET /v1/memberships`. Needed only by a person who "
            "belongs to several organizations."
        ),
        "schema": {"type": "string", "minLength": 30, "maxLength": 30, "pattern": "^mem_[a-z2-7]{26}$"},
    },
    "webhook-id": {
        "description": (
            "An ID that the sender gives the delivery, 1 to 64 characters. A repeat with the same ID and the same body "
            "changes nothing."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "webhook-timestamp": {
        "description": (
            "When the sender signed the delivery, in seconds since 1970 (Unix time). It can differ from the time here "
            "by up to 300 seconds."
        ),
        "schema": {"type": "string", "minLength": 10, "maxLength": 10, "pattern": "^[0-9]{10}$"},
    },
}

_PATH_TEXTS = {
    "build": "Stands for the content of all files of the dashboard. The pages contain the current one.",
    "calendar": "The secret name of a calendar feed, from its link.",
    "center_id": "The ID of a treatment center, such as `ctr_harbor`.",
    "delivery_id": "The `webhook-id` of a delivery.",
    "document_id": "The ID of a document of the referral.",
    "entry_id": "The ID of an entry in the practice directory.",
    "member_id": "The ID of a member of your organization.",
    "name": "The name of a file of the dashboard.",
    "notice_id": "The ID of one of your notices.",
    "package": "The folder of a file of the dashboard.",
    "pattern_id": "The ID of a weekly pattern of the center.",
    "referral_id": "The ID of a referral.",
    "request_id": "The ID of an information request of the referral.",
    "service_id": "The ID of a CDS service, from `GET /cds-services`.",
    "slot_id": "The ID of a consultation time of the center.",
    "text": "Which text: `terms`, `privacy`, `security` or `accessibility`.",
    "token": "The token of a link in an email.",
}


def build_path_parameters(operation: RouteOperation) -> list[dict[str, Any]]:
    """Describe the names in the path of an operation."""
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "description": _PATH_TEXTS[name], "schema": _build_id(name)}
        for name in names
    ]


def _build_id(name: str) -> dict[str, Any]:
    """The schema of a value in a path. An ID of another form than ours belongs to nothing, so it is not found."""
    pattern = ID_PATTERNS.get(name)
    return {"type": "string", "pattern": f"^{pattern.pattern}$"} if pattern else _ANY_ID


def build_header_parameters(operation: RouteOperation) -> list[dict[str, Any]]:
    """Describe the headers that an operation reads, besides those of HTTP itself."""
    parameters = []
    if operation.needs_idempotency_key:
        parameters.append(_build_header("Idempotency-Key"))
    if operation.needs_if_match:
        parameters.append(_build_header("If-Match"))
    if operation.access is RouteAccess.MEMBER:
        parameters.append(_build_header(MEMBERSHIP_HEADER) | {"required": False})
    if operation.access is RouteAccess.WEBHOOK_SIGNATURE:
        parameters += [_build_header("webhook-id"), _build_header("webhook-timestamp")]
    return parameters


def _build_header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, **_HEADERS[name]}


def build_query_parameters(schema: dict[str, Any], texts: FieldTexts, model: str) -> list[dict[str, Any]]:
    """Describe the fields of a query. Each of them may be left out unless its model requires it."""
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": texts[model][name],
            "schema": _drop_null(field),
        }
        for name, field in schema["properties"].items()
    ]


def _drop_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Copy the schema of a field without its `null`, which a query cannot send."""
    kept = {name: part for name, part in schema.items() if name not in {"anyOf", "title"}}
    sent = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not sent:
        return kept
    kept.pop("default", None)
    return kept | (sent[0] if len(sent) == 1 else {"anyOf": sent})
