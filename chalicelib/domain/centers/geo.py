"""Points on the globe."""

from typing import NamedTuple

EARTH_RADIUS_MILES = 3958.7613
"""The mean radius, 6,371.0088 km. Source: IUGG, Geodetic Reference System 1980 (Moritz 2000).

As a sphere, the earth is within 0.6% of its real shape.
"""


class Point(NamedTuple):
    """A point in degrees, north and east."""

    latitude: float
    longitude: float
