"""A page of the center finder."""

from math import inf
from typing import Any

from chalicelib import gazetteer, wiring
from chalicelib.domain.centers.geo import Point
from chalicelib.errors import Fault, MalformedError
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import Reply
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.referrals import responses as views
from chalicelib.services.centers.search import Found, Position, Wanted
from chalicelib.store.identity.members_and_tenants import Center

DISTANCES_ARE = "straight-line miles between the middles of ZIP codes, not a way to drive"


def page(call: Call, query: CenterQuery) -> Reply:
    """The centers of one page, and where the next one begins.

    Raises:
        MalformedError: a ZIP code without a place, or a distance from nowhere.
    """
    origin, start = _origin(query), cursors.opened(query.cursor, call, query)
    found = _found(query, origin, Position(**start) if start else None)
    shown, more = found[: query.limit], len(found) > query.limit
    return cursors.page(
        [_told(each) for each in shown],
        shown[-1].position._asdict() if more else None,
        call,
        query,
        near=_place(query.near, origin),
        sorted_by=_order(query),
        distances_are=DISTANCES_ARE,
    )


def _found(query: CenterQuery, origin: Point | None, after: Position | None) -> list[Found]:
    wanted = Wanted(
        product=query.product,
        disease=query.disease,
        age_group=query.age_group,
        accepting=query.accepting,
        payer=query.payer,
        words=query.q,
    )
    finder, within, limit = wiring.finder(), query.within_miles or inf, query.limit + 1
    if origin and _order(query) == "distance":
        return list(
            finder.by_distance(wanted, limit=limit, origin=origin, within_miles=within, after=after)
        )
    return list(
        finder.by_name(wanted, limit=limit, origin=origin, within_miles=within, after=after)
    )


def _order(query: CenterQuery) -> str:
    return query.sort or ("distance" if query.near else "name")


def _origin(query: CenterQuery) -> Point | None:
    if query.near is None:
        missing = [
            Fault(f"/{name}", "needs_near", "Name a ZIP code by `near` as well")
            for name, asked in (
                ("within_miles", query.within_miles is not None),
                ("sort", query.sort == "distance"),
            )
            if asked
        ]
        if missing:
            raise MalformedError("malformed", "Some fields are not right.", faults=missing)
        return None
    point = gazetteer.point_of(query.near)
    if point is None:
        message = (
            "No place is known for this ZIP code. It may be unused, or of military mail abroad: "
            "name one nearby"
        )
        fault = Fault("/near", "unknown_zip", message)
        raise MalformedError("malformed", "Some fields are not right.", faults=[fault])
    return point


def _told(found: Found) -> dict[str, Any]:
    return {
        **views.center_told(found.center),
        "distance_miles": found.miles,
        "place": _center_place(found.center),
    }


def _center_place(center: Center) -> dict[str, Any] | None:
    return _place(center.facts.get("zip"), wiring.finder().point_of(center))


def _place(zip_code: str | None, point: Point | None) -> dict[str, Any] | None:
    return {"zip": zip_code, **point._asdict()} if zip_code and point else None
