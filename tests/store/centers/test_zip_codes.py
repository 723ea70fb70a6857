"""Points of ZIP codes: the packed file, compared with places that anyone can look up."""

import importlib.util
import subprocess
import sys

import pytest

from chalicelib import zip_codes
from chalicelib.domain.centers.geo import Point
from infra import build_zip_codes
from tests.support.distances import compute_miles_between

NEAR = {
    "00501": Point(40.82, -73.05),  # Holtsville, the lowest number
    "00901": Point(18.466, -66.118),  # San Juan, Puerto Rico
    "00802": Point(18.34, -64.93),  # Saint Thomas, US Virgin Islands
    "20500": Point(38.8977, -77.0365),  # the White House, which has its own ZIP code
    "77030": Point(29.707, -95.401),  # Houston
    "96799": Point(-14.29, -170.70),  # American Samoa
    "96813": Point(21.31, -157.86),  # Honolulu
    "96910": Point(13.47, 144.75),  # Guam
    "96950": Point(15.19, 145.75),  # Saipan, Northern Marianas
    "99503": Point(61.19, -149.89),  # Anchorage, where the Census Bureau's point is in the wilderness
    "99950": Point(55.34, -131.65),  # Ketchikan, the highest number
}


@pytest.mark.parametrize("zip_code", NEAR)
def test_the_point_of_a_zip_code_is_near_its_town(zip_code):
    """With 5 or 5+4 digits. Within 12 miles, because a ZIP code is an area and not a point."""
    point = zip_codes.find_zip_point(zip_code)

    assert point is not None
    assert compute_miles_between(point, NEAR[zip_code]) < 12
    assert zip_codes.find_zip_point(f"{zip_code}-1234") == point


@pytest.mark.parametrize("zip_code", ["00000", "99999", "09012", "00100", "96999"])
def test_an_unknown_zip_code_has_no_point(zip_code):
    """Military mail abroad has none either."""
    assert zip_codes.find_zip_point(zip_code) is None


@pytest.mark.parametrize(
    "text", ["", "7703", "770301", "77030-", "77030-12", "K1A 0B1", " 77030", "\uff17" * 5, "7703\u0660"]
)
def test_a_text_that_is_not_a_zip_code_is_refused(text):
    with pytest.raises(ValueError, match="not a ZIP code"):
        zip_codes.find_zip_point(text)


def test_every_zip_code_of_the_file_is_in_the_united_states():
    """From American Samoa to Alaska, and from Guam to the Virgin Islands."""
    points = [point for n in range(100_000) if (point := zip_codes.find_zip_point(f"{n:05d}"))]

    assert len(points) == zip_codes.count_zip_codes() == 41_903
    assert all(-15 < point.latitude < 72 for point in points)
    assert all(point.longitude < -64 or point.longitude > 144 for point in points)


def test_a_packed_point_is_unpacked_to_within_a_quarter_of_a_mile():
    """In several prefixes, near the date line, with and without neighbors."""
    points = {
        "00000": Point(18.1, -66.2),
        "00001": Point(18.3333, -65.9),
        "00099": Point(17.9, -67.2),
        "96910": Point(13.47, 144.75),
        "96898": Point(19.28, 166.65),
        "99999": Point(71.3, -156.8),
    }
    table = zip_codes.unpack_table(build_zip_codes.pack_points(points))

    for zip_code, point in points.items():
        unpacked = zip_codes.find_in_table(table, zip_code)
        assert unpacked is not None
        assert compute_miles_between(unpacked, point) < 0.25
    assert zip_codes.find_in_table(table, "00002") is None


def test_the_town_is_used_where_the_center_of_the_area_is_far_away():
    """A point that the second source has in the ocean is moved to land."""
    census = dict.fromkeys(build_zip_codes.USE_TOWN, Point(60, -150)) | {"96813": Point(21.3, -157.8)}
    geonames = dict.fromkeys(build_zip_codes.USE_TOWN, Point(61, -149))

    merged = build_zip_codes.merge_points(census, geonames | {"96835": Point(21, -151), "10101": Point(40, -74)})

    assert merged["99503"] == Point(61, -149)
    assert merged["96835"] == merged["96813"]
    assert merged["10101"] == Point(40, -74)


def test_source_files_are_parsed_and_never_executed():
    census = build_zip_codes.parse_census_points("GEOID,LAT,LONG,COUNTRY\n00601,18.18,-66.75,US\nA0A,4,5,CA\n")
    geonames = build_zip_codes.parse_geonames_points("ZIP_INFO = {\n    501: (20, 40.8154, -73.0451),\n}")

    assert census == {"00601": Point(18.18, -66.75)}
    assert geonames == {"00501": Point(40.8154, -73.0451)}


def test_a_cold_start_does_not_import_the_center_search():
    """The first search imports it."""
    modules = [
        f"chalicelib.{name}"
        for name in ("zip_codes", "domain.centers.nearest", "services.centers.search", "routes.centers.search")
    ]
    program = f"import app, sys; from chalicelib import wiring; print([m for m in {modules!r} if m in sys.modules])"

    assert all(importlib.util.find_spec(module) for module in modules)
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
