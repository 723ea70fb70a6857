"""A file of centers: what is read of it, and every way in which one can be wrong."""

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


def file_of(*rows, names=COLUMN_NAMES):
    """A file with these rows."""
    out = io.StringIO()
    table = csv.DictWriter(out, names)
    table.writeheader()
    table.writerows({name: row[name] for name in names} for row in rows)
    return out.getvalue().encode()


def faults_of(raw):
    """What is wrong with a file, as a person reads it."""
    with pytest.raises(sheet.SheetError) as refused:
        sheet.parse_sheet(raw)
    return [str(fault) for fault in refused.value.faults]


def test_a_row_becomes_a_center():
    """Every cell, and phone numbers in whatever way people write them."""
    [listing] = sheet.parse_sheet(file_of(ROW)).listings

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


def test_each_product_may_have_been_authorized_by_somebody_else():
    row = ROW | {"certified_by": "breyanzi: Board A; abecma: Board B"}
    [listing] = sheet.parse_sheet(file_of(row)).listings

    assert [p["certified_by"] for p in listing.facts["products"]] == ["Board A", "Board B"]


def test_what_a_spreadsheet_does_to_a_file_does_no_harm():
    """A byte order mark, columns in another order, empty lines at the end."""
    raw = b"\xef\xbb\xbf" + file_of(ROW, names=tuple(reversed(COLUMN_NAMES))) + b"\r\n,,\r\n"

    [listing] = sheet.parse_sheet(raw).listings
    assert listing == sheet.parse_sheet(file_of(ROW)).listings[0]


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("center_id", "harbor", "must be ctr_"),
        ("center_id", "", "must not be empty"),
        ("name", "x" * 201, "at most 200"),
        ("name", "=HYPERLINK(1)", "formula"),
        ("name", "@SUM(A1)", "formula"),
        ("name", "-1+1", "formula"),
        ("name", "+cmd", "formula"),
        ("name", "Two\nlines", "line break"),
        ("name", "Hid\u200bden", "invisible mark"),
        ("state", "Texas", "state or territory"),
        ("zip", "901", "must be a ZIP code"),
        ("zip", "K1A 0B1", "must be a ZIP code"),
        ("zip", "00000", "whose place is known"),
        ("time_zone", "EST5", "IANA"),
        ("time_zone", "America/Huston", "IANA"),
        ("listed", "Y", "yes or no"),
        ("age_group", "adults", "must be adult"),
        ("products", "breyanzy: LBCL", "not one of"),
        ("products", "breyanzi", "must name diseases"),
        ("products", "breyanzi: cancer", "must name diseases"),
        ("products", "abecma: MM; abecma: MM", "each once"),
        ("products", "breyanzi: FL; breyanzi: LBCL", "twice"),
        ("certified_by", "breyanzi: Board A", "for abecma"),
        ("certified_as_of", "2026-02-30", "must be a date"),
        ("certified_as_of", "7/1/2026", "must be a date"),
        ("certified_as_of", "20260701", "must be a date"),
        ("days_to_consultation", "-1", "formula"),
        ("days_to_consultation", "366", "0 to 365"),
        ("days_to_consultation", "two weeks", "0 to 365"),
        ("capacity_as_of", "2026-11-20", "offset"),
        ("capacity_as_of", "2026-11-20T15:00:00", "offset"),
        ("payer_networks", "Example Health;;", "semicolon"),
        ("payers_as_of", "", "where payer_networks is"),
        ("coordinator_phone", "", "where coordinator_name is"),
        ("intake_phone", "555-0110", "US phone"),
        ("intake_phone", "+44 20 7946 0000", "US phone"),
        ("fictional", "maybe", "yes or no"),
    ],
)
def test_a_wrong_cell_is_named_by_its_line_and_column(column, cell, said):
    """And nothing of the cell is repeated."""
    second = ROW | {"center_id": "ctr_second", column: cell}

    [fault] = faults_of(file_of(ROW, second))

    assert fault.startswith(f"line 3, column {column}: ")
    assert said in fault


def test_all_faults_of_all_rows_are_told_at_once():
    rows = [ROW | {"center_id": f"ctr_{n}", "zip": "1", "state": "?"} for n in range(3)]

    assert len(faults_of(file_of(*rows))) == 6


def test_two_rows_with_one_id_are_told_by_both_lines():
    [fault] = faults_of(file_of(ROW, ROW | {"center_id": "ctr_other"}, ROW))

    assert fault == "line 4, column center_id: is the id of line 2 as well"


def test_a_line_is_counted_as_an_editor_counts_it():
    """A cell may hold a line break; what stands below it is further down."""
    first = ROW | {"source": "two\nlines"}
    faults = faults_of(file_of(first, ROW | {"center_id": "ctr_other", "zip": "1"}))

    assert [fault.partition(":")[0] for fault in faults] == ["line 2, column source", "line 4, column zip"]


def test_a_wrong_header_is_told_column_by_column():
    raw = file_of(ROW).replace(b"center_id,", b"id,", 1).replace(b",city,", b",state,", 1)

    assert faults_of(raw) == [
        "line 1: there is no column center_id",
        "line 1: there is no column city",
        "line 1: column state stands there twice",
        "line 1: column 1 of the header is not one of the template's",
    ]


def test_latin_1_bytes_are_named_by_their_place():
    raw = file_of(ROW, ROW | {"center_id": "ctr_n", "name": "Peñasco"}).decode().encode("latin-1")

    assert faults_of(raw) == ["line 3, column name: byte 0xf1 is not UTF-8: save the file as CSV UTF-8"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "line 1: there is no column center_id"),
        (file_of(), "line 2: has no row: a header and no center"),
        (file_of(ROW) + b"one,two\r\n", "line 3: has 2 cells, the header has 23"),
        (file_of(ROW) + b'"unclosed', "line 3: cannot be read as CSV (unexpected end of data)"),
        (b"PK\x03\x04\xff", "line 1: byte 0xff is not UTF-8: save the file as CSV UTF-8"),
    ],
)
def test_what_is_no_such_file_is_told_by_its_line(raw, said):
    assert faults_of(raw)[0] == said


def test_a_hundred_thousand_rows_are_another_file():
    """Reading stops where there are too many, whatever they hold."""
    raw = file_of(ROW) + b"too,short\r\n" * 100_000

    assert faults_of(raw) == ["line 10002: more than 10,000 centers: is this the right file?"]


def test_a_file_of_many_bytes_is_another_file(monkeypatch):
    monkeypatch.setattr(sheet, "MAX_BYTES", 100)

    assert faults_of(file_of(ROW)) == ["line 1: more than 100 bytes: is this the right file?"]
