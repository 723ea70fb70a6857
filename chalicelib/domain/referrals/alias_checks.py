"""Checks of a patient's alias: it is the only name that email may carry, so it must reveal nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.name_search import split_name

_LONGEST_NUMBER = 3
"""How many digits in a row an alias may have: "Blue Heron 12" is fine, a year or a record number is not."""

_MIN_LETTERS_INSIDE_WORD = 5
"""How long a term must be to be searched for inside the words of an alias. "Ana" is in too many words."""

_MIN_RECORD_NUMBER = 3
"""How long a record number must be to be searched for."""

_MAX_WORDS_JOINED = 4
"""How many words of an alias are read as one: "B ALL" as "B-ALL", "De La Cruz" as "delacruz"."""

_DATE = re.compile(r"\d{1,4}\s*[-/.,]\s*\d{1,2}(\s*[-/.,]\s*\d{1,4})?")
_MONTH = (
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?"
    r"|nov(ember)?|dec(ember)?)"
)
_DATE_IN_WORDS = re.compile(rf"\b{_MONTH}\.?\s*\d|\d\s*{_MONTH}\b")
_AGE_AND_SEX = re.compile(r"\b\d{1,3}\s*-?\s*(f|m|fem|female|male|yo|y/o|yrs?|years?)\b")


class AliasFault(StrEnum):
    """What an alias reveals. The values are error codes."""

    NAME = "alias_has_name"
    DATE = "alias_has_date"
    NUMBER = "alias_has_number"
    DISEASE = "alias_has_disease"
    PRODUCT = "alias_has_product"


ALIAS_MESSAGES: Mapping[AliasFault, str] = {
    AliasFault.NAME: "This alias contains a name of the patient or caregiver. Choose other words.",
    AliasFault.DATE: "This alias contains a date, an age or a long number. Choose other words.",
    AliasFault.NUMBER: "This alias contains a record number. Choose other words.",
    AliasFault.DISEASE: "This alias names a disease. Choose other words.",
    AliasFault.PRODUCT: "This alias names a product. Choose other words.",
}


def find_alias_fault(
    alias: str, facts: Mapping[str, Any], *, diseases: Iterable[str], products: Iterable[str]
) -> AliasFault | None:
    """Find what an alias reveals about the patient; None if it reveals nothing.

    Args:
        alias: The alias as the practice entered it.
        facts: The sections of the referral, with the names of the request body.
        diseases: Codes, names and abbreviations of diseases.
        products: Ids, brand names and generic names of products.
    """
    words, lowered = split_name(alias), alias.casefold()
    joined = "".join(words)
    if any(_contains(words, joined, name) for name in _list_names(facts)):
        return AliasFault.NAME
    if any(len(number) >= _MIN_RECORD_NUMBER and number in joined for number in _list_record_numbers(facts)):
        return AliasFault.NUMBER
    if _contains_date(lowered):
        return AliasFault.DATE
    if any(_contains(words, joined, term) for term in diseases):
        return AliasFault.DISEASE
    if any(_contains(words, joined, term) for term in products):
        return AliasFault.PRODUCT
    return None


def normalize_alias(alias: str) -> str:
    """The form in which two aliases are compared: lowercase, without accents, spaces and punctuation."""
    return "".join(split_name(alias)) or alias.strip().casefold()


def is_same_patient(facts: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether two referrals are about one patient: the same names and date of birth, as they were entered."""
    return _identify(facts) == _identify(others)


def _identify(facts: Mapping[str, Any]) -> tuple[object, ...]:
    patient = facts.get("patient") or {}
    names = (split_name(patient.get(name) or "") for name in ("family_name", "given_name"))
    return (*(tuple(name) for name in names), patient.get("birth_date"))


def _contains(words: Sequence[str], joined: str, term: str) -> bool:
    """Whether the term is one or a few words of the alias, or a long term is part of it."""
    squeezed = "".join(split_name(term))
    if not squeezed:
        return False
    return squeezed in _join_neighbors(words) or (len(squeezed) >= _MIN_LETTERS_INSIDE_WORD and squeezed in joined)


def _join_neighbors(words: Sequence[str]) -> set[str]:
    return {
        "".join(words[first:last])
        for first in range(len(words))
        for last in range(first + 1, min(first + _MAX_WORDS_JOINED, len(words)) + 1)
    }


def _list_names(facts: Mapping[str, Any]) -> Iterator[str]:
    patient = facts.get("patient") or {}
    caregiver = patient.get("caregiver") or {}
    for text in (patient.get("given_name"), patient.get("family_name"), caregiver.get("name")):
        # One letter is an initial, which is in too many aliases to mean anything.
        yield from (word for word in split_name(text or "") if len(word) > 1)


def _list_record_numbers(facts: Mapping[str, Any]) -> Iterator[str]:
    patient, insurance = facts.get("patient") or {}, facts.get("insurance") or {}
    for text in (patient.get("mrn"), insurance.get("member_id"), patient.get("phone")):
        yield "".join(split_name(text or ""))


def _contains_date(lowered: str) -> bool:
    if any(len(number) > _LONGEST_NUMBER for number in re.findall(r"\d+", lowered)):
        return True
    return any(pattern.search(lowered) for pattern in (_DATE, _DATE_IN_WORDS, _AGE_AND_SEX))
