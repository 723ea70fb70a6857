"""A table as an Excel workbook with one sheet.

An .xlsx file is a ZIP archive of XML parts (ECMA-376, Office Open XML, parts 1 and 2). Texts are inline strings,
which no program runs as a formula, so they stay as they are. Dates and times are numbers with a format, so they
sort and filter as dates. The first row stays in view and has filters. Decision 0084 says why this is our own code.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from string import ascii_uppercase
from xml.sax.saxutils import escape

from chalicelib.routes.platform.table_files import Cell

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_CONTENT_TYPES = f"""{_HEAD}<Types xmlns="{_PACKAGE}/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>\
<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_CONTENT}.worksheet+xml"/></Types>"""

_RELATIONSHIPS = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"""

_WORKBOOK_RELATIONSHIPS = f"""{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">\
<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>\
<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>"""

_TEXT, _DATE, _TIME, _TITLE = range(4)
"""The formats of cells, as `_STYLES` numbers them."""

_STYLES = f"""{_HEAD}<styleSheet xmlns="{_MAIN}">\
<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>\
<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>\
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""

_DAY_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1900, 3, 1)
"""Before it, the numbers of Excel are off by one, because it knows a February 29, 1900."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Excel reads `_x0041_` in a text as "A", so the underscore is escaped itself (ECMA-376, part 1, 22.9.2.19)."""

_WIDEST = 40
"""Of a column, in characters."""
_EARLIEST_IN_ZIP = (1980, 1, 1, 0, 0, 0)


def build_workbook(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """Build the file.

    Args:
        title: The name of the sheet, up to 31 letters and spaces.
        columns: The titles of the columns.
        rows: The cells below them, as many as there are columns. Times are shown in UTC.
    """
    workbook = (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{escape(title)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    parts = {
        "[Content_Types].xml": _CONTENT_TYPES,
        "_rels/.rels": _RELATIONSHIPS,
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": _WORKBOOK_RELATIONSHIPS,
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": _build_sheet(columns, rows),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            # The same rows are the same bytes, so a file does not say when it was made.
            entry = zipfile.ZipInfo(name, _EARLIEST_IN_ZIP)
            archive.writestr(entry, part.encode(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _build_sheet(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    letters = [_name_column(number) for number in range(len(columns))]
    widths = [
        min(max([len(title) + 4, *(_measure(row[number]) for row in rows)]), _WIDEST)
        for number, title in enumerate(columns)
    ]
    shapes = "".join(
        f'<col min="{number}" max="{number}" width="{width + 1}" customWidth="1"/>'
        for number, width in enumerate(widths, start=1)
    )
    lines = [_build_row(1, letters, columns, style=_TITLE)]
    lines += [_build_row(number, letters, row) for number, row in enumerate(rows, start=2)]
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{shapes}</cols><sheetData>{''.join(lines)}</sheetData>"
        f'<autoFilter ref="A1:{letters[-1]}{len(rows) + 1}"/></worksheet>'
    )


def _name_column(number: int) -> str:
    """Name a column by its number from 0: A to Z, then AA."""
    before, last = divmod(number, len(ascii_uppercase))
    return (_name_column(before - 1) if before else "") + ascii_uppercase[last]


def _measure(cell: Cell) -> int:
    """How wide a cell is, in characters."""
    return len("2026-11-28 14:30") if isinstance(cell, datetime) else len(str(cell or ""))


def _build_row(number: int, letters: Sequence[str], cells: Sequence[Cell], *, style: int = _TEXT) -> str:
    built = [_build_cell(f"{letter}{number}", cell, style) for letter, cell in zip(letters, cells, strict=True)]
    return f'<row r="{number}">{"".join(built)}</row>'


def _build_cell(place: str, cell: Cell, style: int) -> str:
    match cell:
        case None | "":
            return ""
        case datetime():
            since = cell.astimezone(UTC).replace(tzinfo=None) - datetime.combine(_DAY_ZERO, datetime.min.time())
            return f'<c r="{place}" s="{_TIME}"><v>{since / timedelta(days=1)}</v></c>'
        case date() if cell >= _FIRST_DAY:
            return f'<c r="{place}" s="{_DATE}"><v>{(cell - _DAY_ZERO).days}</v></c>'
        case int() | float():
            return f'<c r="{place}" s="{style}"><v>{cell}</v></c>'
        case _:
            text = escape(_LOOKS_ESCAPED.sub("_x005F_", _NOT_XML.sub("", str(cell))))
            return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
