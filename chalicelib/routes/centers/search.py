"""A page of the center finder."""

from math import inf
from typing import Any

from chalicelib import wiring, zip_codes
from chalicelib.domain.centers.geo import Point
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses as views
from chalicelib.services.centers.search import CenterCriteria, CenterMatch, CenterPosition
from chalicelib.store.identity.members_and_tenants import Center

DISTANCE_NOTE = "straight-line miles between the middles of ZIP codes, not a way to drive"


def build_center_page(request: ApiRequest, query: CenterQuery) -> ApiResponse:
    """The centers of one page, and where the next one begins.

    Raises:
        MalformedError: a ZIP code without a place, or a distance from nowhere.
    """
    origin, start = _find_origin(query), cursors.decode_cursor(query.cursor, request, query)
    found = _search_centers(query, origin, CenterPosition(**start) if start else None)
    shown, more = found[: query.limit], len(found) > query.limit
    return cursors.build_page_response(
        [_to_center_response(each) for each in shown],
        shown[-1].position._asdict() if more else None,
        request,
        query,
        near=_to_place_response(query.near, origin),
        sorted_by=_get_sort_order(query),
        distances_are=DISTANCE_NOTE,
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
            FieldError(f"/{name}", "needs_near", "Name a ZIP code by `near` as well")
            for name, asked in (("within_miles", query.within_miles is not None), ("sort", query.sort == "distance"))
            if asked
        ]
        if missing:
            raise MalformedError("malformed", "Some fields are not right.", errors=missing)
        return None
    point = zip_codes.find_zip_point(query.near)
    if point is None:
        message = "No place is known for this ZIP code. It may be unused, or of military mail abroad: name one nearby"
        fault = FieldError("/near", "unknown_zip", message)
        raise MalformedError("malformed", "Some fields are not right.", errors=[fault])
    return point


def _to_center_response(match: CenterMatch) -> dict[str, Any]:
    return {
        **views.to_center_response(match.center),
        "distance_miles": match.miles,
        "place": _to_center_place(match.center),
    }


def _to_center_place(center: Center) -> dict[str, Any] | None:
    return _to_place_response(center.listing.get("zip"), wiring.get_center_search().find_point(center))


def _to_place_response(zip_code: str | None, point: Point | None) -> dict[str, Any] | None:
    return {"zip": zip_code, **point._asdict()} if zip_code and point else None
