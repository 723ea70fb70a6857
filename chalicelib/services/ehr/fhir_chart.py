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
from typing import Any, cast

from chalicelib.catalogue import diagnoses
from chalicelib.catalogue.codings import CPT, ICD10CM, LOINC, codings
from chalicelib.domain.eligibility.screen_input import (
    Condition,
    ScreenInput,
    Transplant,
    TransplantKind,
)
from chalicelib.services.ehr import fhir_medications as therapy
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

Done = tuple[str, date | None]
"""What a procedure means to us, and when it was done."""

_NOT_SO = frozenset({"entered-in-error", "refuted"})
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_FINAL = frozenset({"final", "amended", "corrected"})


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
    drugs = tuple(therapy.drugs(prefetched))
    planned = tuple(therapy.drug(draft, "authoredOn") for draft in drafts)
    incomplete = any(fhir.has_more(part) for part in prefetched.values())
    lines = None if incomplete else therapy.lines(drugs)
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
            doses=tuple(therapy.doses((*drugs, *therapy.ahead(planned, today)))),
        )
        if len(diseases) == 1
        else None,
        found=fhir.once(drug.known.name for drug in drugs if drug.known),
        unknown=fhir.once(drug.words for drug in (*drugs, *planned) if not drug.known),
        lines_stated=lines is not None,
        incomplete=incomplete,
        ordered=fhir.once(drug.known.name for drug in planned if drug.known and drug.known.agent),
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
    return fhir.once(chain.from_iterable(fhir.codes(c.get("code"), ICD10CM) for c in active))


def _diseases(conditions: Iterable[str]) -> tuple[str, ...]:
    """The diseases of the catalogue that the diagnoses fit: all of them, if they disagree."""
    billable = diagnoses.code_set().billable
    fitting = [diagnoses.diseases_of(code) for code in conditions if code in billable]
    certain = {each[0] for each in fitting if len(each) == 1}
    # A code of two diseases says nothing new where another one tells which of them it is.
    open_ones = {d for each in fitting if not certain.intersection(each) for d in each}
    return tuple(sorted(certain | open_ones))


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
        if fhir.text(o, "status") in _FINAL
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
