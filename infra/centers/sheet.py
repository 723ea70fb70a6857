"""Parses a center CSV file into listings, or lists everything that is wrong with it, by line and column."""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Sequence
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
"""More centers than exist. A file with more rows is the wrong file."""

MAX_BYTES = 100_000_000

_BOM = b"\xef\xbb\xbf"
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters and other hidden characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetFault:
    """What is wrong and where. `line` is the line number in a text editor, from 1."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        """Format the fault as one line of text."""
        location = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{location}: {self.message}"


class SheetError(Exception):
    """The file cannot be imported. Nothing was imported."""

    def __init__(self, faults: Sequence[SheetFault]) -> None:
        """Store all faults."""
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSheet:
    """The content of a file without faults."""

    listings: Sequence[CenterListing]
    digest: str


@dataclass(slots=True)
class _SheetReader:
    """The listings and faults that were found so far."""

    faults: list[SheetFault] = field(default_factory=list)
    listings: list[CenterListing] = field(default_factory=list)
    first_lines: dict[str, int] = field(default_factory=dict)

    def add_fault(self, line: int, column: str | None, message: str) -> None:
        self.faults.append(SheetFault(line=line, column=column, message=message))


def parse_sheet(raw: bytes) -> ParsedSheet:
    """Parse a file into center listings.

    Raises:
        SheetError: lists every fault of every row, or the one fault that prevents reader the rows.
    """
    reader = _SheetReader()
    rows = list_rows(_decode_utf8(raw))
    names = _check_header(next(rows, (1, [])))
    try:
        for line, cells in rows:
            if len(reader.first_lines) >= MAX_ROWS:
                message = f"has more than {MAX_ROWS:,} centers. Is this the right file?"
                raise SheetError([SheetFault(line=line, column=None, message=message)])
            _parse_row(reader, line, names, cells)
    except csv.Error as e:
        reader.add_fault(getattr(e, "line", 1), None, f"cannot be read as CSV ({e})")
    if not reader.listings and not reader.faults:
        reader.add_fault(2, None, "has a header but no centers")
    if reader.faults:
        raise SheetError(reader.faults)
    return ParsedSheet(listings=reader.listings, digest=hashlib.sha256(raw).hexdigest())


def _decode_utf8(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        message = f"has more than {MAX_BYTES:,} bytes. Is this the right file?"
        raise SheetError([SheetFault(line=1, column=None, message=message)])
    text = raw.removeprefix(_BOM)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as e:
        raise SheetError([_build_encoding_fault(text, e.start)]) from None


def _build_encoding_fault(raw: bytes, at: int) -> SheetFault:
    """Locate the first byte that is not UTF-8. Latin-1 decodes the rest, because it accepts every byte."""
    lines = raw[:at].decode("latin-1").split("\n")
    header = next(csv.reader([raw.split(b"\n")[0].decode("latin-1")]), [])
    cell = len(next(csv.reader([lines[-1]]), [""]))
    known = len(lines) > 1 and cell <= len(header) and header[cell - 1].strip() in COLUMN_NAMES
    return SheetFault(
        line=len(lines),
        column=header[cell - 1].strip() if known else None,
        message=f"byte 0x{raw[at]:02x} is not UTF-8. Save the file as CSV UTF-8.",
    )


def list_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """List each row with the line on which it starts. Skip empty lines.

    Raises:
        csv.Error: the text is not CSV; its `line` says where.
    """
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
    messages = [f"column {name} is missing" for name in COLUMN_NAMES if name not in names]
    messages += [f"column {name} appears more than once" for name in COLUMN_NAMES if names.count(name) > 1]
    # Identify an unknown column by its number only, because messages do not repeat the text of the file.
    messages += [
        f"column {number} of the header is not in the template"
        for number, name in enumerate(names, start=1)
        if name not in COLUMN_NAMES
    ]
    if messages:
        raise SheetError([SheetFault(line=line, column=None, message=message) for message in messages])
    return names


def _parse_row(reader: _SheetReader, line: int, names: Sequence[str], cells: Sequence[str]) -> None:
    """Parse one row and collect its faults."""
    if len(cells) != len(names):
        reader.first_lines[f"line {line}"] = line
        reader.add_fault(line, None, f"has {len(cells)} cells, but the header has {len(names)}")
        return
    fault_count = len(reader.faults)
    raw_cells = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    values = {column.name: _parse_cell(reader, line, column.name, raw_cells[column.name]) for column in COLUMNS}
    for first, second in COLUMNS_REQUIRED_TOGETHER:
        if bool(raw_cells[first]) != bool(raw_cells[second]):
            empty, full = (second, first) if raw_cells[first] else (first, second)
            reader.add_fault(line, empty, f"is required when {full} is filled in")
    for product in list_uncertified_products(values) if values["certified_by"] else ():
        reader.add_fault(line, "certified_by", f"does not say who authorized the center for {product}")
    _check_center_id(reader, line, raw_cells["center_id"])
    if len(reader.faults) == fault_count:
        reader.listings.append(build_listing(values))


def _check_center_id(reader: _SheetReader, line: int, center_id: str) -> None:
    first = reader.first_lines.setdefault(center_id or f"line {line}", line)
    if first != line:
        reader.first_lines[f"line {line}"] = line
        reader.add_fault(line, "center_id", f"repeats the ID on line {first}")


def _parse_cell(reader: _SheetReader, line: int, name: str, cell: str) -> Any:
    column = COLUMNS[COLUMN_NAMES.index(name)]
    if not cell:
        if column.is_required:
            reader.add_fault(line, name, "must not be empty")
        return None
    if cell.startswith(_FORMULA_PREFIXES) and not (name in PHONE_COLUMNS and cell[0] == "+"):
        reader.add_fault(line, name, "starts with a formula character, which a spreadsheet would run")
        return None
    if any(unicodedata.category(char) in _HIDDEN_CATEGORIES for char in cell):
        reader.add_fault(line, name, "contains a line break or a hidden character")
        return None
    try:
        return column.parse(cell)
    except ValueError as e:
        reader.add_fault(line, name, str(e))
        return None
