"""Audit trails: of a referral, for the administrators of its two organizations, and of an organization."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.routes.audit.responses import AuditTrailResponse, to_audit_entry_response
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.query_params import AuditQuery, PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.audit.trail import read_audit_trail, read_organization_trail


@declare_endpoint("GET", "/v1/referrals/{referral_id}/audit")
def read_audit(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse[AuditTrailResponse]:
    """Get the audit trail of a referral, newest first (administrators of either organization)."""
    rows, position = read_audit_trail(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        by=request.member,
        context=request.context,
    )
    return _build_page(rows, position, request, query)


@declare_endpoint("GET", "/v1/audit")
def list_organization_audit(request: ApiRequest, query: AuditQuery) -> ApiResponse[AuditTrailResponse]:
    """List what your organization changed outside of referrals, and what it was refused (administrators).

    With `actor_id`, a page can have few entries or none although others follow: each page reads 500 entries at most.
    Go on until `next_cursor` is null.
    """
    rows, position = read_organization_trail(
        actor_id=query.actor_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        by=request.member,
        context=request.context,
    )
    return _build_page(rows, position, request, query)


def _build_page(
    rows: Sequence[Mapping[str, Any]], position: Mapping[str, Any] | None, request: ApiRequest, query: PageQuery
) -> ApiResponse[AuditTrailResponse]:
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={"items": [to_audit_entry_response(row) for row in rows], "next_cursor": cursor},
        headers=cursors.build_link_header(cursor, query),
    )
