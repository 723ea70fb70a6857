"""Names as people type them: in any case, with or without accents, and not to the end."""

import unicodedata
from collections.abc import Iterable, Sequence

MIN_PREFIX_LENGTH, MAX_PREFIX_LENGTH = 2, 8
"""Letters of a beginning that is looked up. One letter finds too many to be worth a place in an
index; what differs only after eight is told apart when it is opened."""

_APOSTROPHES = frozenset("'\u2019\u02bc`\u00b4")

_OTHER_LETTERS = str.maketrans(
    {"\u00e6": "ae", "\u00f0": "d", "\u00f8": "o", "\u00fe": "th", "\u0111": "d"}
    | {"\u0127": "h", "\u0131": "i", "\u0142": "l", "\u0153": "oe"}
)
"""Letters of Latin alphabets that Unicode does not take apart, as they are typed elsewhere."""


def split_name(text: str) -> Sequence[str]:
    """A name's words: compatible spellings alike, folded, without accents and apostrophes."""
    spelled = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in spelled if c not in _APOSTROPHES and unicodedata.category(c) not in {"Mn", "Cf"})
    return "".join(c if c.isalnum() else " " for c in kept).translate(_OTHER_LETTERS).split()


def list_name_prefixes(names: Iterable[str]) -> set[str]:
    """Every beginning of every word that somebody may type to find one of these names."""
    return {
        word[:length]
        for name in names
        for word in split_name(name)
        for length in range(MIN_PREFIX_LENGTH, min(len(word), MAX_PREFIX_LENGTH) + 1)
    }


def parse_search_prefixes(typed: str) -> set[str]:
    """The beginnings that a name must have to be found by this; none if it is too short."""
    return {word[:MAX_PREFIX_LENGTH] for word in split_name(typed) if len(word) >= MIN_PREFIX_LENGTH}


def matches_name(typed: str, names: Iterable[str]) -> bool:
    """Whether each word that was typed begins a word of the names."""
    there = [word for name in names for word in split_name(name)]
    return all(any(word.startswith(part) for word in there) for part in split_name(typed))
