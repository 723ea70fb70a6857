"""A member's own notices, and the notices of a referral."""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.domain.platform.ids import ID_PATTERNS
from chalicelib.errors import NotFoundError
from chalicelib.routes.notices.responses import (
    NoticePageResponse,
    NoticeResponse,
    ReferralNoticePageResponse,
    UnreadCountResponse,
    to_history_row_response,
    to_notice_response,
)
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_pattern_validator
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.notices.notice_history import list_notice_history
from chalicelib.store.notices.mail_status import load_mail_statuses

MAX_NOTICES_PER_REQUEST = 100
"""As many as a page of notices has, and as many as are counted as unread."""

_NOTICE_ID = ID_PATTERNS["notice_id"]

NoticeId = Annotated[str, AfterValidator(build_pattern_validator(_NOTICE_ID.pattern, "Choose a value from the list."))]


class MarkReadRequest(StrictModel):
    """Which notices to mark as read: those that the reader saw, so none that arrived later."""

    notice_ids: Annotated[list[NoticeId], Field(min_length=1, max_length=MAX_NOTICES_PER_REQUEST)]
    """The IDs of the notices that the reader saw."""


@declare_endpoint("GET", "/v1/notices")
def list_notices(request: ApiRequest, query: PageQuery) -> ApiResponse[NoticePageResponse]:
    """List your notices, newest first."""
    store = wiring.get_stores().notices
    member_id = request.member.member_id
    start = cursors.decode_cursor(query.cursor, request, query)
    unread = request.calls.start(partial(store.count_unread, member_id))
    notices, position = store.list_page(member_id, limit=query.limit, start=start)
    mails = load_mail_statuses(wiring.get_stores().mails, [n.mail_id for n in notices if n.mail_id])
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={
            "items": [to_notice_response(notice, mails) for notice in notices],
            "next_cursor": cursor,
            "unread": unread.result(),
        },
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("GET", "/v1/notices/{notice_id}")
def read_notice(request: ApiRequest, notice_id: str) -> ApiResponse[NoticeResponse]:
    """Get one of your notices, as the link in an email names it; does not mark it as read."""
    stores = wiring.get_stores()
    is_id = _NOTICE_ID.fullmatch(notice_id)
    found = stores.notices.get_many(request.member.member_id, [notice_id]) if is_id else ()
    if not found:
        raise NotFoundError
    [notice] = found
    mails = load_mail_statuses(stores.mails, [notice.mail_id] if notice.mail_id else [])
    return ApiResponse(body=to_notice_response(notice, mails))


@declare_endpoint("POST", "/v1/notices/{notice_id}/read", status=204, needs_idempotency_key=True)
def mark_notice_read(request: ApiRequest, notice_id: str) -> ApiResponse[None]:
    """Mark a notice as read; safe to repeat."""
    is_marked = _NOTICE_ID.fullmatch(notice_id) and wiring.get_stores().notices.mark_read(
        member_id=request.member.member_id, notice_id=notice_id, now=request.now
    )
    if not is_marked:
        raise NotFoundError
    return ApiResponse(body=None, status=204)


@declare_endpoint("POST", "/v1/notices/read", needs_idempotency_key=True)
def mark_notices_read(request: ApiRequest, body: MarkReadRequest) -> ApiResponse[UnreadCountResponse]:
    """Mark several notices as read; other members' notices are ignored."""
    store, member_id = wiring.get_stores().notices, request.member.member_id
    for notice_id in dict.fromkeys(body.notice_ids):
        store.mark_read(member_id=member_id, notice_id=notice_id, now=request.now)
    return ApiResponse(body={"unread": store.count_unread(member_id)})


@declare_endpoint("GET", "/v1/referrals/{referral_id}/notices")
def list_referral_notices(
    request: ApiRequest, referral_id: str, query: PageQuery
) -> ApiResponse[ReferralNoticePageResponse]:
    """List a referral's notices (scheduled, sent, skipped), latest due date first."""
    page = list_notice_history(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    cursor = cursors.encode_cursor(page.position, request, query)
    return ApiResponse(
        body={"items": [to_history_row_response(row, page) for row in page.rows], "next_cursor": cursor},
        headers=cursors.build_link_header(cursor, query),
    )
