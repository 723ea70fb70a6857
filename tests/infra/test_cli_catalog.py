"""`referrals catalog check`: what is missing in a product file, and which shipped facts are due."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.catalog_check import list_shipped_facts
from infra.cli.commands import app

EXAMPLE = Path(__file__).parents[2] / "docs" / "examplecel.json"
LABEL_READ_ON = "2026-12-24"


@pytest.fixture
def run(monkeypatch):
    """Run `referrals catalog check …`. No site is needed."""
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["catalog", "check", *map(str, arguments)])


@pytest.fixture
def check_changed(run, tmp_path):
    """Check the example with a change; returns the printed lines without the name of the file."""

    def check(change):
        row = json.loads(EXAMPLE.read_text("utf-8"))
        change(row)
        path = tmp_path / EXAMPLE.name
        path.write_text(json.dumps(row))
        result = run(path, "--at", LABEL_READ_ON)
        assert result.exit_code == 1
        return [line.removeprefix(f"{path.name}: ") for line in result.stdout.splitlines()]

    return check


def test_a_complete_file_is_complete(run):
    result = run(EXAMPLE, "--at", LABEL_READ_ON)

    assert (result.exit_code, result.stdout) == (0, "examplecel.json is complete.\n")


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (
            lambda row: row.pop("boxed_warnings"),
            ["/boxed_warnings is missing: each boxed warning in your own words"],
        ),
        (
            lambda row: row["indications"][0]["rows"][0].pop("source"),
            ["/indications/0/rows/0/source is missing: the source_id of the source"],
        ),
        (
            lambda row: row.update(colour="red"),
            ["/colour is not a field of a product file. Is its name misspelled?"],
        ),
        (
            lambda row: row["monitoring"].update(daily_days=0),
            ["/monitoring/daily_days: input should be greater than 0"],
        ),
        (
            lambda row: row["late_effects"][0].update(source="nowhere"),
            ["/sources: nowhere is used but not listed"],
        ),
        (
            lambda row: row.update(product_id="other"),
            ["/product_id: the file must be named other.json"],
        ),
    ],
    ids=["part missing", "source missing", "misspelled", "impossible number", "unlisted source", "other name"],
)
def test_a_problem_is_named_in_plain_words(check_changed, change, lines):
    assert check_changed(change) == lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"product_id": }', "The file is not JSON: line 1, column 16: Expecting value."),
        (b"[]", "The file must be one JSON object, in braces."),
        (b"\xff\xfe{", "The file is not UTF-8 text."),
    ],
    ids=["broken", "list", "UTF-16"],
)
def test_a_file_that_cannot_be_read_is_one_sentence(run, tmp_path, content, message):
    path = tmp_path / "broken.json"
    path.write_bytes(content)

    result = run(path)

    assert (result.exit_code, result.stdout) == (1, f"broken.json: {message}\n")


def test_a_missing_file_is_a_usage_error(run, tmp_path):
    assert run(tmp_path / "none.json").exit_code == 2


def test_every_shipped_fact_is_due_on_the_day_after_its_review(run):
    """Label sections, resources, the code release, ZIP codes, and the other reviewed files."""
    facts = list(list_shipped_facts())

    result = run("--at", "2099-01-01", "--json")

    assert result.exit_code == 1
    assert {row["name"] for row in json.loads(result.stdout)["due"]} == {fact.name for fact in facts}
    names = " ".join(fact.name for fact in facts)
    for part in ("Breyanzi: monitoring", "ICD-10-CM", "Resource: ", "Locations of ZIP codes", "Care points"):
        assert part in names


def test_what_is_due_shows_both_dates(run):
    """On the last day of the review nothing is due yet."""
    fact = next(fact for fact in list_shipped_facts() if fact.name.startswith("Breyanzi: monitoring"))

    on_the_day = run("--at", fact.review_by)
    later = run("--at", "2099-01-01")

    assert fact.name not in on_the_day.stdout
    assert f"due since {fact.review_by}  {fact.name}, as of {fact.as_of}" in later.stdout


def test_the_shipped_product_files_have_no_problem(run):
    assert json.loads(run("--at", "2026-11-29", "--json").stdout)["problems"] == {}


def test_a_wrong_date_is_a_usage_error(run):
    assert run("--at", "tomorrow").exit_code == 2
