"""Where ZIP codes are: one packed file, loaded when first asked for.

`zips.bin` holds all numbers little-endian, as `python -m infra.build_zip_codes` wrote them:

    1000 x 13 bytes   for each first three digits, which of the hundred ZIP codes there are
    1000 x uint16     how many ZIP codes come before these
    1000 x 2 x int32  where the first of them is: latitude, longitude
    n x 2 bytes       how much further north each is than the one before it: low, then high bytes
    n x 2 bytes       how much further east, likewise

in units of 1/200 of a degree, longitudes all west of Greenwich. A look-up adds up some forty
small numbers, so that loading need not unpack anything.
"""

import re
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from chalicelib.domain.centers.geo import Point

UNITS_PER_DEGREE = 200
PREFIXES = 1000
MAP_BYTES = 13

_ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)


class ZipTable(NamedTuple):
    """The parts of the file, in its order."""

    maps: bytes
    counts: Sequence[int]
    firsts: Sequence[int]
    north: Sequence[int]
    east: Sequence[int]


def find_zip_point(zip_code: str) -> Point | None:
    """About where a ZIP code of 5 or 5+4 digits is; None if there is none such, or it is abroad.

    Military mail (APO, FPO, DPO) abroad has no place.

    Raises:
        ValueError: it is not spelled as a ZIP code.
    """
    if not _ZIP.fullmatch(zip_code):
        raise ValueError("not a ZIP code")
    return find_in_table(_load_table(), zip_code)


def find_in_table(table: ZipTable, zip_code: str) -> Point | None:
    """Where a table has a ZIP code, if it has it."""
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
    """How many ZIP codes are known."""
    return len(_load_table().north)


def clear_cache() -> None:
    """Let go of the file, as a new process would not have it yet."""
    _load_table.cache_clear()


@cache
def _load_table() -> ZipTable:
    return unpack_table((files(__name__) / "zips.bin").read_bytes())


def unpack_table(raw: bytes) -> ZipTable:
    """The parts of a file's bytes."""
    there, counted, placed = (PREFIXES * width for width in (MAP_BYTES, 2, 8))
    maps, counts, firsts = raw[:there], raw[there : there + counted], raw[there + counted :]
    steps = firsts[placed:]
    half = len(steps) // 2
    return ZipTable(
        maps=maps,
        counts=array("H", counts),
        firsts=array("i", firsts[:placed]),
        north=_join_byte_planes(steps[:half]),
        east=_join_byte_planes(steps[half:]),
    )


def _join_byte_planes(planes: bytes) -> Sequence[int]:
    """Numbers of two bytes, all low bytes having come first: so they pack into less."""
    half = len(planes) // 2
    both = bytearray(len(planes))
    both[0::2], both[1::2] = planes[:half], planes[half:]
    return array("h", bytes(both))
