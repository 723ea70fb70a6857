"""Parsing of a center CSV file: what it contains, and every kind of fault."""

import csv
import io

import pytest

from chalicelib.zip_codes import find_zip_point
from infra.centers import saved_files, sheet
from infra.centers.columns import COLUMN_NAMES, STATES
from infra.centers.plausible import ZERO_PREFIXES_BY_STATE, ZONES_BY_STATE

ROW = {
    "center_id": "ctr_lagoon",
    "name": "Lagoon Cell Therapy",
    "city": "San Juan",
    "state": "PR",
    "zip": "00901",
    "time_zone": "America/Puerto_Rico",
    "listed": "yes",
    "accepts_new": "yes",
    "age_group": "adult",
    "products": "breyanzi: LBCL FL; abecma: MM",
    "certified_by": "Fictional Board",
    "certified_as_of": "2026-07-01",
    "days_to_consultation": "14",
    "capacity_as_of": "2026-11-20T15:00:00Z",
    "payer_networks": "Example Health; Example Medicare",
    "payers_as_of": "2026-10-01",
    "intake_phone": "+17875550110",
    "after_hours_phone": "(787) 555-0119",
    "coordinator_name": "Referral coordinator",
    "coordinator_phone": "787.555.0111",
    "source": "Invented",
    "verified_on": "2026-11-01",
    "fictional": "yes",
}


def build_file(*rows, names=COLUMN_NAMES):
    """Build a file with these rows."""
    out = io.StringIO()
    table = csv.DictWriter(out, names)
    table.writeheader()
    table.writerows({name: row[name] for name in names} for row in rows)
    return out.getvalue().encode()


def list_faults(raw):
    """List the faults of a file as text."""
    with pytest.raises(saved_files.SheetError) as raised:
        sheet.parse_sheet(raw)
    return [str(fault) for fault in raised.value.faults]


def test_a_row_becomes_a_center_listing():
    """This includes phone numbers in every common format."""
    [listing] = sheet.parse_sheet(build_file(ROW)).listings

    facts = listing.facts
    assert (listing.center_id, listing.name) == ("ctr_lagoon", "Lagoon Cell Therapy")
    assert listing.time_zone == "America/Puerto_Rico"
    assert facts["capacity"] == {"days_to_consultation": 14, "as_of": "2026-11-20T15:00:00Z"}
    assert facts["payer_networks"][1] == {"payer": "Example Medicare", "as_of": "2026-10-01"}
    assert facts["after_hours_phone"] == "+17875550119"
    assert facts["contacts"][1]["phone"] == "+17875550111"
    assert facts["products"][1] == {
        "product_id": "abecma",
        "diseases": ["MM"],
        "age_group": "adult",
        "certified_by": "Fictional Board",
        "as_of": "2026-07-01",
    }


def test_each_product_may_have_a_different_certifier():
    row = ROW | {"certified_by": "breyanzi: Board A; abecma: Board B"}
    [listing] = sheet.parse_sheet(build_file(row)).listings

    assert [p["certified_by"] for p in listing.facts["products"]] == ["Board A", "Board B"]


def test_common_spreadsheet_changes_are_accepted():
    """A byte order mark, columns in another order, and empty lines at the end."""
    raw = b"\xef\xbb\xbf" + build_file(ROW, names=tuple(reversed(COLUMN_NAMES))) + b"\r\n,,\r\n"

    [listing] = sheet.parse_sheet(raw).listings
    assert listing == sheet.parse_sheet(build_file(ROW)).listings[0]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("center_id", "harbor", "use ctr_"),
        ("center_id", "", "must not be empty"),
        ("name", "x" * 201, "200 characters or fewer"),
        ("name", "=HYPERLINK(1)", "formula"),
        ("name", "@SUM(A1)", "formula"),
        ("name", "-1+1", "formula"),
        ("name", "+cmd", "formula"),
        ("name", "Two\nlines", "line break"),
        ("name", "Hid\u200bden", "hidden character"),
        ("state", "Texas", "state or territory"),
        ("zip", "123", "use a 5-digit ZIP code"),
        ("zip", "K1A 0B1", "use a 5-digit ZIP code"),
        ("zip", "00000", "no location is known"),
        ("time_zone", "EST5", "IANA"),
        ("time_zone", "America/Huston", "IANA"),
        ("listed", "Y", "yes or no"),
        ("age_group", "adults", "use adult"),
        ("products", "breyanzy: LBCL", "unknown product"),
        ("products", "breyanzi", "list the diseases"),
        ("products", "breyanzi: cancer", "list the diseases"),
        ("products", "abecma: MM; abecma: MM", "no duplicates"),
        ("products", "breyanzi: FL; breyanzi: LBCL", "more than once"),
        ("certified_by", "breyanzi: Board A", "for abecma"),
        ("certified_as_of", "2026-02-30", "use a date"),
        ("certified_as_of", "7/1/2026", "use a date"),
        ("certified_as_of", "20260701", "use a date"),
        ("days_to_consultation", "-1", "formula"),
        ("days_to_consultation", "366", "0 to 365"),
        ("days_to_consultation", "two weeks", "0 to 365"),
        ("capacity_as_of", "2026-11-20", "offset"),
        ("capacity_as_of", "2026-11-20T15:00:00", "offset"),
        ("payer_networks", "Example Health;;", "semicolon"),
        ("payers_as_of", "", "when payer_networks is filled in"),
        ("coordinator_phone", "", "when coordinator_name is filled in"),
        ("intake_phone", "555-0110", "US phone"),
        ("intake_phone", "+44 20 7946 0000", "US phone"),
        ("fictional", "maybe", "yes or no"),
    ],
)
def test_a_fault_shows_its_line_and_column(column, cell, message):
    """The message does not repeat the text of the cell."""
    second = ROW | {"center_id": "ctr_second", column: cell}

    [fault] = list_faults(build_file(ROW, second))

    assert fault.startswith(f"line 3, column {column}: ")
    assert message in fault


