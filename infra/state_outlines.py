"""Writes `chalicelib/web/centers/state_shapes.js`, the outlines of the states, from published data.

    python -m infra.state_outlines            download the pinned package and write the file
    python -m infra.state_outlines --check    only check whether the file is up to date

The outlines are the Census Bureau's cartographic boundary files of 2017 (public domain), as the npm
package us-atlas (ISC) redistributes them. Details that a small map cannot show are left out.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

from infra.vendor_web import WEB, NpmPackage, fetch_package, read_archive_member

OUTPUT_FILE = WEB / "centers" / "state_shapes.js"

ATLAS = NpmPackage(
    name="us-atlas",
    version="3.0.1",
    integrity="sha512-wEIZCq0ImPvGblTd8gZMqNNCPkQshugMUG/8nkSWXb02+XqNFREg9atHOKP9w6prLZTpqcLhSvdBW81MkV3/0Q==",
    license="ISC",
)

UNITS_PER_DEGREE = 50
TOLERANCE = 0.045
"""The maximum error of a simplified line, in degrees. About three miles."""

MIN_LINE_SIZE = 0.12
"""A smaller island, in degrees, is left out unless it belongs to a territory."""

TERRITORIES_SOUTH_OF = 19.0

_FIRST_CHARACTER = 63

_BANNER = """\
// Outlines of the states: Census Bureau, cartographic boundary files of 2017 (public domain),
// simplified by infra/state_outlines.py. Each outline is a line of longitudes and latitudes in 1/50
// of a degree, encoded as differences with Google's polyline algorithm.
"""

Polyline = list[tuple[float, float]]


def list_lines(topology: Mapping[str, Any]) -> Iterator[Polyline]:
    """List the lines of a topology in degrees. A border between two states is one line."""
    (x_scale, y_scale), (x_first, y_first) = (topology["transform"]["scale"], topology["transform"]["translate"])
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            line.append((x * x_scale + x_first, y * y_scale + y_first))
        yield line


def is_visible(line: Polyline) -> bool:
    """Whether a line is large enough to be visible, or belongs to a territory."""
    xs, ys = zip(*line, strict=True)
    is_closed = line[0] == line[-1]
    is_large = max(max(xs) - min(xs), max(ys) - min(ys)) >= MIN_LINE_SIZE
    return is_large or not is_closed or ys[0] < TERRITORIES_SOUTH_OF


def simplify(line: Polyline) -> Polyline:
    """Return the fewest points of the line that stay within the tolerance (Douglas-Peucker)."""
    kept, pending = {0, len(line) - 1}, [(0, len(line) - 1)]
    while pending:
        first, last = pending.pop()
        between = range(first + 1, last)
        farthest = max(between, key=lambda i: _compute_distance(line[i], line[first], line[last]), default=0)
        if farthest and _compute_distance(line[farthest], line[first], line[last]) > TOLERANCE:
            kept.add(farthest)
            pending += [(first, farthest), (farthest, last)]
    return [line[i] for i in sorted(kept)]


def _compute_distance(point: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Compute the distance of a point from the segment between two others, in degrees of latitude."""
    shrink = cos(radians(point[1]))
    px, py = (point[0] - a[0]) * shrink, point[1] - a[1]
    bx, by = (b[0] - a[0]) * shrink, b[1] - a[1]
    length = bx * bx + by * by
    along = max(0.0, min(1.0, (px * bx + py * by) / length)) if length else 0.0
    return hypot(px - along * bx, py - along * by)


def encode_polyline(line: Polyline) -> str:
    """Encode a line as text. Source: Google Maps Platform, "Encoded Polyline Algorithm Format"."""
    previous = (0, 0)
    numbers: list[int] = []
    for x, y in line:
        point = (round(x * UNITS_PER_DEGREE), round(y * UNITS_PER_DEGREE))
        if numbers and point == previous:
            continue
        numbers += [point[0] - previous[0], point[1] - previous[1]]
        previous = point
    return "".join(_encode_number(number) for number in numbers)


def _encode_number(number: int) -> str:
    rest = ~(number << 1) if number < 0 else number << 1
    text = ""
    while rest >= 0x20:
        text += chr((0x20 | (rest & 0x1F)) + _FIRST_CHARACTER)
        rest >>= 5
    return text + chr(rest + _FIRST_CHARACTER)


def build_module(topology: Mapping[str, Any]) -> str:
    """Build the JavaScript module."""
    lines = [encode_polyline(simplify(line)) for line in list_lines(topology) if is_visible(line)]
    # An encoded line never contains a space.
    text = json.dumps(" ".join(lines))
    return f'{_BANNER}export const stateShapes = {text}.split(" ");\n'


def main() -> None:
    """Run the command line described at the top."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit with code 1 if the file is out of date")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fetch_package(ATLAS, Path(folder)) as archive:
        module = build_module(json.loads(read_archive_member(archive, "package/states-10m.json")))
    if options.check:
        is_current = OUTPUT_FILE.read_text() == module
        sys.exit(None if is_current else "state_shapes.js is out of date. Run: python -m infra.state_outlines")
    OUTPUT_FILE.write_text(module)


if __name__ == "__main__":
    main()
