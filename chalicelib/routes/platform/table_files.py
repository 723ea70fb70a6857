"""A table as a CSV file. `workbooks` makes an Excel workbook of the same table."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TypeAlias

from chalicelib.routes.platform.timestamps import format_timestamp

Cell: TypeAlias = str | int | float | date | datetime | None
"""A time has a zone. None and an empty text are an empty cell."""

_BYTE_ORDER_MARK = "\ufeff"
"""It marks UTF-8, without which Excel guesses another encoding."""
_STARTS_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet program read a cell as a formula, also in the wide forms that some of them accept.
Source: OWASP, "CSV Injection" (read 2026-11)."""


def build_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Build a CSV file with a line for each row. Nothing in it is read as a formula."""
    file = io.StringIO(newline="")
    file.write(_BYTE_ORDER_MARK)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_format_cell(cell) for cell in row])
    return file.getvalue()


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet program could run as a formula."""
    # Spaces, controls and invisible characters may come before it.
    visible = "".join(char for char in text if unicodedata.category(char)[0] not in "CZ")
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) or visible.startswith(_STARTS_FORMULA) else text


def _format_cell(cell: Cell) -> str | float | None:
    match cell:
        case str():
            return escape_formula(cell)
        case datetime():
            return format_timestamp(cell)
        case date():
            return cell.isoformat()
        case _:
            return cell
