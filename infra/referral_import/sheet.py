"""Parses an import file into referrals, or lists everything that is wrong with it, by line and column."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from chalicelib.domain.referrals.history_start import REFERRED_ON
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import MalformedError
from chalicelib.routes.platform.validation import validate_json
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from infra.centers.saved_files import SheetError, SheetFault, decode_table, fit_row, list_rows, normalize_header
from infra.referral_import.columns import (
    REQUIRED_COLUMNS,
    ROW_ID,
    STEP_COLUMNS,
    build_body,
    find_column,
    find_kind,
    parse_cell,
)

MAX_ROWS = 10_000
"""More patients than a practice refers in years. A file with more rows is the wrong file."""

MAX_BYTES = 100_000_000

_MAX_ROW_ID_LENGTH = 80

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One patient of a file.

    Attributes:
        line: The line number in a text editor, from 1.
        row_id: The id of the row in the practice's own list; the same row is never imported twice.
        body: The referral as a practice would send it.
        steps: The day of each step of the center, in the order of the columns' stages.
        columns: The columns of the file.
    """

    line: int
    row_id: str
    body: ReferralRequest
    steps: Mapping[Stage, date]
    columns: Sequence[str]


@dataclass(slots=True)
class _Reader:
    names: Sequence[str]
    rows: list[ImportRow] = field(default_factory=list)
    faults: list[SheetFault] = field(default_factory=list)
    first_lines: dict[str, int] = field(default_factory=dict)

    def add_fault(self, line: int, column: str | None, message: str) -> None:
        self.faults.append(SheetFault(line=line, column=column, message=message))


def parse_sheet(raw: bytes) -> Sequence[ImportRow]:
    """Parse a file.

    Raises:
        SheetError: lists every fault of every row, or the fault that prevents reading the rows.
    """
    rows = list_rows(_decode(raw))
    try:
        line, header = next(rows, (1, []))
        reader = _Reader(_check_header(line, header))
        for count, (line, cells) in enumerate(rows):
            if count >= MAX_ROWS:
                raise SheetError([_build_fault(line, f"has more than {MAX_ROWS:,} rows. Is this the right file?")])
            _parse_row(reader, line, cells)
    except csv.Error as e:
        fault = _build_fault(getattr(e, "line", 1), "cannot be read as CSV. Export the file again.")
        raise SheetError([fault]) from None
    if not reader.rows and not reader.faults:
        reader.add_fault(2, None, "has a header but no rows")
    if reader.faults:
        raise SheetError(reader.faults)
    return reader.rows


def _build_fault(line: int, message: str) -> SheetFault:
    return SheetFault(line=line, column=None, message=message)


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise SheetError([_build_fault(1, f"has more than {MAX_BYTES:,} bytes. Is this the right file?")])
    try:
        return decode_table(raw)
    except UnicodeDecodeError as e:
        line = e.object[: e.start].count(b"\n") + 1
        raise SheetError([_build_fault(line, "is not UTF-8. Save the file as CSV UTF-8.")]) from None


def _check_header(line: int, cells: Sequence[str]) -> Sequence[str]:
    names = normalize_header(cells)
    messages = [f"column {name} is missing" for name in REQUIRED_COLUMNS if name not in names]
    # Identify a column by its number only, because messages do not repeat the text of the file.
    messages += [
        f"column {number} of the header appears more than once"
        for number, name in enumerate(names, start=1)
        if name in names[: number - 1]
    ]
    messages += [
        f"column {number} of the header is not a field of a referral"
        for number, name in enumerate(names, start=1)
        if name != ROW_ID and name not in STEP_COLUMNS and find_kind(name) is None
    ]
    if messages:
        raise SheetError([_build_fault(line, message) for message in messages])
    return names


def _parse_row(reader: _Reader, line: int, cells: Sequence[str]) -> None:
    cells = fit_row(cells, len(reader.names))
    if len(cells) != len(reader.names):
        reader.add_fault(line, None, f"has {len(cells)} cells, but the header has {len(reader.names)}")
        return
    fault_count = len(reader.faults)
    filled = {name: cell.strip() for name, cell in zip(reader.names, cells, strict=True) if cell.strip()}
    row_id = filled.pop(ROW_ID, "")
    _check_row_id(reader, line, row_id)
    for name in REQUIRED_COLUMNS:
        if name != ROW_ID and name not in filled:
            reader.add_fault(line, name, "must not be empty")
    steps = _parse_steps(reader, line, {name: cell for name, cell in filled.items() if name in STEP_COLUMNS})
    values = {}
    for name, cell in filled.items():
        if name not in STEP_COLUMNS:
            try:
                values[name] = parse_cell(find_kind(name), cell)
            except ValueError as e:
                reader.add_fault(line, name, str(e))
    if len(reader.faults) > fault_count:
        return
    body = _validate_body(reader, line, build_body(values))
    if body:
        reader.rows.append(ImportRow(line=line, row_id=row_id, body=body, steps=steps, columns=reader.names))


def _check_row_id(reader: _Reader, line: int, row_id: str) -> None:
    if not row_id or len(row_id) > _MAX_ROW_ID_LENGTH:
        reader.add_fault(line, ROW_ID, f"must have 1 to {_MAX_ROW_ID_LENGTH} characters")
        return
    first = reader.first_lines.setdefault(row_id, line)
    if first != line:
        reader.add_fault(line, ROW_ID, f"repeats the ID on line {first}")


def _parse_steps(reader: _Reader, line: int, cells: Mapping[str, str]) -> Mapping[Stage, date]:
    steps = {}
    for name, stage in STEP_COLUMNS.items():
        cell = cells.get(name)
        if cell is None:
            continue
        on = _parse_day(cell)
        if on is None:
            reader.add_fault(line, name, "Enter a date as YYYY-MM-DD.")
        else:
            steps[stage] = on
    return steps


def _parse_day(cell: str) -> date | None:
    """Read a date as YYYY-MM-DD, the only format of the API."""
    if not _DAY.fullmatch(cell):
        return None
    try:
        return date.fromisoformat(cell)
    except ValueError:
        return None


def _validate_body(reader: _Reader, line: int, body: Mapping[str, Any]) -> ReferralRequest | None:
    try:
        return validate_json(ReferralRequest, json.dumps(body).encode())
    except MalformedError as e:
        for error in e.errors:
            reader.add_fault(line, find_column(error.pointer, reader.names), error.message)
        return None


def find_first_step_column(row: ImportRow) -> str:
    """Find the first step column that a row fills, or the column of the day of the referral."""
    return next((f"{stage}_on" for stage in row.steps), REFERRED_ON)
