"""Read referrals: one of them, its events, changes and window, and others about the same patient."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.errors import NotFoundError
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import EarlyRead
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses
from chalicelib.routes.referrals.change_responses import ChangePageResponse, to_revision_response
from chalicelib.routes.referrals.referral_part_types import MonitoringWindowResponse
from chalicelib.routes.referrals.response_types import (
    EventPageResponse,
    PossibleDuplicatesResponse,
    ReferralResponse,
)
from chalicelib.routes.referrals.timeline_responses import to_event_response
from chalicelib.services.notices.planned_list import PlannedNotice, list_planned_notices
from chalicelib.services.referrals import duplicates, read_and_amend
from chalicelib.services.referrals.list_filters import build_list_viewer
from chalicelib.services.referrals.unread import UnreadCounts, load_unread

_More = TypeVar("_More")


@declare_endpoint("GET", "/v1/referrals/{referral_id}", early_read=EarlyRead.REFERRAL)
def read_referral(request: ApiRequest, referral_id: str) -> ApiResponse[ReferralResponse]:
    """Get one referral."""

    def read_more(referral: Referral) -> tuple[Sequence[PlannedNotice], UnreadCounts]:
        unread = request.calls.start(partial(load_unread, referral, member=request.member, context=request.context))
        return list_planned_notices(referral, stores=request.context.stores), unread.result()

    referral, (notices, unread) = _read_referral(request, referral_id, read_more)
    response = responses.to_referral_response(
        referral,
        request.member,
        viewer=_build_list_viewer(request),
        notices=notices,
        unread=unread,
    )
    return ApiResponse(body=response, headers=responses.build_referral_etag(referral))


@declare_endpoint("GET", "/v1/referrals/{referral_id}/events", early_read=EarlyRead.REFERRAL)
def list_events(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse[EventPageResponse]:
    """List a referral's events, newest first."""
    entries, position = read_and_amend.list_timeline(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={"items": [to_event_response(entry) for entry in entries], "next_cursor": cursor},
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("GET", "/v1/referrals/{referral_id}/possible-duplicates")
def list_possible_duplicates(request: ApiRequest, referral_id: str) -> ApiResponse[PossibleDuplicatesResponse]:
    """List your organization's open referrals that may be about the same patient."""
    found = duplicates.list_possible_duplicates(referral_id, member=request.member, context=request.context)
    return ApiResponse(body={"items": [responses.to_possible_duplicate_response(row) for row in found]})


@declare_endpoint("GET", "/v1/referrals/{referral_id}/changes", early_read=EarlyRead.REFERRAL)
def list_changes(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse[ChangePageResponse]:
    """List what people changed in the facts of a referral, with the values before and after, newest first."""
    revisions, position = read_and_amend.list_changes(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={"items": [to_revision_response(revision) for revision in revisions], "next_cursor": cursor},
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("GET", "/v1/referrals/{referral_id}/window", early_read=EarlyRead.REFERRAL)
def read_window(request: ApiRequest, referral_id: str) -> ApiResponse[MonitoringWindowResponse]:
    """Get the monitoring window: dates, and notices scheduled and sent."""
    read_more = partial(list_planned_notices, stores=request.context.stores)
    referral, notices = _read_referral(request, referral_id, read_more)
    if referral.window is None:
        raise NotFoundError
    return ApiResponse(
        body=responses.to_window_response(referral, referral.window, notices, now=request.now),
        headers=responses.build_referral_etag(referral),
    )


def _build_list_viewer(request: ApiRequest) -> ListViewer:
    return build_list_viewer(request.member, context=request.context)


def _read_referral(
    request: ApiRequest, referral_id: str, read_more: Callable[[Referral], _More]
) -> tuple[Referral, _More]:
    return read_and_amend.read_referral(
        referral_id,
        read_more=read_more,
        member=request.member,
        request_id=request.request_id,
        context=request.context,
    )
