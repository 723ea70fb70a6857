"""Names as people type them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.referrals.name_search import (
    LONGEST,
    SHORTEST,
    beginnings,
    is_found,
    looked_up,
    words,
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
    assert words(name) == spelled


@given(st.text(max_size=30))
def test_composed_and_decomposed_are_one_name(name):
    """A Mac sends what a PC composes."""
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))

    assert words(composed) == words(decomposed)


def test_every_beginning_of_every_word_is_there():
    """From two letters on, and to eight."""
    assert beginnings(["Ana", "de Oliveira-Neves"]) == {
        "an", "ana", "de", "ol", "oli", "oliv", "olive", "olivei", "oliveir", "oliveira",
        "ne", "nev", "neve", "neves",
    }  # fmt: skip


def test_a_long_word_is_looked_up_by_its_first_letters():
    """What comes after them is told apart when it is opened."""
    assert looked_up("Wolfeschlegelstein") == {"wolfesch"}
    assert not is_found("Wolfeschlegelstein", ["Wolfeschmidt"])


def test_one_letter_is_not_looked_up():
    """It would stand in nearly every row."""
    assert looked_up("A") == set()
    assert looked_up("Ana E") == {"ana"}
    assert is_found("Ana E", ["Ana", "Example"])


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
    assert is_found(typed, ["Blue Heron", "Example", "Ana"]) is found


@given(st.lists(st.text(max_size=12), max_size=3), st.text(max_size=12))
def test_what_is_found_is_looked_up_by_what_is_kept(names, typed):
    """The index leaves out nothing that the last look would let through."""
    if is_found(typed, names):
        assert looked_up(typed) <= beginnings(names)


@given(st.text(max_size=40))
def test_the_number_of_beginnings_is_bounded(name):
    """A name of any length costs what its letters cost."""
    assert len(beginnings([name])) <= sum(
        max(0, min(len(word), LONGEST) - SHORTEST + 1) for word in words(name)
    )
