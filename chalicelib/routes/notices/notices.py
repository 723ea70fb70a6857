"""A referral's notices, and reading one's own all at once."""

from typing import Annotated, Any

from chalice import Blueprint
from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.routes.notices.response_schemas import ReferralNoticePageShape, UnreadShape
from chalicelib.routes.notices.responses import to_mail_response
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel, build_pattern_validator
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.notices.notice_history import HistoryPage, HistoryRow, list_notice_history
from chalicelib.store.notices.notices import SentNotice

blueprint = Blueprint(__name__)

MAX_NOTICES_PER_REQUEST = 100
"""As many as a page of notices has, and as are counted as unread."""

NoticeId = Annotated[
    str,
    AfterValidator(build_pattern_validator(r"ntc_[0-9]{8}T[0-9]{12}_[a-z2-7]{26}", "must be an id as the API gave it")),
]


class ReadBody(StrictModel):
    """Which notices were read: those that the reader was shown, so none that came meanwhile."""

    notice_ids: Annotated[list[NoticeId], Field(min_length=1, max_length=MAX_NOTICES_PER_REQUEST)]


@declare_endpoint(blueprint, "POST", "/v1/notices/read", response_schema=UnreadShape, needs_idempotency_key=True)
def mark_notices_read(request: ApiRequest, body: ReadBody) -> ApiResponse:
    """Say that several notices were read. What is no notice of one's own is passed over."""
    store, member_id = wiring.get_stores().notices, request.member.member_id
    for notice_id in dict.fromkeys(body.notice_ids):
        store.mark_read(member_id=member_id, notice_id=notice_id, now=request.now)
    return ApiResponse(body={"unread": store.count_unread(member_id)})


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/notices", response_schema=ReferralNoticePageShape)
def list_referral_notices(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse:
    """Read what is planned, was told and was left out of a referral, latest due first."""
    found = list_notice_history(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    items = [_to_row_response(line, found) for line in found.rows]
    return cursors.build_page_response(items, found.position, request, query)


def _to_row_response(line: HistoryRow, page: HistoryPage) -> dict[str, Any]:
    return {
        "rule": line.rule,
        "title": line.position.title,
        "category": line.category,
        "due_on": line.due_on.isoformat() if line.due_on else None,
        "sides": list(line.sides),
        "state": line.state,
        "why": line.skip_reason,
        "told": [_to_recipient_response(each, page) for each in line.recipients],
    }


def _to_recipient_response(sent_notice: SentNotice, page: HistoryPage) -> dict[str, Any]:
    return {
        "member_id": sent_notice.member_id,
        "name": page.names.get(sent_notice.member_id),
        "told_at": format_timestamp(sent_notice.created_at),
        "opened_at": format_timestamp(sent_notice.read_at) if sent_notice.read_at else None,
        "mail": to_mail_response(sent_notice.mail_id, page.mails),
    }
