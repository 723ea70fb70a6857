"""A referral's notices, and reading one's own all at once."""

from typing import Annotated, Any

from chalice import Blueprint
from pydantic import AfterValidator, Field

from chalicelib import wiring
from chalicelib.routes.notices.response_schemas import ReferralNoticePageShape, UnreadShape
from chalicelib.routes.notices.responses import mail_told
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.fields import Body, matching
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.platform.timestamps import instant
from chalicelib.services.notices.notice_history import Line, Listing, listing
from chalicelib.store.notices.notices import Told

blueprint = Blueprint(__name__)

MOST_AT_ONCE = 100
"""As many as a page of notices has, and as are counted as unread."""

NoticeId = Annotated[
    str,
    AfterValidator(
        matching(r"ntc_[0-9]{8}T[0-9]{12}_[a-z2-7]{26}", "must be an id as the API gave it")
    ),
]


class ReadBody(Body):
    """Which notices were read: those that the reader was shown, so none that came meanwhile."""

    notice_ids: Annotated[list[NoticeId], Field(min_length=1, max_length=MOST_AT_ONCE)]


@endpoint(blueprint, "POST", "/v1/notices/read", returns=UnreadShape, keyed=True)
def mark_notices_read(call: Call, body: ReadBody) -> Reply:
    """Say that several notices were read. What is no notice of one's own is passed over."""
    store, member_id = wiring.stores().notices, call.member.member_id
    for notice_id in dict.fromkeys(body.notice_ids):
        store.mark_read(member_id=member_id, notice_id=notice_id, now=call.now)
    return Reply(body={"unread": store.unread(member_id)})


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/notices", returns=ReferralNoticePageShape)
def list_referral_notices(call: Call, referral_id: str, query: PageQuery) -> Reply:
    """Read what is planned, was told and was left out of a referral, latest due first."""
    found = listing(
        referral_id,
        limit=query.limit,
        start=cursors.opened(query.cursor, call, query),
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    items = [_line_told(line, found) for line in found.lines]
    return cursors.page(items, found.position, call, query)


def _line_told(line: Line, found: Listing) -> dict[str, Any]:
    return {
        "rule": line.rule,
        "title": line.place.title,
        "category": line.category,
        "due_on": line.due_on.isoformat() if line.due_on else None,
        "sides": list(line.sides),
        "state": line.state,
        "why": line.why,
        "told": [_reader_told(each, found) for each in line.told],
    }


def _reader_told(told: Told, found: Listing) -> dict[str, Any]:
    return {
        "member_id": told.member_id,
        "name": found.names.get(told.member_id),
        "told_at": instant(told.created_at),
        "opened_at": instant(told.read_at) if told.read_at else None,
        "mail": mail_told(told.mail_id, found.mails),
    }
