"""Find the nearest places: by straight-line miles, then by name. Nothing else affects the order."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from heapq import heappush, heapreplace
from math import acos, cos, inf, pi, radians, sin
from typing import NamedTuple

from chalicelib.domain.centers.geo import EARTH_RADIUS_MILES, Point

_TENTH_OF_A_MILE = 0.1 / EARTH_RADIUS_MILES
_ROUNDING_MARGIN = 1e-7
"""The rounding error that an angle can have, in radians: about two feet."""


class NamedPlace(NamedTuple):
    """A place to search for. Its name, then its id, break ties."""

    name: str
    place_id: str
    point: Point


class DistanceRank(NamedTuple):
    """The position of a place in a list: the distance as shown (in tenths of a mile), then name and id."""

    tenths: int
    name: str
    place_id: str


class NearestIndex:
    """Places sorted by latitude, so that a search can stop where all other places are farther away."""

    def __init__(self, places: Iterable[NamedPlace]) -> None:
        """Sort the places once."""
        ordered = sorted(places, key=lambda place: place.point.latitude)
        # A sentinel at each end stops every search.
        self._latitudes = [-inf, *(radians(place.point.latitude) for place in ordered), inf]
        self._spots = [(*_to_unit_vector(place.point), place) for place in ordered]

    def find_nearest(
        self, origin: Point, *, count: int, within_miles: float = inf, after: DistanceRank | None = None
    ) -> Sequence[DistanceRank]:
        """The nearest `count` places within a distance, or those that come after a rank.

        Miles are compared as they are shown, in tenths: places with the same shown distance are equal.
        """
        found = self._find_candidates(origin, count, within_miles, after)
        ranks = (_build_rank(closeness, place) for closeness, place in found)
        return sorted(rank for rank in ranks if rank.tenths <= within_miles * 10)[:count]

    def _find_candidates(
        self, origin: Point, count: int, within_miles: float, after: DistanceRank | None
    ) -> Sequence[tuple[float, NamedPlace]]:
        """Every place that can be among the first `count`, with the cosine of its angular distance.

        Searches north and south, always in the direction that is closer, until the latitude alone
        shows that all other places are farther away than those found.
        """
        x, y, z = _to_unit_vector(origin)
        latitude, latitudes, spots = radians(origin.latitude), self._latitudes, self._spots
        north = bisect_left(latitudes, latitude)
        south = north - 1
        # One tenth of a mile more: a place with the same shown distance can come first by name.
        reach = min(within_miles / EARTH_RADIUS_MILES, pi) + _TENTH_OF_A_MILE + _ROUNDING_MARGIN
        least = _compute_min_cosine(reach)
        missing = count
        nearest: list[float] = []
        found: list[tuple[float, NamedPlace]] = []
        while True:
            up, down = latitudes[north] - latitude, latitude - latitudes[south]
            if up < down:
                gap, spot = up, north - 1
                north += 1
            else:
                gap, spot = down, south - 1
                south -= 1
            if gap > reach:
                break
            a, b, c, place = spots[spot]
            closeness = x * a + y * b + z * c
            if closeness < least or (after and _build_rank(closeness, place) <= after):
                continue
            found.append((closeness, place))
            if missing:
                missing -= 1
                heappush(nearest, closeness)
                if missing:
                    continue
            elif closeness > nearest[0]:
                heapreplace(nearest, closeness)
            else:
                continue
            if nearest[0] < 1.0:
                reach = acos(max(-1.0, nearest[0])) + _TENTH_OF_A_MILE + _ROUNDING_MARGIN
                least = _compute_min_cosine(reach)
        return [candidate for candidate in found if candidate[0] >= least]


def _compute_min_cosine(reach: float) -> float:
    """The cosine of an angle. If the angle covers the whole globe, less than the cosine of any place."""
    return cos(reach) if reach < pi else -2.0


def rank_by_distance(candidate: NamedPlace, origin: Point) -> DistanceRank:
    """The position of a place in a list of distances from `origin`."""
    x, y, z = _to_unit_vector(origin)
    a, b, c = _to_unit_vector(candidate.point)
    return _build_rank(x * a + y * b + z * c, candidate)


def _build_rank(cosine: float, candidate: NamedPlace) -> DistanceRank:
    angle = acos(max(-1.0, min(1.0, cosine)))
    return DistanceRank(round(angle * EARTH_RADIUS_MILES * 10), candidate.name, candidate.place_id)


def _to_unit_vector(point: Point) -> tuple[float, float, float]:
    """The place as a vector from the center of the earth. The product of two vectors is a cosine."""
    north, east = radians(point.latitude), radians(point.longitude)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)
