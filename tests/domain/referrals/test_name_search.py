"""Patient name search, with names as people type them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.referrals.name_search import (
    list_identifiers,
    list_name_prefixes,
    matches_search,
    parse_search_prefixes,
    split_name,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Example", ["example"]),
        ("ÇELİK", ["celik"]),
        ("Zoë", ["zoe"]),
        ("Straße", ["strasse"]),
        ("O'Brien-Łukasiński", ["obrien", "lukasinski"]),
        ("O\u2019Brien", ["obrien"]),
        ("van der Berg", ["van", "der", "berg"]),
        ("\uff21\uff4e\uff41", ["ana"]),
        ("S\u00f8rensen-\u00c6b\u0131", ["sorensen", "aebi"]),
        ("ﬁnn", ["finn"]),
        ("田中 太郎", ["田中", "太郎"]),
        ("  -- ", []),
    ],
)
def test_a_name_is_split_into_normalized_words(name, words):
    """For every keyboard, Unicode form and accent."""
    assert split_name(name) == words


@given(st.text(max_size=30))
def test_composed_and_decomposed_characters_give_the_same_name(name):
    """A Mac sends them decomposed, a PC composed."""
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))

    assert split_name(composed) == split_name(decomposed)


def test_every_prefix_of_every_word_is_listed():
    """From two to eight letters."""
    assert list_name_prefixes(["Ana", "Neves"]) == {"an", "ana", "ne", "nev", "neve", "neves"}


def test_a_long_word_is_searched_by_its_first_eight_letters():
    """The rest is compared after decryption."""
    assert parse_search_prefixes("Wolfschlegelstein") == [frozenset({"wolfschl"})]
    assert not matches_search("Wolfschlegelstein", ["Wolfschlagen"])


def test_a_single_letter_is_not_searched():
    """It would match nearly every row."""
    assert parse_search_prefixes("A") == []
    assert parse_search_prefixes("Ana E") == [frozenset({"ana"})]
    assert matches_search("Ana E", ["Ana", "Example"])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("exa", True),
        ("EXAMPLE", True),
        ("ana example", True),
        ("example ana", True),
        ("heron", True),
        ("blue her", True),
        ("ample", False),
        ("ana smith", False),
        ("examples", False),
    ],
)
def test_a_name_matches_if_each_typed_word_begins_one_of_its_words(typed, found):
    """In any order."""
    assert matches_search(typed, ["Blue Heron", "Example", "Ana"]) is found


@given(st.lists(st.text(max_size=12), max_size=3), st.text(max_size=12))
def test_the_index_has_the_prefixes_of_every_matching_name(names, typed):
    """So the index hides no name that the final comparison would match."""
    if matches_search(typed, names):
        assert all(group & list_name_prefixes(names) for group in parse_search_prefixes(typed))


@given(st.text(max_size=40))
def test_the_number_of_prefixes_is_limited(name):
    """At most seven for each word and its joins with neighbors, in three spellings."""
    assert len(list_name_prefixes([name])) <= 3 * 3 * 7 * len(split_name(name))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("dela cruz", "De La Cruz"),
        ("delacruz", "De La Cruz"),
        ("De La Cruz", "Delacruz"),
        ("Mueller", "M\u00fcller"),
        ("M\u00fcller", "Mueller"),
        ("SmithJones", "Smith-Jones"),
        ("smith jones", "SmithJones"),
        ("Saint John", "St. John"),
        ("st john", "Saint John"),
    ],
)
def test_a_name_is_found_in_other_spellings(typed, name):
    """W9: joined or apart, with or without umlauts, in full or short."""
    assert matches_search(typed, [name])
    assert all(group & list_name_prefixes([name]) for group in parse_search_prefixes(typed))


PATIENT = {"mrn": "A-1009", "birth_date": "1961-04-02", "phone": "+17135550142;ext=12"}


@pytest.mark.parametrize(
    "typed",
    ["A-1009", "a1009", "1961-04-02", "04/02/1961", "4/2/1961", "19610402", "(713) 555-0142", "+1 713 555 0142"],
)
def test_a_patient_is_found_by_record_number_date_of_birth_and_phone(typed):
    """W9: in every usual form."""
    assert matches_search(typed, ["Example"], list_identifiers(PATIENT))
    assert all(group & list_identifiers(PATIENT) for group in parse_search_prefixes(typed))


@pytest.mark.parametrize("typed", ["A-1008", "1961-04-03", "713 555 0143", "10"])
def test_another_identifier_finds_no_one(typed):
    """Identifiers are compared as a whole."""
    assert not matches_search(typed, ["Example"], list_identifiers(PATIENT))
