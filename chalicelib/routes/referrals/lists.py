"""Lists of referrals: filtered, sorted, and counted."""

from typing import TYPE_CHECKING

from chalicelib.domain.referrals.list_order import ListOrder
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.query_params import ReferralFilterQuery, ReferralQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.list_response_types import ReferralCountsResponse, ReferralPageResponse
from chalicelib.routes.referrals.list_responses import to_counts_response, to_summary_response
from chalicelib.services.referrals import count, search, sorted_lists, unread
from chalicelib.services.referrals.list_filters import ReferralFilter, build_list_viewer
from chalicelib.services.referrals.sorted_lists import PageRequest, Sorting

if TYPE_CHECKING:
    from collections.abc import Sequence

_LATEST_CHANGE = "-updated_at"


@declare_endpoint("GET", "/v1/referrals")
def list_referrals(request: ApiRequest, query: ReferralQuery) -> ApiResponse[ReferralPageResponse]:
    """List your organization's referrals: most recently changed first, or as `sort` says.

    Filters combine. A filter that is sent several times, such as `stage=submitted&stage=accepted`, finds the
    referrals with one of its values. Where one value is possible, a parameter that is sent twice is refused.

    Without `sort`, a page of a filtered list can have fewer rows than `limit`, or none, although others follow: one
    request reads some 2,000 referrals at most. Continue while there is a `next_cursor`. A list with another order is
    always searched to its end, and has the number of all its rows in `total`.
    """
    unread_rows = unread.load_unread_rows(request.member, context=request.context)
    position = cursors.decode_cursor(query.cursor, request, query)
    if query.page and (query.cursor or query.sort == _LATEST_CHANGE):
        message = "Send `page` only without `cursor`, and with another order than `-updated_at`."
        raise MalformedError("page_not_possible", message, errors=[FieldError("/page", "page_not_possible", message)])
    total = None
    if query.sort == _LATEST_CHANGE:
        rows, position = search.list_referrals(
            to_filter(query),
            limit=query.limit,
            start=position,
            member=request.member,
            context=request.context,
            has_unread=unread_rows.has_changes,
        )
    else:
        page = sorted_lists.list_sorted_page(
            to_filter(query),
            to_sorting(query.sort),
            PageRequest(query.limit, query.page or 1, position["after"] if position else None),
            member=request.member,
            context=request.context,
            has_unread=unread_rows.has_changes,
        )
        rows, total = page.rows, page.total
        position = {"after": list(page.last_key)} if page.last_key else None
    viewer = build_list_viewer(request.member, context=request.context)
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={
            "items": [to_summary_response(row, viewer, unread=unread_rows) for row in rows],
            "total": total,
            "next_cursor": cursor,
        },
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("GET", "/v1/referrals/counts")
def count_referrals(request: ApiRequest) -> ApiResponse[ReferralCountsResponse]:
    """Count your organization's referrals by phase and worklist, and list what they can be filtered by."""
    unread_rows = unread.load_unread_rows(request.member, context=request.context)
    counts = count.count_referrals(member=request.member, context=request.context, unread_rows=unread_rows)
    return ApiResponse(body=to_counts_response(counts))


def to_sorting(sort: str) -> Sorting:
    """Read the order of a query."""
    return Sorting(ListOrder(sort.removeprefix("-")), is_descending=sort.startswith("-"))


def to_filter(query: ReferralFilterQuery) -> ReferralFilter:
    """Read the conditions of a query."""
    exact: dict[str, Sequence[str] | None] = {
        "stage": query.stage,
        "phase": [query.phase] if query.phase else None,
        "center_id": query.center_id,
        "urgency": query.urgency,
    }
    return ReferralFilter(
        exact={name: [str(value) for value in values] for name, values in exact.items() if values},
        since=query.updated_since,
        search_text=query.q or None,
        late=query.late,
        worklist=query.worklist,
        coverage=query.coverage,
        product_id=query.product_id,
        provider_npi=query.provider_npi,
        practice_id=query.practice_id,
        next_date=query.next_date,
    )
