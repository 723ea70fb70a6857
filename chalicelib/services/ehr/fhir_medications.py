"""The drugs in a record: lines of therapy as the record states them, and last doses. Nothing is derived."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, TypeVar, cast

from chalicelib.catalog.codings import RXNORM, CodedMedication, load_codings
from chalicelib.domain.eligibility.screen_input import AgentName, LastDose, TherapyLine
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_lines import LineStatement, StatedLines
from chalicelib.services.ehr.fhir_resources import Resource

_Value = TypeVar("_Value")

PREFETCH_PARTS = ("medications", "administrations", "statements", "dispenses")
"""The prefetched parts with drugs. Any kind of drug resource is read in any of them."""

STATUSES_BY_KIND: Mapping[str, frozenset[str]] = {
    "MedicationRequest": frozenset({"active", "completed", "on-hold", "stopped"}),
    "MedicationAdministration": frozenset({"completed", "in-progress", "stopped"}),
    "MedicationStatement": frozenset({"active", "completed", "on-hold", "stopped"}),
    "MedicationDispense": frozenset({"completed", "in-progress", "stopped"}),
}
"""What is read of each kind. Not read: mistakes, drafts, and what was planned, canceled or not taken."""

_DATE_ELEMENTS: Mapping[str, str] = {
    "MedicationRequest": "authoredOn",
    "MedicationAdministration": "effectiveDateTime",
    "MedicationStatement": "effectiveDateTime",
    "MedicationDispense": "whenHandedOver",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationRecord:
    """One drug of an order, an administration, a statement or a dispense.

    Attributes:
        name: As the record writes it.
        medication: None if its code is not in our list.
        line: The line of therapy, if the record states it.
        given: Its dates are those of doses. An order or a dispense is not a dose.
    """

    name: str
    medication: CodedMedication | None
    line: LineStatement | None
    started_on: date | None
    ended_on: date | None
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyCourse:
    """A drug that was found, with its first and last day. It can be a part of one line, or of several."""

    name: str
    classes: frozenset[str]
    started_on: date | None
    ended_on: date | None


def index_medications(prefetched: Mapping[str, Any], drafts: Any) -> Mapping[str, Resource]:
    """The Medication resources that orders can refer to, wherever they were sent."""
    return fhir.index_resources([*prefetched.values(), drafts], "Medication")


def list_medications(
    prefetched: Mapping[str, Any], index: Mapping[str, Resource], stated: StatedLines, *, today: date
) -> Iterator[MedicationRecord]:
    """List the drugs of everything valid that the record states about drugs."""
    for part in PREFETCH_PARTS:
        for kind, statuses in STATUSES_BY_KIND.items():
            for resource in fhir.list_resources(prefetched.get(part), kind):
                if fhir.read_text(resource, "status") in statuses and not resource.get("doNotPerform"):
                    yield from parse_medications(resource, index, stated, today=today)


def parse_medications(
    resource: Resource, index: Mapping[str, Resource], stated: StatedLines, *, today: date
) -> Iterator[MedicationRecord]:
    """Parse one resource: one drug, or several if its Medication is coded only by its ingredients."""
    kind = fhir.read_text(resource, "resourceType")
    period = resource.get("effectivePeriod")
    period = period if isinstance(period, dict) else {}
    started_on = fhir.parse_day(resource.get(_DATE_ELEMENTS.get(kind, ""))) or fhir.parse_day(period.get("start"))
    ended_on = fhir.parse_day(period.get("end"))
    given = kind == "MedicationAdministration"
    if given:
        ended_on = ended_on or started_on
    elif ended_on and ended_on > today:
        # A statement about what will be taken until then. No dose of the future was given.
        ended_on = None
    name, drugs = _identify_drugs(resource, index)
    line = stated.find(resource)
    for medication in drugs or (None,):
        yield MedicationRecord(
            name=name,
            medication=medication,
            line=line,
            started_on=started_on,
            ended_on=ended_on,
            given=given or (kind == "MedicationStatement" and ended_on is not None),
        )


def _identify_drugs(resource: Resource, index: Mapping[str, Resource]) -> tuple[str, tuple[CodedMedication, ...]]:
    """The record's name of a drug, and the drugs of our list.

    FHIR writes a drug as a concept, as a reference to a Medication that is contained in the resource or sent
    with it, or as a reference that has only a name.
    """
    concept = resource.get("medicationCodeableConcept")
    ingredients: tuple[Any, ...] = ()
    reference = resource.get("medicationReference")
    if isinstance(reference, dict):
        medication = fhir.resolve_reference(reference, resource, index) or {}
        concept = medication.get("code") or {"text": reference.get("display")}
        ingredients = tuple(i.get("itemCodeableConcept") for i in fhir.keep_objects(medication.get("ingredient")))
    for concepts in ((concept,), ingredients):
        if found := tuple(dict.fromkeys(d for each in concepts if (d := _find_drug(each)))):
            return fhir.format_concept(concept), found
    named = (fhir.format_concept(each) for each in (concept, *ingredients))
    return next((name for name in named if name != fhir.NO_CODE), fhir.NO_CODE), ()


def _find_drug(concept: Any) -> CodedMedication | None:
    known = load_codings().medications
    return next((known[c] for c in fhir.list_codes(concept, RXNORM) if c in known), None)


def build_therapy_lines(
    medications: tuple[MedicationRecord, ...], stated: StatedLines
) -> tuple[TherapyLine, ...] | None:
    """The lines that the record states; None if a drug that counts toward a line has no number."""
    uncounted = [drug for drug in medications if drug.line is None and _counts_toward_line(drug)]
    statements = [*stated.statements, *(drug.line for drug in medications if drug.line)]
    if not statements or uncounted or stated.is_unclear:
        return None
    return tuple(
        _build_line(
            number,
            [drug for drug in medications if drug.line and drug.line.number == number],
            [each for each in statements if each.number == number],
            position,
        )
        for position, number in enumerate(sorted({each.number for each in statements}))
    )


def list_courses(medications: Iterable[MedicationRecord]) -> tuple[TherapyCourse, ...]:
    """The drugs that count toward lines, each with its first and last day, in the order of their first days.

    They are not grouped into lines.
    """
    found: dict[str, list[MedicationRecord]] = {}
    for drug in medications:
        if drug.medication and _counts_toward_line(drug):
            found.setdefault(drug.medication.name, []).append(drug)
    courses = (
        TherapyCourse(
            name=name,
            classes=_collect_classes(drug.medication for drug in drugs if drug.medication),
            started_on=min((drug.started_on for drug in drugs if drug.started_on), default=None),
            ended_on=max((drug.ended_on for drug in drugs if drug.ended_on), default=None),
        )
        for name, drugs in found.items()
    )
    return tuple(sorted(courses, key=lambda course: course.started_on or date.max))


def _counts_toward_line(drug: MedicationRecord) -> bool:
    """Whether a known drug must have a line. Corticosteroids and immunosuppressants have many other uses."""
    if drug.medication is None:
        return False
    return drug.medication.classes != {"corticosteroid"} and drug.medication.agent != "immunosuppressant"


def _build_line(
    number: int, drugs: list[MedicationRecord], statements: list[LineStatement], position: int
) -> TherapyLine:
    """Build one line. If any of its drugs is unknown, its classes are unknown too."""
    known = [drug.medication for drug in drugs if drug.medication]
    begun = [drug.started_on for drug in drugs if drug.started_on]
    ended = [drug.ended_on for drug in drugs if drug.ended_on]
    names = [drug.name for drug in drugs] or [each.regimen for each in statements if each.regimen]
    return TherapyLine(
        number=number,
        regimen=", ".join(fhir.remove_duplicates(names)),
        classes=_collect_classes(known) if known and len(known) == len(drugs) else None,
        started_on=_get_agreed_value(each.started_on for each in statements) or min(begun, default=None),
        ended_on=_get_agreed_value(each.ended_on for each in statements)
        or (max(ended) if ended and len(ended) == len(drugs) else None),
        outcome=_get_agreed_value(each.outcome for each in statements),
        event_on=_get_agreed_value(each.event_on for each in statements),
        position=position,
    )


def _get_agreed_value(stated: Iterable[_Value | None]) -> _Value | None:
    """The value that the drugs of a line state, or None if they disagree."""
    values = {each for each in stated if each is not None}
    return values.pop() if len(values) == 1 else None


def _collect_classes(drugs: Iterable[CodedMedication]) -> frozenset[str]:
    return frozenset(chain.from_iterable(drug.classes for drug in drugs))


def list_planned_doses(planned_orders: Iterable[MedicationRecord], today: date) -> Iterator[MedicationRecord]:
    """The orders about to be signed, as if they were given today."""
    for drug in planned_orders:
        yield MedicationRecord(
            name=drug.name, medication=drug.medication, line=None, started_on=today, ended_on=today, given=True
        )


def list_last_doses(medications: Iterable[MedicationRecord]) -> Iterator[LastDose]:
    """The last dose of each agent that matters before leukapheresis. An order is not a dose."""
    last: dict[AgentName, date] = {}
    for each in medications:
        if each.medication and each.medication.agent and each.given and each.ended_on:
            agent = cast("AgentName", each.medication.agent)
            last[agent] = max(each.ended_on, last.get(agent, each.ended_on))
    for place, (agent, day) in enumerate(sorted(last.items())):
        yield LastDose(agent=agent, given=True, last_on=day, position=place)
