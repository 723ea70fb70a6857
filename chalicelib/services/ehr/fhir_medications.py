"""The drugs of a record: lines of therapy as it states them, and last doses. Never derived."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, TypeVar, cast

from chalicelib.catalogue.codings import RXNORM, Medication, codings
from chalicelib.domain.eligibility.screen_input import Agent, Dose, Line, Outcome
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

LINE_OF_THERAPY = "urn:cart-referrals:line-of-therapy"
"""An extension of an order or administration with the line as the record's own clinicians count
it: `number` (valuePositiveInt), and where they are known `outcome` (valueCode, as the API spells
a response) and `eventOn` (valueDate). FHIR and mCODE have no element for it."""


MOST_LINES = 30
_OUTCOMES: Mapping[str, Outcome] = {outcome.value: outcome for outcome in Outcome}
_Said = TypeVar("_Said")

_ORDERED = frozenset({"active", "completed", "on-hold", "stopped"})
_GIVEN = frozenset({"completed", "in-progress", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a record states about a line of therapy, on one of its drugs."""

    number: int
    outcome: Outcome | None
    event_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One order or administration.

    Attributes:
        known: None where its code is not one of ours.
        line: The line of therapy, where the record states it.
    """

    words: str
    known: Medication | None
    line: Stated | None
    started_on: date | None
    ended_on: date | None
    given: bool = False


def drugs(prefetched: Mapping[str, Any]) -> Iterator[Drug]:
    """The orders that stand, and what was given."""
    for order in fhir.resources(prefetched.get("medications"), "MedicationRequest"):
        if fhir.text(order, "status") in _ORDERED and not order.get("doNotPerform"):
            yield drug(order, "authoredOn")
    for dose in fhir.resources(prefetched.get("administrations"), "MedicationAdministration"):
        if fhir.text(dose, "status") in _GIVEN:
            yield drug(dose, "effectiveDateTime", given=True)


def drug(resource: Resource, begins: str, *, given: bool = False) -> Drug:
    """One order or administration; `begins` names the element with its day."""
    concept = resource.get("medicationCodeableConcept")
    known = codings().medications
    period = resource.get("effectivePeriod")
    period = period if isinstance(period, dict) else {}
    started_on = fhir.day(resource.get(begins)) or fhir.day(period.get("start"))
    return Drug(
        words=fhir.words(concept),
        known=next((known[c] for c in fhir.codes(concept, RXNORM) if c in known), None),
        line=_stated(resource),
        started_on=started_on,
        ended_on=fhir.day(period.get("end")) or (started_on if given else None),
        given=given,
    )


def _stated(resource: Resource) -> Stated | None:
    for extension in fhir.mappings(resource.get("extension")):
        if extension.get("url") == LINE_OF_THERAPY:
            parts = {
                fhir.text(part, "url"): part for part in fhir.mappings(extension.get("extension"))
            }
            number = parts.get("number", {}).get("valuePositiveInt")
            if type(number) is int and 1 <= number <= MOST_LINES:
                return Stated(
                    number=number,
                    outcome=_OUTCOMES.get(str(parts.get("outcome", {}).get("valueCode"))),
                    event_on=fhir.day(parts.get("eventOn", {}).get("valueDate")),
                )
    return None


def lines(found: tuple[Drug, ...]) -> tuple[Line, ...] | None:
    """The lines that the record states; None where a drug that counts has no number."""
    uncounted = [drug for drug in found if drug.line is None and _counts(drug)]
    numbers = sorted({drug.line.number for drug in found if drug.line})
    if not numbers or uncounted:
        return None
    return tuple(
        _line(number, [drug for drug in found if drug.line and drug.line.number == number], place)
        for place, number in enumerate(numbers)
    )


def _counts(drug: Drug) -> bool:
    """Whether a drug that we know belongs to a line; steroids are given for much else."""
    return drug.known is not None and drug.known.classes != {"corticosteroid"}


def _line(number: int, drugs: list[Drug], place: int) -> Line:
    """One line. If any of its drugs is unknown, so are its classes."""
    known = [drug.known for drug in drugs if drug.known]
    begun = [drug.started_on for drug in drugs if drug.started_on]
    ended = [drug.ended_on for drug in drugs if drug.ended_on]
    return Line(
        number=number,
        regimen=", ".join(fhir.once(drug.words for drug in drugs)),
        classes=_classes(known) if len(known) == len(drugs) else None,
        started_on=min(begun, default=None),
        ended_on=max(ended) if len(ended) == len(drugs) else None,
        outcome=_agreed(drug.line.outcome for drug in drugs if drug.line),
        event_on=_agreed(drug.line.event_on for drug in drugs if drug.line),
        place=place,
    )


def _agreed(stated: Iterable[_Said | None]) -> _Said | None:
    """What is said of a line, unless its drugs say different things of it."""
    said = {each for each in stated if each is not None}
    return said.pop() if len(said) == 1 else None


def _classes(drugs: Iterable[Medication]) -> frozenset[str]:
    return frozenset(chain.from_iterable(drug.classes for drug in drugs))


def ahead(planned: Iterable[Drug], today: date) -> Iterator[Drug]:
    """What is about to be signed, as if it were given today."""
    for drug in planned:
        yield Drug(
            words=drug.words,
            known=drug.known,
            line=None,
            started_on=today,
            ended_on=today,
            given=True,
        )


def doses(found: Iterable[Drug]) -> Iterator[Dose]:
    """The last dose of each agent that matters before cells are collected; orders are no doses."""
    last: dict[Agent, date] = {}
    for each in found:
        if each.known and each.known.agent and each.given and each.ended_on:
            agent = cast("Agent", each.known.agent)
            last[agent] = max(each.ended_on, last.get(agent, each.ended_on))
    for place, (agent, day) in enumerate(sorted(last.items())):
        yield Dose(agent=agent, given=True, last_on=day, place=place)
