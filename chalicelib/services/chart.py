"""A record's FHIR R4 resources as what a screen takes: read, never guessed.

- The disease comes from a billable ICD-10-CM code that fits one disease of the catalogue.
- A record does not count lines of therapy, and we do not derive them. Where the record states a
  line's number on every drug that we know, lines are formed; else they are missing, and the
  drugs that were found are told beside.
- A condition that is there raises its flag; one that is not there says nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, TypeVar, cast

from chalicelib.catalogue import diagnoses
from chalicelib.catalogue.codings import CPT, ICD10CM, LOINC, RXNORM, Medication, codings
from chalicelib.domain.entries import (
    Agent,
    Condition,
    Dose,
    Line,
    Outcome,
    ScreenInput,
    Transplant,
    TransplantKind,
)
from chalicelib.services import fhir
from chalicelib.services.fhir import Resource

LINE_OF_THERAPY = "urn:cart-referrals:line-of-therapy"
"""An extension of an order or administration with the line as the record's own clinicians count
it: `number` (valuePositiveInt), and where they are known `outcome` (valueCode, as the API spells
a response) and `eventOn` (valueDate). FHIR and mCODE have no element for it."""

Done = tuple[str, date | None]
"""What a procedure means to us, and when it was done."""

MOST_LINES = 30
_OUTCOMES: Mapping[str, Outcome] = {outcome.value: outcome for outcome in Outcome}
_Said = TypeVar("_Said")

_NOT_SO = frozenset({"entered-in-error", "refuted"})
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_ORDERED = frozenset({"active", "completed", "on-hold", "stopped"})
_GIVEN = frozenset({"completed", "in-progress", "stopped"})
_FINAL = frozenset({"final", "amended", "corrected"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What was read of a record.

    Attributes:
        diseases: Those of the catalogue that its diagnoses fit; a screen needs exactly one.
        entered: None unless there is one.
        found: Names of the drugs that were read.
        unknown: Drugs that were not read, as the record calls them.
        lines_stated: Whether lines of therapy could be formed.
        incomplete: Some of the record was on further pages.
        ordered: Names of the drugs in the order at hand that matter before collection.
    """

    diseases: tuple[str, ...]
    entered: ScreenInput | None
    found: tuple[str, ...]
    unknown: tuple[str, ...]
    lines_stated: bool
    incomplete: bool
    ordered: tuple[str, ...] = ()


def read(prefetched: Mapping[str, Any], *, drafts: Iterable[Resource], today: date) -> Chart:
    """Read a record as it was sent with a hook; `drafts` are the orders about to be signed."""
    conditions = _conditions(prefetched.get("conditions"))
    drugs = tuple(_drugs(prefetched))
    planned = tuple(_drug(draft, "authoredOn") for draft in drafts)
    incomplete = any(fhir.has_more(part) for part in prefetched.values())
    lines = None if incomplete else _lines(drugs)
    diseases = _diseases(conditions)
    procedures = tuple(_procedures(prefetched.get("procedures")))
    return Chart(
        diseases=diseases,
        entered=ScreenInput(
            disease=diseases[0],
            age=_age(prefetched.get("patient"), today),
            ecog=_ecog(prefetched.get("observations")),
            lines=lines,
            transplant=_transplant(procedures),
            conditions=_flags(conditions, procedures),
            doses=tuple(_doses((*drugs, *_ahead(planned, today)))),
        )
        if len(diseases) == 1
        else None,
        found=_names(drug.known.name for drug in drugs if drug.known),
        unknown=_names(drug.words for drug in (*drugs, *planned) if not drug.known),
        lines_stated=lines is not None,
        incomplete=incomplete,
        ordered=_names(drug.known.name for drug in planned if drug.known and drug.known.agent),
    )


def _flags(conditions: Iterable[str], procedures: Iterable[Done]) -> dict[Condition, bool]:
    """What there is to discuss; what is not in the record stays unanswered."""
    of_conditions = (
        flag
        for flag, stems in codings().conditions.items()
        if any(code.startswith(stems) for code in conditions)
    )
    of_procedures = (reads for reads, _ in procedures if reads == "prior_car_t")
    return {cast("Condition", flag): True for flag in chain(of_conditions, of_procedures)}


def _conditions(prefetched: Any) -> tuple[str, ...]:
    """The ICD-10-CM codes of what the patient has now."""
    active = (
        condition
        for condition in fhir.resources(prefetched, "Condition")
        if fhir.status(condition, "verificationStatus") not in _NOT_SO
        and (fhir.status(condition, "clinicalStatus") or "active") in _ACTIVE
    )
    return _names(chain.from_iterable(fhir.codes(c.get("code"), ICD10CM) for c in active))


