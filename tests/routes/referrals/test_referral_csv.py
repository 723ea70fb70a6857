"""The export of a list as a CSV file."""

import csv
import io

import pytest

from chalicelib.routes.referrals.referral_csv import COLUMNS, escape_formula
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