def test_all_faults_of_all_rows_are_listed_at_once():
    rows = [ROW | {"center_id": f"ctr_{n}", "zip": "1", "state": "?"} for n in range(3)]

    assert len(list_faults(build_file(*rows))) == 6


def test_a_repeated_center_id_shows_both_lines():
    [fault] = list_faults(build_file(ROW, ROW | {"center_id": "ctr_other"}, ROW))

    assert fault == "line 4, column center_id: repeats the ID on line 2"


def test_lines_are_counted_as_in_a_text_editor():
    """A line break inside a cell moves all later rows down."""
    first = ROW | {"source": "two\nlines"}
    faults = list_faults(build_file(first, ROW | {"center_id": "ctr_other", "zip": "1"}))

    assert [fault.partition(":")[0] for fault in faults] == ["line 2, column source", "line 4, column zip"]


def test_a_wrong_header_lists_every_missing_repeated_and_unknown_column():
    raw = build_file(ROW).replace(b"center_id,", b"id,", 1).replace(b",city,", b",state,", 1)

    assert list_faults(raw) == [
        "line 1: column center_id is missing",
        "line 1: column city is missing",
        "line 1: column state appears more than once",
        "line 1: column 1 of the header is not in the template",
    ]


def test_a_latin_1_byte_shows_its_line_and_column():
    raw = build_file(ROW, ROW | {"center_id": "ctr_n", "name": "Peñasco"}).decode().encode("latin-1")

    assert list_faults(raw) == ["line 3, column name: byte 0xf1 is not UTF-8. Save the file as CSV UTF-8."]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "line 1: column center_id is missing"),
        (build_file(), "line 2: has a header but no centers"),
        (build_file(ROW) + b"one,two\r\n", "line 3: has 2 cells, but the header has 23"),
        (build_file(ROW) + b'"unclosed', "line 3: cannot be read as CSV (unexpected end of data)"),
        (b"PK\x03\x04\xff", f"line 1: {saved_files.WORKBOOK}"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"line 1: {saved_files.WORKBOOK}"),
        (b"\xff\xfec\x00\x00\xd8x", "line 1: is UTF-16 text that cannot be read. Save the file as CSV UTF-8."),
        (b'"unclosed', "line 1: cannot be read as CSV (unexpected end of data)"),
    ],
    ids=["empty-file", "header-only", "short-row", "unclosed-quote", "xlsx", "xls", "cut UTF-16", "unclosed header"],
)
def test_an_unreadable_file_shows_the_line_of_its_first_fault(raw, message):
    assert list_faults(raw)[0] == message


def test_a_file_with_too_many_rows_is_rejected():
    """Parsing stops at the limit, whatever the rows contain."""
    raw = build_file(ROW) + b"too,short\r\n" * 100_000

    assert list_faults(raw) == ["line 10002: has more than 10,000 centers. Is this the right file?"]


def test_a_file_with_too_many_bytes_is_rejected(monkeypatch):
    monkeypatch.setattr(sheet, "MAX_BYTES", 100)

    assert list_faults(build_file(ROW)) == ["line 1: has more than 100 bytes. Is this the right file?"]