def _diseases(conditions: Iterable[str]) -> tuple[str, ...]:
    """The diseases of the catalogue that the diagnoses fit: all of them, if they disagree."""
    billable = diagnoses.code_set().billable
    fitting = [diagnoses.diseases_of(code) for code in conditions if code in billable]
    certain = {each[0] for each in fitting if len(each) == 1}
    # A code of two diseases says nothing new where another one tells which of them it is.
    open_ones = {d for each in fitting if not certain.intersection(each) for d in each}
    return tuple(sorted(certain | open_ones))


def _drugs(prefetched: Mapping[str, Any]) -> Iterator[Drug]:
    for order in fhir.resources(prefetched.get("medications"), "MedicationRequest"):
        if order.get("status") in _ORDERED and not order.get("doNotPerform"):
            yield _drug(order, "authoredOn")
    for dose in fhir.resources(prefetched.get("administrations"), "MedicationAdministration"):
        if dose.get("status") in _GIVEN:
            yield _drug(dose, "effectiveDateTime", given=True)


def _drug(resource: Resource, begins: str, *, given: bool = False) -> Drug:
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
            parts = {part.get("url"): part for part in fhir.mappings(extension.get("extension"))}
            number = parts.get("number", {}).get("valuePositiveInt")
            if type(number) is int and 1 <= number <= MOST_LINES:
                return Stated(
                    number=number,
                    outcome=_OUTCOMES.get(str(parts.get("outcome", {}).get("valueCode"))),
                    event_on=fhir.day(parts.get("eventOn", {}).get("valueDate")),
                )
    return None


def _lines(drugs: tuple[Drug, ...]) -> tuple[Line, ...] | None:
    """The lines that the record states; None where a drug that counts has no number."""
    uncounted = [drug for drug in drugs if drug.line is None and _counts(drug)]
    numbers = sorted({drug.line.number for drug in drugs if drug.line})
    if not numbers or uncounted:
        return None
    return tuple(
        _line(number, [drug for drug in drugs if drug.line and drug.line.number == number], place)
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
        regimen=", ".join(_names(drug.words for drug in drugs)),
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


def _ahead(planned: Iterable[Drug], today: date) -> Iterator[Drug]:
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


def _doses(drugs: Iterable[Drug]) -> Iterator[Dose]:
    """The last dose of each agent that matters before cells are collected; orders are no doses."""
    last: dict[Agent, date] = {}
    for drug in drugs:
        if drug.known and drug.known.agent and drug.given and drug.ended_on:
            agent = cast("Agent", drug.known.agent)
            last[agent] = max(drug.ended_on, last.get(agent, drug.ended_on))
    for place, (agent, day) in enumerate(sorted(last.items())):
        yield Dose(agent=agent, given=True, last_on=day, place=place)


def _procedures(prefetched: Any) -> Iterator[Done]:
    """What each procedure means to us, and when it was done."""
    for procedure in fhir.resources(prefetched, "Procedure"):
        period = procedure.get("performedPeriod")
        performed = procedure.get("performedDateTime") or (
            period.get("start") if isinstance(period, dict) else None
        )
        if procedure.get("status") == "completed":
            for code in fhir.codes(procedure.get("code"), CPT):
                if code in codings().procedures:
                    yield codings().procedures[code], fhir.day(performed)


def _transplant(procedures: Iterable[Done]) -> Transplant:
    kinds = {kind.value for kind in TransplantKind}
    done = [(on or date.min, reads) for reads, on in procedures if reads in kinds]
    if not done:
        return Transplant()
    on, kind = max(done)
    return Transplant(kind=TransplantKind(kind), on=on if on > date.min else None)


def _ecog(prefetched: Any) -> int | None:
    """The latest score, if it is one."""
    scores = [
        (fhir.day(o.get("effectiveDateTime")) or date.min, o.get("valueInteger"))
        for o in fhir.resources(prefetched, "Observation")
        if o.get("status") in _FINAL
        and any(
            codings().observations.get(code) == "ecog" for code in fhir.codes(o.get("code"), LOINC)
        )
    ]
    score = max(scores, key=lambda pair: pair[0])[1] if scores else None
    return score if type(score) is int and 0 <= score <= 4 else None


def _age(patient: Any, today: date) -> int | None:
    born = fhir.day(patient.get("birthDate")) if isinstance(patient, dict) else None
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order in which they were found."""
    return tuple(dict.fromkeys(names))
