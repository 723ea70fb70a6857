"""The reviewed file of national resources: every row has a source, a date and a way to contact it."""

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from chalicelib.catalog.resources import LANGUAGES, TOPICS, list_resources, load_file

REVIEWED_ON = date.fromisoformat(load_file()["reviewed_on"])
STALE = timedelta(days=365)
LETTERS = {
    letter: str(n)
    for n, some in enumerate(["abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"], 2)
    for letter in some
}

for_each_row = pytest.mark.parametrize("row", load_file()["items"], ids=lambda row: row["resource_id"])


@for_each_row
def test_a_row_has_everything_that_a_reader_needs(row):
    """Its topics and languages are known to the filters."""
    assert re.fullmatch(r"[a-z0-9_]{3,40}", row["resource_id"])
    assert row["name"]
    assert row["organization"]
    assert row["what"].endswith(".")
    assert row["kind"] in {"nonprofit", "public"}
    assert row["asked_by"] in {"patient", "care_team"}
    assert row["insured_only"] is ("insured people" in row["what"])
    assert row["topics"]
    assert set(row["topics"]) <= set(TOPICS)
    assert "en" in row["languages"]
    assert set(row["languages"]) <= set(LANGUAGES)


@for_each_row
def test_a_link_is_https_and_goes_to_the_organization_itself(row):
    """The sources can be older and elsewhere, but not the link for patients."""
    link = urlsplit(row["url"])

    assert link.scheme == "https"
    assert link.hostname
    assert not link.query


@for_each_row
def test_a_phone_is_one_us_number_and_matches_the_printed_form(row):
    """Letters of a number that is printed as a word are those of the keypad."""
    digits = "".join(LETTERS.get(c, c) for c in row["phone_as_printed"].lower())

    assert re.fullmatch(r"\+1[2-9]\d{2}[2-9]\d{6}", row["phone"])
    assert re.sub(r"\D", "", digits).removeprefix("1") == row["phone"].removeprefix("+1")


@for_each_row
def test_a_row_has_dated_sources(row):
    """`last_checked` is the date of the newest source, and no date is in the future."""
    days = [date.fromisoformat(source["as_of"]) for source in row["sources"]]

    assert all(source["title"] for source in row["sources"])
    assert all(urlsplit(source["url"]).scheme in {"https", "http"} for source in row["sources"])
    assert max(days) <= REVIEWED_ON
    assert date.fromisoformat(row["last_checked"]) == max(days)
    assert date.fromisoformat(row["review_by"]) - max(days) <= timedelta(days=366)


@for_each_row
def test_a_row_with_an_undated_or_old_source_says_what_to_confirm(row):
    """A phone number without a date can belong to someone else by now."""
    doubtful = [
        source
        for source in row["sources"]
        if not source["dated"] or REVIEWED_ON - date.fromisoformat(source["as_of"]) > STALE
    ]

    assert bool(row["confirm"]) is bool(doubtful)


@for_each_row
def test_an_undated_source_has_the_date_on_which_it_was_read(row):
    """No other date is known."""
    undated = {source["as_of"] for source in row["sources"] if not source["dated"]}

    assert undated <= {REVIEWED_ON.isoformat()}


def test_rows_are_unique_and_sorted_by_name():
    """No organization comes first."""
    ids = [row["resource_id"] for row in load_file()["items"]]
    names = [row["name"].casefold() for row in load_file()["items"]]

    assert len(ids) == len(set(ids))
    assert names == sorted(names)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_resource(topic):
    """Otherwise the filter would offer an empty list."""
    found = list_resources(topic=topic)

    assert found
    assert all(topic in row["topics"] for row in found)


def test_all_filters_must_match():
    """Topic, language and words together."""
    rides = list_resources(topic="transport", language="es", search_text="travel lodging")

    assert [row["resource_id"] for row in rides] == ["bcu_travel"]


def test_no_manufacturer_is_among_the_resources():
    """Only public bodies and nonprofits; a manufacturer's phone number is with its product."""
    manufacturers = re.compile(r"bristol|kite|gilead|novartis|janssen|legend|autolus", re.IGNORECASE)

    assert not any(manufacturers.search(f"{row['organization']} {row['url']}") for row in list_resources())
