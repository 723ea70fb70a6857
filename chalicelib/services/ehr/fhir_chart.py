"""Turns the FHIR R4 resources of a record into the input of an eligibility check, without guesses.

- The disease comes from a billable ICD-10-CM code that matches one disease of the catalog.
- A record does not count lines of therapy, and we do not derive them. If the record states a line's
  number on every drug that we know, the lines are built. Otherwise the lines are missing, and the drugs
  that were found are listed.
- A condition in the record sets its flag. A condition that is not in the record leaves it unanswered.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, cast

from chalicelib.catalog import diagnoses
from chalicelib.catalog.codings import CPT, ICD10CM, LOINC, load_codings
from chalicelib.domain.eligibility.screen_input import FlagName, PriorTransplant, ScreenInput, TransplantKind
from chalicelib.services.ehr import fhir_medications as therapy
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

DatedProcedure = tuple[str, date | None]
"""What a procedure means for the eligibility check, and the day when it was performed."""

_RETRACTED_STATUSES = frozenset({"entered-in-error", "refuted"})
_ACTIVE_STATUSES = frozenset({"active", "recurrence", "relapse"})
_FINAL_STATUSES = frozenset({"final", "amended", "corrected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirChart:
    """What was read from a record.

    Attributes:
        diseases: The diseases of the catalog that its diagnoses match; a check needs exactly one.
        screen_input: None unless there is exactly one disease.
        medication_names: Names of the drugs that were recognized.
        unknown_medications: Drugs that were not recognized, with the record's names.
        has_therapy_lines: Whether lines of therapy could be built.
        incomplete_parts: Part of the record was on further pages.
        ordered_agents: Names of the drugs in the current order that matter before leukapheresis.
    """

    diseases: tuple[str, ...]
    screen_input: ScreenInput | None
    medication_names: tuple[str, ...]
    unknown_medications: tuple[str, ...]
    has_therapy_lines: bool
    incomplete_parts: bool
    ordered_agents: tuple[str, ...] = ()


def parse_chart(prefetched: Mapping[str, Any], *, drafts: Iterable[Resource], today: date) -> FhirChart:
    """Parse a record that was sent with a hook; `drafts` are the orders about to be signed."""
    conditions = _parse_condition_codes(prefetched.get("conditions"))
    medications = tuple(therapy.list_medications(prefetched))
    planned_orders = tuple(therapy.parse_medication(draft, "authoredOn") for draft in drafts)
    incomplete = any(fhir.has_more(part) for part in prefetched.values())
    lines = None if incomplete else therapy.build_therapy_lines(medications)
    diseases = _match_diseases(conditions)
    procedures = tuple(_parse_procedures(prefetched.get("procedures")))
    return FhirChart(
        diseases=diseases,
        screen_input=ScreenInput(
            disease=diseases[0],
            age=_compute_age(prefetched.get("patient"), today),
            ecog=_parse_ecog(prefetched.get("observations")),
            lines=lines,
            transplant=_parse_transplant(procedures),
            conditions=_parse_flags(conditions, procedures),
            doses=tuple(therapy.list_last_doses((*medications, *therapy.list_planned_doses(planned_orders, today)))),
        )
        if len(diseases) == 1
        else None,
        medication_names=fhir.remove_duplicates(drug.medication.name for drug in medications if drug.medication),
        unknown_medications=fhir.remove_duplicates(
            drug.name for drug in (*medications, *planned_orders) if not drug.medication
        ),
        has_therapy_lines=lines is not None,
        incomplete_parts=incomplete,
        ordered_agents=fhir.remove_duplicates(
            drug.medication.name for drug in planned_orders if drug.medication and drug.medication.agent
        ),
    )


def _parse_flags(conditions: Iterable[str], procedures: Iterable[DatedProcedure]) -> dict[FlagName, bool]:
    """The flags that the record sets; what is not in the record stays unanswered."""
    condition_flags = (
        flag for flag, stems in load_codings().conditions.items() if any(code.startswith(stems) for code in conditions)
    )
    procedure_flags = (meaning for meaning, _ in procedures if meaning == "prior_car_t")
    return {cast("FlagName", flag): True for flag in chain(condition_flags, procedure_flags)}


def _parse_condition_codes(prefetched: Any) -> tuple[str, ...]:
    """The ICD-10-CM codes of the patient's active conditions."""
    active = (
        condition
        for condition in fhir.list_resources(prefetched, "Condition")
        if fhir.read_status(condition, "verificationStatus") not in _RETRACTED_STATUSES
        and (fhir.read_status(condition, "clinicalStatus") or "active") in _ACTIVE_STATUSES
    )
    return fhir.remove_duplicates(chain.from_iterable(fhir.list_codes(c.get("code"), ICD10CM) for c in active))


def _match_diseases(conditions: Iterable[str]) -> tuple[str, ...]:
    """The diseases of the catalog that the diagnoses match; all of them if the diagnoses disagree."""
    billable = diagnoses.load_code_set().billable
    matches = [diagnoses.list_diseases_for_code(code) for code in conditions if code in billable]
    certain = {diseases[0] for diseases in matches if len(diseases) == 1}
    # A code of two diseases adds nothing if another code says which of the two it is.
    ambiguous = {d for diseases in matches if not certain.intersection(diseases) for d in diseases}
    return tuple(sorted(certain | ambiguous))


def _parse_procedures(prefetched: Any) -> Iterator[DatedProcedure]:
    """What each completed procedure means for the check, and when it was performed."""
    for procedure in fhir.list_resources(prefetched, "Procedure"):
        period = procedure.get("performedPeriod")
        performed = procedure.get("performedDateTime") or (period.get("start") if isinstance(period, dict) else None)
        if procedure.get("status") == "completed":
            for code in fhir.list_codes(procedure.get("code"), CPT):
                if code in load_codings().procedures:
                    yield load_codings().procedures[code], fhir.parse_day(performed)


def _parse_transplant(procedures: Iterable[DatedProcedure]) -> PriorTransplant:
    kinds = {kind.value for kind in TransplantKind}
    transplants = [(on or date.min, meaning) for meaning, on in procedures if meaning in kinds]
    if not transplants:
        return PriorTransplant()
    on, kind = max(transplants)
    return PriorTransplant(kind=TransplantKind(kind), on=on if on > date.min else None)


def _parse_ecog(prefetched: Any) -> int | None:
    """The latest ECOG score, if it is valid."""
    scores = [
        (fhir.parse_day(o.get("effectiveDateTime")) or date.min, o.get("valueInteger"))
        for o in fhir.list_resources(prefetched, "Observation")
        if fhir.read_text(o, "status") in _FINAL_STATUSES
        and any(load_codings().observations.get(code) == "ecog" for code in fhir.list_codes(o.get("code"), LOINC))
    ]
    score = max(scores, key=lambda pair: pair[0])[1] if scores else None
    return score if type(score) is int and 0 <= score <= 4 else None


def _compute_age(patient: Any, today: date) -> int | None:
    born = fhir.parse_day(patient.get("birthDate")) if isinstance(patient, dict) else None
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
