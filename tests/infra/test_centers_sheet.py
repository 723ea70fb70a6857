"""Parsing of a center CSV file: what it contains, and every kind of fault."""

import csv
import io

import pytest

from infra.centers import sheet
from infra.centers.columns import COLUMN_NAMES

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
    with pytest.raises(sheet.SheetError) as raised:
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
        ("zip", "901", "use a 5-digit ZIP code"),
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
        (b"PK\x03\x04\xff", "line 1: byte 0xff is not UTF-8. Save the file as CSV UTF-8."),
    ],
    ids=["empty-file", "header-only", "short-row", "unclosed-quote", "zip-archive"],
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
