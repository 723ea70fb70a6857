"""The export of a list as a CSV file and as an Excel workbook."""

import csv
import io
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from chalicelib.routes.platform.operations import XLSX_TYPE
from chalicelib.routes.platform.table_files import escape_formula
from chalicelib.routes.referrals.referral_table import COLUMNS
from chalicelib.services.referrals import sorted_lists
from tests.support.stores import list_rows


@pytest.fixture(scope="module")
def exported_id(shared_api):
    """The id of a referral whose values look like formulas."""
    referral = shared_api.refer(
        patient__family_name="=HYPERLINK(1)",
        patient__given_name="Zoë",
        patient__mrn="@A-7",
        patient__alias="Umber Heron",
    )
    return referral["referral_id"]


def read_rows(answer):
    """The rows of a file, by column."""
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def read_workbook(answer):
    """The rows of a workbook, by column, as a spreadsheet program reads them."""
    assert answer.status == 200, answer.text
    titles, *rows = load_workbook(io.BytesIO(answer.content)).active.values
    return [dict(zip(titles, row, strict=True)) for row in rows]


def test_a_file_has_a_line_for_each_referral(shared_api, exported_id):
    """With names, and not codes, of what a person reads."""
    [row] = [
        row for row in read_rows(shared_api.practice.get("/v1/referrals.csv")) if row["Referral ID"] == exported_id
    ]

    assert set(row) == set(COLUMNS)
    assert row["First name"] == "Zoë"
    assert (row["Status"], row["Next action by"]) == ("Submitted", "Harbor Cell Therapy")
    assert (row["Product"], row["Referring provider"]) == ("Breyanzi", "R. Provider")
    assert row["Late"] == "no"


def test_no_cell_is_a_formula(shared_api, exported_id):
    """A name that begins like one gets an apostrophe, as a spreadsheet program shows text."""
    rows = read_rows(shared_api.center.get("/v1/referrals.csv?q=umber"))

    assert (rows[0]["Last name"], rows[0]["MRN"]) == ("'=HYPERLINK(1)", "'@A-7")


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1", "\u00a0=1", "\u200b=1", "\ufeff-1", "\u3000@1"],
)
def test_every_start_of_a_formula_is_escaped(text):
    """Also behind spaces."""
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ana", "A-1009", "(713) 555-0142", "2026-11-20", "O'Neil"])
def test_other_text_stays_as_it_is(text):
    """An apostrophe that no one needs would be an error in the data."""
    assert escape_formula(text) == text


def test_a_file_has_the_filters_of_the_list(shared_api, exported_id):
    """And its search."""
    assert len(read_rows(shared_api.practice.get("/v1/referrals.csv?q=umber&worklist=all_open"))) == 1
    assert read_rows(shared_api.practice.get("/v1/referrals.csv?q=umber&urgency=urgent")) == []
    several = "stage=submitted&stage=accepted&urgency=urgent&urgency=routine"
    assert len(read_rows(shared_api.practice.get(f"/v1/referrals.csv?q=umber&{several}"))) == 1


def test_another_tenant_exports_none_of_it(shared_api, exported_id):
    """Only the head of the table."""
    assert read_rows(shared_api.other_practice.get("/v1/referrals.csv")) == []
    assert read_rows(shared_api.other_center.get("/v1/referrals.csv")) == []


def test_a_file_is_downloaded_and_not_stored_on_the_way(shared_api, exported_id):
    """Its name has the day, and nothing about a patient."""
    headers = shared_api.practice.get("/v1/referrals.csv").headers

    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"].startswith('attachment; filename="referrals-20')
    assert headers["cache-control"] == "no-store"


def test_an_export_is_in_the_audit_trail(shared_api, exported_id):
    """With the member who made it."""
    shared_api.other_practice.get("/v1/referrals.csv")

    actors = [row["actor_id"] for row in list_rows("audit") if row["action"] == "referral.export"]
    assert shared_api.members["other_practice"].member_id in actors


def test_a_file_that_would_be_too_large_is_refused(shared_api, exported_id, monkeypatch):
    """With the number that matches and what to do, and not cut off."""
    shared_api.refer()
    monkeypatch.setattr(sorted_lists, "MAX_EXPORTED", 1)

    answer = shared_api.practice.get("/v1/referrals.csv")

    assert (answer.status, answer.json["code"]) == (400, "too_many_to_export")
    assert "Use a filter" in answer.json["detail"]


def test_a_workbook_has_the_rows_of_the_csv_file(shared_api, exported_id):
    """In the same order, with the same columns."""
    query = "?worklist=all_open&sort=patient"
    lines = read_rows(shared_api.practice.get(f"/v1/referrals.csv{query}"))

    rows = read_workbook(shared_api.practice.get(f"/v1/referrals.xlsx{query}"))

    assert [list(row) for row in rows] == [list(COLUMNS)] * len(lines)
    assert [row["Referral ID"] for row in rows] == [line["Referral ID"] for line in lines]


def test_a_workbook_keeps_a_text_that_looks_like_a_formula(shared_api, exported_id):
    """It is text, so no program runs it, and it needs no apostrophe."""
    answer = shared_api.center.get("/v1/referrals.xlsx?q=umber")

    [cells] = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(min_row=2))
    assert [(cells[n].value, cells[n].data_type) for n in (0, 4)] == [("=HYPERLINK(1)", "s"), ("@A-7", "s")]


def test_dates_and_times_of_a_workbook_can_be_sorted(shared_api, exported_id):
    """They are no texts. Times are in UTC, as the title says."""
    [line] = read_rows(shared_api.practice.get("/v1/referrals.csv?q=umber"))

    [row] = read_workbook(shared_api.practice.get("/v1/referrals.xlsx?q=umber"))

    assert row["Date of birth"].date() == date.fromisoformat(line["Date of birth"])
    assert row["Due"].date() == date.fromisoformat(line["Due"])
    since = datetime.fromisoformat(line["Status since (UTC)"]).replace(tzinfo=None)
    assert abs(row["Status since (UTC)"] - since).total_seconds() < 1


def test_another_tenant_exports_an_empty_workbook(shared_api, exported_id):
    """Only the titles."""
    assert read_workbook(shared_api.other_practice.get("/v1/referrals.xlsx")) == []
    assert read_workbook(shared_api.other_center.get("/v1/referrals.xlsx")) == []


def test_a_workbook_is_downloaded_and_in_the_audit_trail(shared_api, exported_id):
    """Like the CSV file."""
    member = shared_api.members["other_center"].member_id

    headers = shared_api.other_center.get("/v1/referrals.xlsx").headers

    assert headers["content-type"] == XLSX_TYPE
    assert headers["content-disposition"].endswith('.xlsx"')
    assert member in [row["actor_id"] for row in list_rows("audit") if row["action"] == "referral.export"]


@pytest.mark.parametrize("accept", ["*/*", f"text/html, {XLSX_TYPE}", None])
def test_a_request_that_does_not_accept_a_workbook_first_gets_406(shared_api, accept):
    """API Gateway would send it as base64 text."""
    answer = shared_api.practice.send("GET", "/v1/referrals.xlsx", headers={"Accept": accept})

    assert (answer.status, answer.json["code"]) == (406, "accept_xlsx")
    assert XLSX_TYPE in answer.json["detail"]
