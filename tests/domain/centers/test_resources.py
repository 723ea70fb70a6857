"""The reviewed file of national resources: nothing without a source, a date and a way to ask."""

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

each_row = pytest.mark.parametrize("row", load_file()["items"], ids=lambda row: row["resource_id"])


@each_row
def test_a_row_says_all_that_a_reader_needs(row):
    """And in the words that the filters know."""
    assert re.fullmatch(r"[a-z0-9_]{3,40}", row["resource_id"])
    assert row["name"]
    assert row["organization"]
    assert row["what"].endswith(".")
    assert row["kind"] in {"nonprofit", "public"}
    assert row["asked_by"] in {"patient", "care_team"}
    assert row["topics"]
    assert set(row["topics"]) <= set(TOPICS)
    assert "en" in row["languages"]
    assert set(row["languages"]) <= set(LANGUAGES)


@each_row
def test_a_link_is_https_and_goes_to_the_body_itself(row):
    """Its sources may be older and elsewhere; what a patient is sent to may not."""
    link = urlsplit(row["url"])

    assert link.scheme == "https"
    assert link.hostname
    assert not link.query


@each_row
def test_a_phone_is_one_american_number_and_the_same_as_printed(row):
    """Letters of a number that is printed as a word are those of the keypad."""
    digits = "".join(LETTERS.get(c, c) for c in row["phone_as_printed"].lower())

    assert re.fullmatch(r"\+1[2-9]\d{2}[2-9]\d{6}", row["phone"])
    assert re.sub(r"\D", "", digits).removeprefix("1") == row["phone"].removeprefix("+1")


@each_row
def test_a_row_has_sources_with_their_days(row):
    """`last_checked` is the newest of them, and none is of tomorrow."""
    days = [date.fromisoformat(source["as_of"]) for source in row["sources"]]

    assert all(source["title"] for source in row["sources"])
    assert all(urlsplit(source["url"]).scheme in {"https", "http"} for source in row["sources"])
    assert max(days) <= REVIEWED_ON
    assert date.fromisoformat(row["last_checked"]) == max(days)


@each_row
def test_what_rests_on_an_undated_or_old_source_says_what_to_confirm(row):
    """A phone number without a date may be anybody's by now."""
    doubtful = [
        source
        for source in row["sources"]
        if not source["dated"] or REVIEWED_ON - date.fromisoformat(source["as_of"]) > STALE
    ]

    assert bool(row["confirm"]) is bool(doubtful)


@each_row
def test_an_undated_source_has_the_day_on_which_it_was_read(row):
    """Nothing else is known of it."""
    undated = {source["as_of"] for source in row["sources"] if not source["dated"]}

    assert undated <= {REVIEWED_ON.isoformat()}


def test_no_row_is_there_twice_and_no_body_comes_first():
    """In the order of their names."""
    ids = [row["resource_id"] for row in load_file()["items"]]
    names = [row["name"].casefold() for row in load_file()["items"]]

    assert len(ids) == len(set(ids))
    assert names == sorted(names)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_somebody_to_turn_to(topic):
    """Else the filter would offer an empty list."""
    found = list_resources(topic=topic)

    assert found
    assert all(topic in row["topics"] for row in found)


def test_filters_narrow_one_another():
    """Topic, language and words all have to fit."""
    rides = list_resources(topic="transport", language="es", search_text="travel lodging")

    assert [row["resource_id"] for row in rides] == ["bcu_travel"]


def test_no_maker_stands_among_the_resources():
    """Public bodies and nonprofits alone; a maker's own line stands with its product."""
    makers = re.compile(r"bristol|kite|gilead|novartis|janssen|legend|autolus", re.IGNORECASE)

    assert not any(makers.search(f"{row['organization']} {row['url']}") for row in list_resources())
