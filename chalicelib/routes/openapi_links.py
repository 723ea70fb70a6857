"""The links of the OpenAPI document: which request can follow on a response, and where its parameters come from."""

from collections.abc import Mapping
from typing import Any

from chalicelib.routes.platform.operations import RouteOperation

_OF_REFERRAL = (
    "read_referral",
    "list_events",
    "report_event",
    "list_documents",
    "add_document",
    "list_messages",
    "send_message",
    "list_information_requests",
    "read_consultation",
    "get_coverage",
    "read_window",
    "download_packet",
)
"""What a program does next with a referral that it has just created, changed or read."""

_BODY_REFERRAL = {"referral_id": "$response.body#/referral_id"}
_PATH_REFERRAL = {"referral_id": "$request.path.referral_id"}
_PATH_CENTER = {"center_id": "$request.path.center_id"}
_DOCUMENT = _PATH_REFERRAL | {"document_id": "$response.body#/document_id"}
_NEW_DOCUMENT = _PATH_REFERRAL | {"document_id": "$response.body#/document/document_id"}
_REQUEST = _PATH_REFERRAL | {"request_id": "$response.body#/request_id"}
_PATTERN = _PATH_CENTER | {"pattern_id": "$response.body#/pattern_id"}
_MEMBER = {"member_id": "$response.body#/member_id"}
_VERSION = {"If-Match": "$response.header.ETag"}

_FROM_REFERRAL = {
    **dict.fromkeys(_OF_REFERRAL, _BODY_REFERRAL),
    "amend_referral": _BODY_REFERRAL | _VERSION,
    "mark_referral_viewed": _BODY_REFERRAL | _VERSION,
}
_FROM_EVENT = {"read_referral": _BODY_REFERRAL, "list_events": _BODY_REFERRAL}

_LINKS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "create_referral": _FROM_REFERRAL,
    "read_referral": _FROM_REFERRAL,
    "amend_referral": _FROM_REFERRAL,
    "report_event": _FROM_EVENT,
    "receive_delivery": _FROM_EVENT,
    "add_document": {"get_document": _NEW_DOCUMENT, "create_document_link": _NEW_DOCUMENT},
    "get_document": {"create_document_link": _DOCUMENT, "remove_document": _DOCUMENT | _VERSION},
    "request_information": {"answer_information_request": _REQUEST, "close_information_request": _REQUEST},
    "read_consultation": {
        "put_consultation": _BODY_REFERRAL | _VERSION,
        "request_consultation_time": _BODY_REFERRAL,
        "list_slots": {"center_id": "$response.body#/center_id"},
    },
    "put_consultation": {
        "cancel_consultation": _BODY_REFERRAL | _VERSION,
        "download_consultation": _BODY_REFERRAL,
    },
    "get_coverage": {"record_coverage_move": _BODY_REFERRAL | _VERSION, "request_coverage_check": _BODY_REFERRAL},
    "request_coverage_check": {"list_coverage_checks": _PATH_REFERRAL},
    "read_handback": {"write_handback": _BODY_REFERRAL | _VERSION},
    "publish_slots": {"list_slots": _PATH_CENTER},
    "publish_slot_pattern": {
        "change_slot_pattern": _PATTERN | _VERSION,
        "remove_slot_pattern": _PATTERN | _VERSION,
        "list_slots": _PATH_CENTER,
    },
    "invite_member": {"change_member": _MEMBER | _VERSION, "send_invitation_again": _MEMBER},
    "read_notice": {"mark_notice_read": {"notice_id": "$response.body#/notice_id"}},
    "read_preferences": {"change_preferences": _VERSION},
}


def build_links(operation: RouteOperation) -> dict[str, Any]:
    """Describe what can follow on the success of an operation."""
    links: dict[str, Any] = {
        name: {"operationId": name, "parameters": dict(parameters)}
        for name, parameters in _LINKS.get(operation.name, {}).items()
    }
    if operation.query is not None and "cursor" in operation.query.model_fields:
        in_path = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
        links["next_page"] = {
            "operationId": operation.name,
            "parameters": {name: f"$request.path.{name}" for name in in_path}
            | {"cursor": "$response.body#/next_cursor"},
            "description": "The next page. `next_cursor` is null on the last one.",
        }
    return links
