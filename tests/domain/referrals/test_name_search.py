"""Names as people type them."""

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
    ("name", "spelled"),
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
def test_a_name_is_spelled_one_way(name, spelled):
    """Whatever keyboard, form or accent it came with."""
    assert split_name(name) == spelled


@given(st.text(max_size=30))
def test_composed_and_decomposed_are_one_name(name):
    """A Mac sends what a PC composes."""
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))

    assert split_name(composed) == split_name(decomposed)


def test_every_beginning_of_every_word_is_there():
    """From two letters on, and to eight."""
    assert list_name_prefixes(["Ana", "de Oliveira-Neves"]) == {
        "an", "ana", "de", "ol", "oli", "oliv", "olive", "olivei", "oliveir", "oliveira",
        "ne", "nev", "neve", "neves",
    }  # fmt: skip


def test_a_long_word_is_looked_up_by_its_first_letters():
    """What comes after them is told apart when it is opened."""
    assert parse_search_prefixes("Wolfeschlegelstein") == {"wolfesch"}
    assert not matches_name("Wolfeschlegelstein", ["Wolfeschmidt"])


def test_one_letter_is_not_looked_up():
    """It would stand in nearly every row."""
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
def test_a_name_is_found_by_the_beginning_of_its_words(typed, found):
    """In any order, all of them."""
    assert matches_name(typed, ["Blue Heron", "Example", "Ana"]) is found


@given(st.lists(st.text(max_size=12), max_size=3), st.text(max_size=12))
def test_what_is_found_is_looked_up_by_what_is_kept(names, typed):
    """The index leaves out nothing that the last look would let through."""
    if matches_name(typed, names):
        assert parse_search_prefixes(typed) <= list_name_prefixes(names)


@given(st.text(max_size=40))
def test_the_number_of_beginnings_is_bounded(name):
    """A name of any length costs what its letters cost."""
    assert len(list_name_prefixes([name])) <= sum(
        max(0, min(len(word), MAX_PREFIX_LENGTH) - MIN_PREFIX_LENGTH + 1) for word in split_name(name)
    )