def save_with(delimiter, row=ROW, names=COLUMN_NAMES):
    """A table with another separator and quotes, as a spreadsheet writes it."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    table.writerows([names, [row[name] for name in COLUMN_NAMES]])
    return out.getvalue()


TITLES = [name.replace("_", " ").title() for name in COLUMN_NAMES]
AS_SAVED = {
    "Excel, CSV UTF-8": b"\xef\xbb\xbf" + save_with(",").encode(),
    "Excel, Unicode Text": b"\xff\xfe" + save_with("\t").encode("utf-16-le"),
    "big-endian UTF-16": b"\xfe\xff" + save_with(",").encode("utf-16-be"),
    "UTF-16 without a mark": save_with(";").encode("utf-16-le"),
    "Excel, decimal comma": save_with(";").encode(),
    "Excel, with its first line": b"sep=;\r\n" + save_with(";").encode(),
    "tabs, with that line": b"sep=\t\r\n" + save_with("\t").encode(),
    "LibreOffice, tabs": save_with("\t").encode(),
    "Google Sheets, line feeds": save_with(",").replace("\r\n", "\n").encode(),
    "headers as titles": save_with(",", names=TITLES).encode(),
    "two empty columns at the end": "".join(f"{line},,\r\n" for line in save_with(",").splitlines()).encode(),
    "checkboxes": save_with(",", ROW | {"listed": "TRUE", "accepts_new": "YES", "fictional": "True"}).encode(),
    "other case": save_with(",", ROW | {"state": "pr", "age_group": "Adult"}).encode(),
}


@pytest.mark.parametrize("raw", AS_SAVED.values(), ids=AS_SAVED.keys())
def test_a_file_is_read_as_spreadsheets_save_it(raw):
    """Cases C1 and C2. Each is the same center."""
    parsed = sheet.parse_sheet(raw)

    assert list(parsed.listings) == list(sheet.parse_sheet(build_file(ROW)).listings)
    assert list(parsed.warnings) == []


def test_lines_are_counted_with_the_line_that_names_the_separator():
    raw = b"sep=;\n" + save_with(";", ROW | {"verified_on": "x"}).encode()

    assert [fault.partition(":")[0] for fault in list_faults(raw)] == ["line 3, column verified_on"]


def test_optional_cells_that_a_program_left_off_at_the_end_are_empty():
    """Excel writes no separators after the last filled cell of a row."""
    optional = ("coordinator_name", "coordinator_phone")
    names = (*(name for name in COLUMN_NAMES if name not in optional), *optional)
    raw = build_file(ROW | dict.fromkeys(optional, ""), names=names).replace(b"yes,,\r\n", b"yes\r\n")

    assert raw.endswith(b",yes\r\n")
    assert len(sheet.parse_sheet(raw).listings) == 1


def list_warnings(**changed):
    return [str(warning) for warning in sheet.parse_sheet(build_file(ROW | changed)).warnings]


@pytest.mark.parametrize(
    ("state", "zone", "is_likely"),
    [
        ("PR", "America/Los_Angeles", False),
        ("PR", "America/Puerto_Rico", True),
        # The same hours in winter only.
        ("AZ", "America/Los_Angeles", False),
        ("IN", "America/Indiana/Indianapolis", True),
        ("TX", "America/Denver", True),
        ("TX", "America/New_York", False),
        ("MI", "America/Detroit", True),
    ],
)
def test_a_time_zone_of_another_state_is_a_warning(state, zone, is_likely):
    """Case E17: a center in San Juan with the time of Los Angeles. It is imported, and a person is asked to check."""
    warnings = list_warnings(state=state, zip="00901", time_zone=zone)

    assert [w.partition(" is ")[0] for w in warnings] == ([] if is_likely else ["line 2, column time_zone:"])


def test_a_zip_code_without_its_zeros_gets_them_back_with_a_warning():
    """A spreadsheet reads 00901 as a number."""
    parsed = sheet.parse_sheet(build_file(ROW | {"zip": "901"}))

    assert parsed.listings[0].facts["zip"] == "00901"
    assert [str(w).partition(",")[2] for w in parsed.warnings] == [
        " column zip: had lost its leading zeros, which were put back. Format the column as text"
    ]


def test_a_short_zip_code_of_a_state_without_such_codes_is_a_fault():
    """In Texas 7703 has lost its last digit, not its first."""
    row = ROW | {"state": "TX", "zip": "7703", "time_zone": "America/Chicago"}

    assert "column zip: use a 5-digit ZIP code" in list_faults(build_file(row))[0]


def test_every_state_has_its_time_zones():
    assert ZONES_BY_STATE.keys() == STATES


def test_every_prefix_with_a_zero_has_zip_codes():
    """A misspelled prefix would have none."""
    for prefixes in ZERO_PREFIXES_BY_STATE.values():
        for prefix in prefixes:
            width = 5 - len(prefix)
            assert any(find_zip_point(f"{prefix}{number:0{width}}") for number in range(10**width)), prefix
