"""Reads a table as Excel, LibreOffice and Google Sheets save it: which encoding, which separator, which rows.

Excel saves "CSV UTF-8" with a byte order mark, "Unicode Text" as UTF-16 with tabs, and CSV with semicolons where
the comma is the decimal sign; it also writes and reads a first line `sep=;`. A workbook (.xlsx, .xls, .ods) is
no table, whatever its name is.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORKBOOK = (
    "is a workbook (such as .xlsx, .xls, or .ods), not a CSV file. Open it in the program that saved it,"
    " and save it as CSV UTF-8."
)
_WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""A zip, which .xlsx and .ods are, and an OLE file, which .xls is."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    # UTF-32 is not here: its little-endian mark begins like that of UTF-16, and no spreadsheet writes it.
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SEPARATORS = (",", ";", "\t")


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


def decode_table(raw: bytes) -> str:
    """Decode a file.

    Raises:
        SheetError: the file is a workbook, or UTF-16 that was cut.
        UnicodeDecodeError: the file is not UTF-8; `object` and `start` say where.
    """
    if raw.startswith(_WORKBOOK_STARTS):
        raise SheetError([SheetFault(line=1, column=None, message=WORKBOOK)])
    encoding, content = _find_encoding(raw)
    if encoding == "utf-8":
        return content.decode("utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        message = "is UTF-16 text that cannot be read. Save the file as CSV UTF-8."
        raise SheetError([SheetFault(line=1, column=None, message=message)]) from None


def _find_encoding(raw: bytes) -> tuple[str, bytes]:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return encoding, raw.removeprefix(mark)
    # A header is ASCII: in UTF-16 every other byte is zero, in UTF-8 none is.
    if raw[1:2] == b"\0":
        return "utf-16-le", raw
    return ("utf-16-be", raw) if raw[:1] == b"\0" else ("utf-8", raw)


def list_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """List each row with the line on which it starts. Skip empty lines, and the line `sep=`.

    Raises:
        csv.Error: the text is not CSV; its `line` says where.
    """
    separator, line = _find_separator(text)
    lines = io.StringIO(text, newline="")
    for _ in range(line - 1):
        lines.readline()
    reader = csv.reader(lines, strict=True, delimiter=separator)
    skipped = line - 1
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
        line = reader.line_num + 1 + skipped


def _find_separator(text: str) -> tuple[str, int]:
    """The separator, and the line on which the table starts: the one that makes the most cells of the header."""
    lines = io.StringIO(text, newline="")
    first = lines.readline().strip("\r\n")
    named = first.strip().strip('"')
    if named.lower().startswith("sep=") and len(named) == len("sep=") + 1:
        return named[-1], 2
    if first.lower().rstrip(" ") == "sep=\t":
        return "\t", 2
    while not first.strip(" ,;\t") and (line := lines.readline()):
        first = line.strip("\r\n")
    return max(_SEPARATORS, key=first.count), 1


def normalize_header(cells: Sequence[str]) -> list[str]:
    """The names of the columns as the product spells them; a spreadsheet's empty columns at the end are dropped."""
    names = ["_".join(cell.strip().casefold().replace("-", " ").split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def fit_row(cells: Sequence[str], width: int) -> list[str]:
    """A row without the empty cells beyond the last column of the header."""
    fitted = list(cells)
    while len(fitted) > width and not fitted[-1].strip():
        fitted.pop()
    return fitted
