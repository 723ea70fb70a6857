"""Distances between points, computed independently of the search for the nearest center."""

from math import asin, cos, radians, sin, sqrt

from chalicelib.domain.centers.geo import EARTH_RADIUS_MILES, Point


def compute_miles_between(a: Point, b: Point) -> float:
    """The great-circle distance. It is not a driving distance and does not show travel time.

    The earth is treated as a sphere, which is within 0.6% of its real shape.

    Source:
        The haversine form: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984.
    """
    north, south = radians(a.latitude), radians(b.latitude)
    longitude_gap = radians(b.longitude - a.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(longitude_gap / 2) ** 2
    # For opposite points of the globe, rounding can give slightly more than 1.
    return 2 * EARTH_RADIUS_MILES * asin(min(1.0, sqrt(half)))
