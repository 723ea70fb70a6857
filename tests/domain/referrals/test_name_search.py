"""Patient name search, with names as people type them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.referrals.name_search import (
    MAX_PREFIX_LENGTH,
    MIN_PREFIX_LENGTH,
    list_name_prefixes,
    matches_name,
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
    assert list_name_prefixes(["Ana", "de Oliveira-Neves"]) == {
        "an", "ana", "de", "ol", "oli", "oliv", "olive", "olivei", "oliveir", "oliveira",
        "ne", "nev", "neve", "neves",
    }  # fmt: skip


def test_a_long_word_is_searched_by_its_first_eight_letters():
    """The rest is compared after decryption."""
    assert parse_search_prefixes("Wolfeschlegelstein") == {"wolfesch"}
    assert not matches_name("Wolfeschlegelstein", ["Wolfeschmidt"])


def test_a_single_letter_is_not_searched():
    """It would match nearly every row."""
    assert parse_search_prefixes("A") == set()
    assert parse_search_prefixes("Ana E") == {"ana"}
    assert matches_name("Ana E", ["Ana", "Example"])


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
    assert matches_name(typed, ["Blue Heron", "Example", "Ana"]) is found


@given(st.lists(st.text(max_size=12), max_size=3), st.text(max_size=12))
def test_the_index_has_the_prefixes_of_every_matching_name(names, typed):
    """So the index hides no name that the final comparison would match."""
    if matches_name(typed, names):
        assert parse_search_prefixes(typed) <= list_name_prefixes(names)


@given(st.text(max_size=40))
def test_the_number_of_prefixes_is_limited(name):
    """At most seven for each word, for a name of any length."""
    assert len(list_name_prefixes([name])) <= sum(
        max(0, min(len(word), MAX_PREFIX_LENGTH) - MIN_PREFIX_LENGTH + 1) for word in split_name(name)
    )
