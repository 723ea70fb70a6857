"""The nearest places: compared with a full scan, and distances compared with the ellipsoid."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.centers.geo import Point
from chalicelib.domain.centers.nearest import DistanceRank, NamedPlace, NearestIndex, rank_by_distance
from tests.support.distances import compute_miles_between

HOUSTON, AMARILLO = Point(29.7079, -95.4010), Point(35.1968, -101.8032)
NEW_YORK, LOS_ANGELES = Point(40.7484, -73.9967), Point(34.0901, -118.4065)

points = st.builds(
    Point, st.integers(-9000, 9000).map(lambda n: n / 100), st.integers(-18000, 18000).map(lambda n: n / 100)
)
places = st.lists(st.tuples(st.sampled_from("ABC"), points), max_size=40).map(
    lambda rows: [NamedPlace(name, f"ctr_{n}", point) for n, (name, point) in enumerate(rows)]
)


@pytest.mark.parametrize(
    ("a", "b", "miles"),
    [
        # Geodesics on WGS 84 by geographiclib; the sphere is within 0.6% of them.
        (NEW_YORK, LOS_ANGELES, 2458.7),
        (HOUSTON, HOUSTON, 0),
        (Point(0, 0), Point(0, 180), 12429.9),
        (Point(13.45, 144.75), Point(21.3, -157.85), 3809.3),
    ],
)
def test_distances_match_the_globe(a, b, miles):
    assert compute_miles_between(a, b) == pytest.approx(miles, rel=0.006, abs=0.1)


@given(points, points)
def test_a_distance_is_the_same_in_both_directions(a, b):
    assert compute_miles_between(a, b) == pytest.approx(compute_miles_between(b, a), abs=1e-6)


@given(points, points)
def test_a_rank_has_the_same_distance(a, b):
    rank = rank_by_distance(NamedPlace("A", "ctr_a", b), a)

    assert rank.tenths == pytest.approx(compute_miles_between(a, b) * 10, abs=0.51)


@given(places, points, st.integers(1, 50), st.one_of(st.just(inf), st.integers(1, 5000)))
def test_a_search_finds_the_same_as_a_full_scan(candidates, origin, count, within):
    """By distance, then name, then id."""
    ranks = sorted(rank_by_distance(place, origin) for place in candidates)
    expected = [rank for rank in ranks if rank.tenths <= within * 10][:count]

    assert NearestIndex(candidates).find_nearest(origin, count=count, within_miles=within) == expected


@given(places, points, st.integers(1, 7))
def test_the_pages_together_are_the_whole_list_in_order(candidates, origin, size):
    index = NearestIndex(candidates)
    seen: list[DistanceRank] = []
    last = None
    while page := index.find_nearest(origin, count=size, after=last):
        seen += page
        last = page[-1]

    assert seen == sorted(rank_by_distance(place, origin) for place in candidates)


@pytest.mark.parametrize("east", [-180.0, -177.14, -90.0, 0.0, 2.86, 45.0, 180.0])
def test_a_place_on_the_opposite_side_of_the_globe_is_found(east):
    """Whatever the rounding error of half a turn."""
    opposite = NamedPlace("A", "ctr_a", Point(0.0, east - 180 if east > 0 else east + 180))
    origin = Point(0.0, east)

    assert NearestIndex([opposite]).find_nearest(origin, count=1) == [rank_by_distance(opposite, origin)]


def test_places_at_the_same_distance_are_sorted_by_name():
    """Centers at one location, added in another order."""
    centers = [NamedPlace(name, f"ctr_{name}", HOUSTON) for name in ("Zinnia", "Aster", "Mallow")]

    found = NearestIndex(centers).find_nearest(AMARILLO, count=2)

    assert [rank.name for rank in found] == ["Aster", "Mallow"]


def test_a_place_across_the_date_line_is_near():
    guam, midway = (NamedPlace("Guam", "a", Point(13.4, 144.7)), NamedPlace("Midway", "b", Point(28.2, -177.4)))

    [nearest] = NearestIndex([guam, midway]).find_nearest(Point(19.3, 166.6), count=1)

    assert nearest.name == "Midway"
