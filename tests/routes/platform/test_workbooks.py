"""Excel workbooks of a table, read by another library."""

import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from chalicelib.routes.platform.workbooks import build_workbook

XML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1)


def read(columns, rows):
    """The sheet of a new workbook."""
    return load_workbook(io.BytesIO(build_workbook("Referrals", columns, rows))).active


def read_cell(cell):
    """The only cell of a new workbook."""
    return read(["One"], [[cell]])["A2"]


def read_text(text):
    """The text of the only cell, as Excel shows it: the library leaves the escapes to its users."""
    cell = read_cell(text)
    assert cell.data_type == "s"
    return unescape(cell.value)


def at(day, clock="00:00"):
    """A time as the library reads it, without a zone."""
    return datetime.fromisoformat(f"{day}T{clock}")


@given(XML_TEXT)
def test_every_text_arrives_as_it_is(text):
    """Also one that looks like a formula, like XML, or like an escape of Excel."""
    assert read_text(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "@A1", "<b>&amp;</b>", "]]>", "_x0041_", "__x0041__", " two  spaces ", "two\nlines"]
)
def test_a_text_with_a_meaning_elsewhere_is_only_text(text):
    """Nothing of it is run, parsed or trimmed."""
    assert read_text(text) == text


def test_characters_that_xml_cannot_have_are_left_out():
    """A file with one of them would not open."""
    assert read_cell("a\x00\x0b\ufffeb").value == "ab"


def test_a_date_is_a_date():
    """With a format that every country reads the same way."""
    cell = read_cell(date(2026, 11, 28))

    assert (cell.value, cell.number_format) == (at("2026-11-28"), "yyyy\\-mm\\-dd")


def test_a_time_is_shown_in_utc():
    """Whatever its zone."""
    cell = read_cell(datetime(2026, 11, 28, 9, 30, tzinfo=timezone(timedelta(hours=-5))))

    assert cell.value == at("2026-11-28", "14:30")
    assert cell.is_date


@pytest.mark.parametrize("day", [date(1900, 2, 28), date(1899, 12, 31)])
def test_a_date_that_excel_would_shift_is_a_text(day):
    """Excel knows a February 29, 1900."""
    assert read_cell(day).value == day.isoformat()


def test_the_first_day_that_excel_knows_right_is_a_date():
    """The day after its invented one."""
    assert read_cell(date(1900, 3, 1)).value == at("1900-03-01")


def test_a_number_is_a_number_and_nothing_is_nothing():
    """An empty text and None are empty cells."""
    sheet = read(["A", "B", "C"], [[7, "", None]])

    assert [cell.value for cell in sheet[2]] == [7, None, None]


def test_the_titles_stay_in_view_and_have_filters():
    """With 30 columns, beyond the letter Z."""
    columns = [f"Title {number}" for number in range(30)]

    sheet = read(columns, [["x"] * 30] * 2)

    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:AD3"
    assert [cell.value for cell in sheet[1]] == columns
    assert all(cell.font.b for cell in sheet[1])


def test_a_column_is_as_wide_as_its_longest_cell():
    """Up to a limit."""
    sheet = read(["Short", "Long"], [["123456789012345", "x" * 200]])

    assert [sheet.column_dimensions[letter].width for letter in "AB"] == [16, 41]


def test_a_workbook_without_rows_has_its_titles():
    """It opens like any other."""
    assert list(read(["One", "Two"], []).values) == [("One", "Two")]


def test_the_same_rows_are_the_same_bytes():
    """A file does not say when it was made."""
    first, again = (build_workbook("Referrals", ["A", "B"], [[datetime(2026, 11, 28, tzinfo=UTC), "x"]]) for _ in "12")

    assert first == again


def test_every_part_has_a_media_type():
    """By its name or its ending (ECMA-376, part 2)."""
    with zipfile.ZipFile(io.BytesIO(build_workbook("Referrals", ["A"], [["x"]]))) as archive:
        names = {name for name in archive.namelist() if not name.endswith(".rels")}
        types = archive.read("[Content_Types].xml").decode()

    assert set(re.findall(r'PartName="/([^"]+)"', types)) | {"[Content_Types].xml"} == names
