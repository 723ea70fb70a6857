"""Patient search: by the first letters of a name in any spelling, record number, date of birth, or phone."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MIN_PREFIX_LENGTH, MAX_PREFIX_LENGTH = 2, 8
"""The length of the prefixes in the search index. One letter matches too many names to be worth an
index entry; names that differ only after eight letters are compared after decryption."""

_MAX_WORDS_JOINED = 3
"""How many neighboring words of a name are also found when they are typed as one."""

_MIN_IDENTIFIER_LENGTH = 3
_PHONE_DIGITS = 10

_SAINTS = {"saint": ("st",), "st": ("saint",), "sainte": ("ste",), "ste": ("sainte",)}

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


def _list_words(name: str) -> set[str]:
    """List the words of a name in every spelling, alone and joined with their neighbors.

    So "dela cruz" finds "De La Cruz", "SmithJones" finds "Smith-Jones", "Mueller" finds "M\u00fcller", and
    "Saint John" finds "St. John".
    """
    words = split_name(name)
    joined = {
        "".join(words[first : first + count])
        for first in range(len(words))
        for count in range(1, _MAX_WORDS_JOINED + 1)
        if first + count <= len(words)
    }
    return {spelling for word in joined for spelling in _list_spellings(word)}


def _list_spellings(word: str) -> set[str]:
    """A word as it is written, with "ae", "oe" and "ue" as one letter, and with "saint" in full and short."""
    folded = re.sub(r"([aou])e", r"\1", word)
    return {word, folded if len(folded) >= MIN_PREFIX_LENGTH else word, *_SAINTS.get(word, ())}


def list_name_prefixes(names: Iterable[str]) -> set[str]:
    """List every prefix of every word that finds one of these names."""
    return {
        word[:length]
        for name in names
        for word in _list_words(name)
        for length in range(MIN_PREFIX_LENGTH, min(len(word), MAX_PREFIX_LENGTH) + 1)
    }


def list_identifiers(patient: Mapping[str, Any]) -> set[str]:
    """List what finds a patient besides the names: record number, date of birth, and phone number."""
    mrn = "".join(split_name(patient.get("mrn") or ""))
    birth = "".join(filter(str.isdigit, patient.get("birth_date") or ""))
    phone = "".join(filter(str.isdigit, (patient.get("phone") or "").split(";")[0]))[-_PHONE_DIGITS:]
    return {f"#{value}" for value in (mrn, birth, phone) if len(value) >= _MIN_IDENTIFIER_LENGTH}


def _parse_identifiers(typed: str) -> set[str]:
    """Read typed text as a record number, a date of birth, and a phone number."""
    joined = "".join(split_name(typed))
    if not any(map(str.isdigit, joined)) or len(joined) < _MIN_IDENTIFIER_LENGTH:
        return set()
    found = {f"#{joined}"}
    us_date = re.fullmatch(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*", typed)
    if us_date:
        month, day, year = us_date.groups()
        found.add(f"#{year}{month:0>2}{day:0>2}")
    digits = "".join(filter(str.isdigit, typed))
    if len(digits) >= _PHONE_DIGITS:
        found.add(f"#{digits[-_PHONE_DIGITS:]}")
    return found


def parse_search_prefixes(typed: str) -> Sequence[frozenset[str]]:
    """Get what the index of a matching referral has: of each group at least one entry; none if too short."""
    identifiers = _parse_identifiers(typed)
    words = split_name(typed)
    whole = "".join(words)
    groups = []
    for n, word in enumerate(words):
        if len(word) < MIN_PREFIX_LENGTH:
            continue
        spellings = _list_spellings(word) | (_list_spellings(whole) if n else set())
        groups.append(frozenset({spelling[:MAX_PREFIX_LENGTH] for spelling in spellings} | identifiers))
    return groups


def matches_search(typed: str, names: Iterable[str], identifiers: Iterable[str] = ()) -> bool:
    """Whether each typed word begins a word of the names, or the typed text is an identifier."""
    if _parse_identifiers(typed) & set(identifiers):
        return True
    known = {word for name in names for word in _list_words(name)}
    words = split_name(typed)
    if _begins_one(known, "".join(words)):
        return True
    return all(_begins_one(known, word) for word in words)


def _begins_one(known: Iterable[str], word: str) -> bool:
    return any(name.startswith(spelling) for name in known for spelling in _list_spellings(word))
