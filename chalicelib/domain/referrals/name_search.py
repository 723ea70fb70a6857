"""Names as people type them: in any case, with or without accents, and not to the end."""

import unicodedata
from collections.abc import Iterable, Sequence

SHORTEST, LONGEST = 2, 8
"""Letters of a beginning that is looked up. One letter finds too many to be worth a place in an
index; what differs only after eight is told apart when it is opened."""

_APOSTROPHES = frozenset("'\u2019\u02bc`\u00b4")

_OTHER_LETTERS = str.maketrans(
    {"\u00e6": "ae", "\u00f0": "d", "\u00f8": "o", "\u00fe": "th", "\u0111": "d"}
    | {"\u0127": "h", "\u0131": "i", "\u0142": "l", "\u0153": "oe"}
)
"""Letters of Latin alphabets that Unicode does not take apart, as they are typed elsewhere."""


def words(text: str) -> Sequence[str]:
    """A name's words: compatible spellings alike, folded, without accents and apostrophes."""
    spelled = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (
        c for c in spelled if c not in _APOSTROPHES and unicodedata.category(c) not in {"Mn", "Cf"}
    )
    return "".join(c if c.isalnum() else " " for c in kept).translate(_OTHER_LETTERS).split()


def beginnings(names: Iterable[str]) -> set[str]:
    """Every beginning of every word that somebody may type to find one of these names."""
    return {
        word[:length]
        for name in names
        for word in words(name)
        for length in range(SHORTEST, min(len(word), LONGEST) + 1)
    }


def looked_up(typed: str) -> set[str]:
    """The beginnings that a name must have to be found by this; none if it is too short."""
    return {word[:LONGEST] for word in words(typed) if len(word) >= SHORTEST}


def is_found(typed: str, names: Iterable[str]) -> bool:
    """Whether each word that was typed begins a word of the names."""
    there = [word for name in names for word in words(name)]
    return all(any(word.startswith(part) for word in there) for part in words(typed))
