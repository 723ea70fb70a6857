"""Parses a center CSV file into listings, or lists everything that is wrong with it, by line and column."""

import csv
import hashlib
import unicodedata
from collections.abc import Sequence
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
from infra.centers.plausible import check_time_zone, restore_zeros
from infra.centers.publishing import CenterListing
from infra.centers.saved_files import SheetError, SheetFault, decode_table, fit_row, list_rows, normalize_header

MAX_ROWS = 10_000
"""More centers than exist. A file with more rows is the wrong file."""

MAX_BYTES = 100_000_000

_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters and other hidden characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedSheet:
    """The content of a file without faults. Warnings name what is probably wrong; they stop nothing."""

    listings: Sequence[CenterListing]
    warnings: Sequence[SheetFault]
    digest: str


@dataclass(slots=True)
class _SheetReader:
    """The listings and faults that were found so far."""

    faults: list[SheetFault] = field(default_factory=list)
    warnings: list[SheetFault] = field(default_factory=list)
    listings: list[CenterListing] = field(default_factory=list)
    first_lines: dict[str, int] = field(default_factory=dict)

    def add_fault(self, line: int, column: str | None, message: str) -> None:
        self.faults.append(SheetFault(line=line, column=column, message=message))

    def add_warning(self, line: int, column: str, message: str) -> None:
        self.warnings.append(SheetFault(line=line, column=column, message=message))


def parse_sheet(raw: bytes) -> ParsedSheet:
    """Parse a file into center listings.

    Raises:
        SheetError: lists every fault of every row, or the one fault that prevents reader the rows.
    """
    reader = _SheetReader()
    rows = list_rows(_decode(raw))
    try:
        names = _check_header(next(rows, (1, [])))
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
    return ParsedSheet(
        listings=reader.listings, warnings=tuple(reader.warnings), digest=hashlib.sha256(raw).hexdigest()
    )


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        message = f"has more than {MAX_BYTES:,} bytes. Is this the right file?"
        raise SheetError([SheetFault(line=1, column=None, message=message)])
    try:
        return decode_table(raw)
    except UnicodeDecodeError as e:
        raise SheetError([_build_encoding_fault(e.object, e.start)]) from None


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


def _check_header(row: tuple[int, list[str]]) -> Sequence[str]:
    line, cells = row
    names = normalize_header(cells)
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
    cells = _fit_cells(cells, names)
    if len(cells) != len(names):
        reader.first_lines[f"line {line}"] = line
        reader.add_fault(line, None, f"has {len(cells)} cells, but the header has {len(names)}")
        return
    fault_count = len(reader.faults)
    raw_cells = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
    _restore_zip(reader, line, raw_cells)
    values = {column.name: _parse_cell(reader, line, column.name, raw_cells[column.name]) for column in COLUMNS}
    for first, second in COLUMNS_REQUIRED_TOGETHER:
        if bool(raw_cells[first]) != bool(raw_cells[second]):
            empty, full = (second, first) if raw_cells[first] else (first, second)
            reader.add_fault(line, empty, f"is required when {full} is filled in")
    for product in list_uncertified_products(values) if values["certified_by"] else ():
        reader.add_fault(line, "certified_by", f"does not say who authorized the center for {product}")
    _check_center_id(reader, line, raw_cells["center_id"])
    if len(reader.faults) == fault_count:
        unlikely = check_time_zone(values["time_zone"], values["state"])
        if unlikely:
            reader.add_warning(line, "time_zone", unlikely)
        reader.listings.append(build_listing(values))


def _fit_cells(cells: Sequence[str], names: Sequence[str]) -> list[str]:
    """A row as wide as the header. Programs add empty cells at the end, or omit them if nothing follows."""
    fitted = fit_row(cells, len(names))
    omitted = names[len(fitted) :]
    if all(not COLUMNS[COLUMN_NAMES.index(name)].is_required for name in omitted):
        fitted += [""] * len(omitted)
    return fitted


def _restore_zip(reader: _SheetReader, line: int, raw_cells: dict[str, str]) -> None:
    """Put back the zeros that a spreadsheet dropped from a ZIP code, and say so."""
    restored = restore_zeros(raw_cells["zip"], raw_cells["state"].upper())
    if restored:
        raw_cells["zip"] = restored
        reader.add_warning(line, "zip", "had lost its leading zeros, which were put back. Format the column as text")


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
