"""A page of center search results."""

from math import inf

from chalicelib import wiring, zip_codes
from chalicelib.catalog.review_dates import is_due
from chalicelib.domain.centers.geo import Point
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.centers.responses import (
    CenterMatchResponse,
    CenterPageResponse,
    PlaceResponse,
    to_center_response,
)
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.centers.search import CenterCriteria, CenterMatch, CenterPosition
from chalicelib.store.identity.tenants import Center

DISTANCE_NOTE = "straight-line miles between the midpoints of ZIP codes, not a driving distance"


def build_center_page(request: ApiRequest, query: CenterQuery) -> ApiResponse[CenterPageResponse]:
    """Build one page of centers, and the cursor of the next one.

    Raises:
        MalformedError: a ZIP code without a location, or a distance without a ZIP code.
    """
    origin, start = _find_origin(query), cursors.decode_cursor(query.cursor, request, query)
    found = _search_centers(query, origin, CenterPosition(**start) if start else None)
    shown, has_more = found[: query.limit], len(found) > query.limit
    cursor = cursors.encode_cursor(shown[-1].position._asdict() if has_more else None, request, query)
    return ApiResponse(
        body={
            "items": [_to_match_response(match) for match in shown],
            "next_cursor": cursor,
            "near": _to_place_response(query.near, origin),
            "locations_as_of": zip_codes.AS_OF,
            "locations_may_be_out_of_date": is_due(zip_codes.REVIEW_BY, request.now.date()),
            "sorted_by": _get_sort_order(query),
            "distances_are": DISTANCE_NOTE,
        },
        headers=cursors.build_link_header(cursor, query),
    )


def _search_centers(query: CenterQuery, origin: Point | None, after: CenterPosition | None) -> list[CenterMatch]:
    criteria = CenterCriteria(
        product=query.product,
        disease=query.disease,
        age_group=query.age_group,
        accepting=query.accepting,
        payer=query.payer,
        words=query.q,
    )
    finder, within, limit = wiring.get_center_search(), query.within_miles or inf, query.limit + 1
    if origin and _get_sort_order(query) == "distance":
        return list(finder.list_by_distance(criteria, limit=limit, origin=origin, within_miles=within, after=after))
    return list(finder.list_by_name(criteria, limit=limit, origin=origin, within_miles=within, after=after))


def _get_sort_order(query: CenterQuery) -> str:
    return query.sort or ("distance" if query.near else "name")


def _find_origin(query: CenterQuery) -> Point | None:
    if query.near is None:
        missing = [
            FieldError(f"/{name}", "needs_near", "Enter a ZIP code to search by distance.")
            for name, is_given in (
                ("within_miles", query.within_miles is not None),
                ("sort", query.sort == "distance"),
            )
            if is_given
        ]
        if missing:
            raise MalformedError("malformed", FIELDS_NOT_VALID, errors=missing)
        return None
    point = zip_codes.find_zip_point(query.near)
    if point is None:
        # The ZIP code can be unused, or belong to military mail abroad.
        message = "We do not have a location for this ZIP code. Try a ZIP code nearby."
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[FieldError("/near", "unknown_zip", message)])
    return point


def _to_match_response(match: CenterMatch) -> CenterMatchResponse:
    return {
        **to_center_response(match.center),
        "distance_miles": match.miles,
        "place": _to_center_place(match.center),
    }


def _to_center_place(center: Center) -> PlaceResponse | None:
    return _to_place_response(center.listing.get("zip"), wiring.get_center_search().find_point(center))


def _to_place_response(zip_code: str | None, point: Point | None) -> PlaceResponse | None:
    if not zip_code or not point:
        return None
    return {"zip": zip_code, "latitude": point.latitude, "longitude": point.longitude}
