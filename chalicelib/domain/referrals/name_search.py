"""Patient name search: upper or lower case, with or without accents, by the first letters of a word."""

import unicodedata
from collections.abc import Iterable, Sequence

MIN_PREFIX_LENGTH, MAX_PREFIX_LENGTH = 2, 8
"""The length of the prefixes in the search index. One letter matches too many names to be worth an
index entry; names that differ only after eight letters are compared after decryption."""

_APOSTROPHES = frozenset("'\u2019\u02bc`\u00b4")

_OTHER_LETTERS = str.maketrans(
    {"\u00e6": "ae", "\u00f0": "d", "\u00f8": "o", "\u00fe": "th", "\u0111": "d"}
    | {"\u0127": "h", "\u0131": "i", "\u0142": "l", "\u0153": "oe"}
)
"""Latin letters that Unicode does not decompose, and how people type them on other keyboards."""


def split_name(text: str) -> Sequence[str]:
    """Split a name into words: normalized, lowercase, without accents and apostrophes."""
    normalized = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = (c for c in normalized if c not in _APOSTROPHES and unicodedata.category(c) not in {"Mn", "Cf"})
    return "".join(c if c.isalnum() else " " for c in kept).translate(_OTHER_LETTERS).split()


def list_name_prefixes(names: Iterable[str]) -> set[str]:
    """List every prefix of every word that finds one of these names."""
    return {
        word[:length]
        for name in names
        for word in split_name(name)
        for length in range(MIN_PREFIX_LENGTH, min(len(word), MAX_PREFIX_LENGTH) + 1)
    }


def parse_search_prefixes(typed: str) -> set[str]:
    """Get the prefixes that a name must have to match the typed text; none if the text is too short."""
    return {word[:MAX_PREFIX_LENGTH] for word in split_name(typed) if len(word) >= MIN_PREFIX_LENGTH}


def matches_name(typed: str, names: Iterable[str]) -> bool:
    """Whether each typed word is the beginning of a word in the names."""
    words = [word for name in names for word in split_name(name)]
    return all(any(word.startswith(prefix) for word in words) for prefix in split_name(typed))
