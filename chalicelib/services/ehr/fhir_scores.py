"""Performance scores in a record: ECOG, Karnofsky and Lansky, in each form that FHIR allows. None is converted.

The check uses ECOG. Published tables that turn Karnofsky into ECOG disagree, so the other two are shown as
they are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from chalicelib.catalog.codings import CodedScore, load_codings
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

ECOG = "ecog"
MAX_ECOG = 4
"""5 means death."""

_FINAL_STATUSES = frozenset({"final", "amended", "corrected"})
_NAMES = "ECOG|WHO|KPS|Karnofsky|Lansky|performance|play|status|PS|score|grade"
_WORDS = re.compile(
    rf"(?:(?:{_NAMES})[ :=]*)*(\d{{1,3}})\s*%?(?:\s*[-:.(\u2013]\s*(?!\d).*)?", re.ASCII | re.DOTALL | re.IGNORECASE
)
"""A number, with or without the name of its score before it and words after it.

Neither a range (`1-2`) nor a comparison (`less than 2`) is a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The latest score of one kind.

    Attributes:
        value: None if it could not be read.
    """

    name: str
    value: int | None
    on: date | None


def parse_scores(prefetched: Any) -> tuple[Score, ...]:
    """Parse the latest final score of each kind that the record has."""
    observations = [
        o for o in fhir.list_resources(prefetched, "Observation") if fhir.read_text(o, "status") in _FINAL_STATUSES
    ]
    return tuple(_list_latest(observations))


def _list_latest(observations: list[Resource]) -> Iterator[Score]:
    for score in load_codings().scores:
        found = [
            Score(name=score.name, value=_parse_value(o, score), on=_parse_day(o))
            for o in observations
            if score.code in fhir.list_codes(o.get("code"), score.system)
        ]
        if found:
            yield max(found, key=lambda each: each.on or date.min)


def _parse_day(observation: Resource) -> date | None:
    period = observation.get("effectivePeriod")
    start = period.get("start") if isinstance(period, dict) else None
    return fhir.parse_day(observation.get("effectiveDateTime")) or fhir.parse_day(start)


def _parse_value(observation: Resource, score: CodedScore) -> int | None:
    number = _parse_number(observation, score)
    allowed = range(MAX_ECOG + 1) if score.name == ECOG else range(0, 101, 10)
    return number if number in allowed else None


def _parse_number(observation: Resource, score: CodedScore) -> int | None:
    """The number of an integer, a quantity, a text, or a coded answer."""
    integer, quantity = observation.get("valueInteger"), observation.get("valueQuantity")
    if isinstance(quantity, dict) and integer is None:
        integer = quantity.get("value")
    if type(integer) is int:
        return integer
    if type(integer) is float and integer.is_integer():
        return int(integer)
    concept = observation.get("valueCodeableConcept")
    if isinstance(concept, dict):
        coded = {number for (system, code), number in score.answers.items() if code in fhir.list_codes(concept, system)}
        return coded.pop() if len(coded) == 1 else _parse_words(concept.get("text"))
    return _parse_words(observation.get("valueString"))


def _parse_words(text: Any) -> int | None:
    found = _WORDS.fullmatch(text.strip()) if isinstance(text, str) else None
    return int(found[1]) if found else None
