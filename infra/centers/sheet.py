"""A file of centers: its bytes as listings, or everything that is wrong with it, by place."""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.centers.columns import (
    COLUMN_NAMES,
    COLUMNS,
    COLUMNS_REQUIRED_TOGETHER,
    PHONE_COLUMNS,
    build_listing,
    list_uncertified_products,
)
from infra.centers.publishing import CenterListing

MAX_ROWS = 10_000
"""More centers than there are; a file with more is another file."""

MAX_BYTES = 100_000_000

_BOM = b"\xef\xbb\xbf"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_SHOWN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFault:
    """What is wrong, and where: `line` as an editor counts them, from 1."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        """As one line for a person."""
        where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where}: {self.message}"


class SheetError(Exception):
    """The file cannot be imported; nothing of it was."""

    def __init__(self, faults: Sequence[SheetFault]) -> None:
        """Say all that is wrong."""
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSheet:
    """A file without a fault."""

    listings: Sequence[CenterListing]
    digest: str


@dataclass(slots=True)
class _SheetReader:
    """What was found so far."""

    faults: list[SheetFault] = field(default_factory=list)
    listings: list[CenterListing] = field(default_factory=list)
    first_lines: dict[str, int] = field(default_factory=dict)

    def add_fault(self, line: int, column: str | None, message: str) -> None:
        self.faults.append(SheetFault(line=line, column=column, message=message))


def parse_sheet(raw: bytes) -> ParsedSheet:
    """The centers of a file.

    Raises:
        SheetError: names every fault of every row, or the one that kept us from reading rows.
    """
    reading = _SheetReader()
    rows = _list_rows(_decode_utf8(raw))
    names = _check_header(next(rows, (1, [])))
    try:
        for line, cells in rows:
            if len(reading.first_lines) >= MAX_ROWS:
                message = f"more than {MAX_ROWS:,} centers: is this the right file?"
                raise SheetError([SheetFault(line=line, column=None, message=message)])
            _parse_row(reading, line, names, cells)
    except csv.Error as e:
        reading.add_fault(getattr(e, "line", 1), None, f"cannot be read as CSV ({e})")
    if not reading.listings and not reading.faults:
        reading.add_fault(2, None, "has no row: a header and no center")
    if reading.faults:
        raise SheetError(reading.faults)
    return ParsedSheet(listings=reading.listings, digest=hashlib.sha256(raw).hexdigest())


def _decode_utf8(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        message = f"more than {MAX_BYTES:,} bytes: is this the right file?"
        raise SheetError([SheetFault(line=1, column=None, message=message)])
    text = raw.removeprefix(_BOM)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as e:
        raise SheetError([_build_encoding_fault(text, e.start)]) from None


def _build_encoding_fault(raw: bytes, at: int) -> SheetFault:
    """Where the first byte stands that is not UTF-8; Latin-1 has a character for every byte."""
    lines = raw[:at].decode("latin-1").split("\n")
    header = next(csv.reader([raw.split(b"\n")[0].decode("latin-1")]), [])
    cell = len(next(csv.reader([lines[-1]]), [""]))
    known = len(lines) > 1 and cell <= len(header) and header[cell - 1].strip() in COLUMN_NAMES
    return SheetFault(
        line=len(lines),
        column=header[cell - 1].strip() if known else None,
        message=f"byte 0x{raw[at]:02x} is not UTF-8: save the file as CSV UTF-8",
    )


def _list_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as e:
            e.line = line  # type: ignore[attr-defined]
            raise
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _check_header(row: tuple[int, list[str]]) -> Sequence[str]:
    line, cells = row
    names = [cell.strip() for cell in cells]
    wrong = [f"there is no column {name}" for name in COLUMN_NAMES if name not in names]
    wrong += [f"column {name} stands there twice" for name in COLUMN_NAMES if names.count(name) > 1]
    # A name that is not ours is the file's own text: told by its place alone.
    wrong += [
        f"column {number} of the header is not one of the template's"
        for number, name in enumerate(names, start=1)
        if name not in COLUMN_NAMES
    ]
    if wrong:
        raise SheetError([SheetFault(line=line, column=None, message=message) for message in wrong])
    return names


def _parse_row(reading: _SheetReader, line: int, names: Sequence[str], cells: Sequence[str]) -> None:
    """Read one row; what is wrong with it is noted."""
    if len(cells) != len(names):
        reading.first_lines[f"line {line}"] = line
        reading.add_fault(line, None, f"has {len(cells)} cells, the header has {len(names)}")
        return
    before = len(reading.faults)
    given = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    cells_by_name = {column.name: _parse_cell(reading, line, column.name, given) for column in COLUMNS}
    for one, other in COLUMNS_REQUIRED_TOGETHER:
        if bool(given[one]) != bool(given[other]):
            empty = other if given[one] else one
            full = one if given[one] else other
            reading.add_fault(line, empty, f"must be filled in where {full} is")
    for product in list_uncertified_products(cells_by_name) if cells_by_name["certified_by"] else ():
        reading.add_fault(line, "certified_by", f"does not say who authorized it for {product}")
    _check_center_id(reading, line, given["center_id"])
    if len(reading.faults) == before:
        reading.listings.append(build_listing(cells_by_name))


def _check_center_id(reading: _SheetReader, line: int, center_id: str) -> None:
    first = reading.first_lines.setdefault(center_id or f"line {line}", line)
    if first != line:
        reading.first_lines[f"line {line}"] = line
        reading.add_fault(line, "center_id", f"is the id of line {first} as well")


def _parse_cell(reading: _SheetReader, line: int, name: str, raw_cell: Mapping[str, str]) -> Any:
    column, cell = COLUMNS[COLUMN_NAMES.index(name)], raw_cell[name]
    if not cell:
        if column.is_required:
            reading.add_fault(line, name, "must not be empty")
        return None
    if cell.startswith(_STARTS_A_FORMULA) and not (name in PHONE_COLUMNS and cell[0] == "+"):
        reading.add_fault(line, name, "begins as a formula does, which a spreadsheet would run")
        return None
    if any(unicodedata.category(char) in _NOT_SHOWN for char in cell):
        reading.add_fault(line, name, "holds a line break, a control character or an invisible mark")
        return None
    try:
        return column.parse(cell)
    except ValueError as e:
        reading.add_fault(line, name, str(e))
        return None
