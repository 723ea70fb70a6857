"""Where ZIP codes are: one packed file, loaded when first needed.

`python -m infra.build_zip_codes` writes `zips.bin`. All numbers are little-endian:

    1000 x 13 bytes   for each 3-digit prefix, a bitmap of the ZIP codes that exist
    1000 x uint16     how many ZIP codes come before these
    1000 x 2 x int32  where the first of them is: latitude, longitude
    n x 2 bytes       how much farther north each is than the one before it: low, then high bytes
    n x 2 bytes       how much farther east, in the same form

The unit is 1/200 of a degree, and all longitudes count west of Greenwich. A look-up adds about forty
small numbers, so nothing needs to be unpacked when the file is loaded.
"""

import re
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from chalicelib.domain.centers.geo import Point

AS_OF, REVIEW_BY = "2026-11-22", "2027-11-22"
"""The day on which the sources of `zips.bin` were read, and the day of the next review, a year later."""

UNITS_PER_DEGREE = 200
PREFIXES = 1000
MAP_BYTES = 13

_ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)


class ZipTable(NamedTuple):
    """The parts of the file, in its order. `maps` are the bitmaps."""

    maps: bytes
    counts: Sequence[int]
    firsts: Sequence[int]
    north: Sequence[int]
    east: Sequence[int]


def find_zip_point(zip_code: str) -> Point | None:
    """The approximate location of a ZIP code of 5 or 5+4 digits; None if it does not exist or is abroad.

    Military ZIP codes abroad (APO, FPO, DPO) have no location.

    Raises:
        ValueError: It does not have the form of a ZIP code.
    """
    if not _ZIP.fullmatch(zip_code):
        raise ValueError("not a ZIP code")
    return find_in_table(_load_table(), zip_code)


def find_in_table(table: ZipTable, zip_code: str) -> Point | None:
    """The location of a ZIP code in a table; None if the table does not have it."""
    prefix, last = int(zip_code[:3]), int(zip_code[3:5])
    bits = int.from_bytes(table.maps[prefix * MAP_BYTES : (prefix + 1) * MAP_BYTES], "little")
    if not bits >> last & 1:
        return None
    first = table.counts[prefix]
    end = first + (bits & ((2 << last) - 1)).bit_count()
    latitude = table.firsts[2 * prefix] + sum(table.north[first:end])
    longitude = table.firsts[2 * prefix + 1] + sum(table.east[first:end])
    east_of_the_date_line = longitude < -180 * UNITS_PER_DEGREE
    return Point(
        latitude=latitude / UNITS_PER_DEGREE, longitude=longitude / UNITS_PER_DEGREE + 360 * east_of_the_date_line
    )


def count_zip_codes() -> int:
    """How many ZIP codes the file has."""
    return len(_load_table().north)


def clear_cache() -> None:
    """Unload the file, as in a new process."""
    _load_table.cache_clear()


@cache
def _load_table() -> ZipTable:
    return unpack_table((files(__name__) / "zips.bin").read_bytes())


def unpack_table(raw: bytes) -> ZipTable:
    """Split the bytes of a file into its parts."""
    maps_size, counts_size, firsts_size = (PREFIXES * width for width in (MAP_BYTES, 2, 8))
    maps, counts, firsts = raw[:maps_size], raw[maps_size : maps_size + counts_size], raw[maps_size + counts_size :]
    steps = firsts[firsts_size:]
    half = len(steps) // 2
    return ZipTable(
        maps=maps,
        counts=array("H", counts),
        firsts=array("i", firsts[:firsts_size]),
        north=_join_byte_planes(steps[:half]),
        east=_join_byte_planes(steps[half:]),
    )


def _join_byte_planes(planes: bytes) -> Sequence[int]:
    """Numbers of two bytes, stored as all low bytes and then all high bytes, which compresses better."""
    half = len(planes) // 2
    both = bytearray(len(planes))
    both[0::2], both[1::2] = planes[:half], planes[half:]
    return array("h", bytes(both))
