"""Turns the FHIR R4 resources of a record into the input of an eligibility check, without guesses.

- The disease comes from the active conditions (`fhir_diagnoses`).
- A record does not count lines of therapy, and we do not derive them. If the record states the line of
  every drug that we know (`fhir_lines`), the lines are built. Otherwise the lines are missing, and the
  drugs that were found are listed with their dates.
- A condition in the record sets its flag. A condition that is not in the record leaves it unanswered.
- What was sent and could not be read is named. It is never treated as if it were not there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from chalicelib.catalog.codings import CPT, load_codings
from chalicelib.domain.eligibility.screen_input import FlagName, PriorTransplant, ScreenInput, TransplantKind
from chalicelib.services.ehr import fhir_medications as therapy
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_diagnoses import parse_diagnoses
from chalicelib.services.ehr.fhir_lines import PREFETCH_PARTS as LINE_PARTS
from chalicelib.services.ehr.fhir_lines import parse_stated_lines
from chalicelib.services.ehr.fhir_medications import TherapyCourse
from chalicelib.services.ehr.fhir_scores import ECOG, Score, parse_scores

DatedProcedure = tuple[str, date | None]
"""What a procedure means for the eligibility check, and the day when it was performed."""

KINDS_BY_PART: Mapping[str, frozenset[str]] = {
    "patient": frozenset({"Patient"}),
    "conditions": frozenset({"Condition"}),
    **dict.fromkeys(therapy.PREFETCH_PARTS, frozenset(therapy.STATUSES_BY_KIND)),
    **{part: frozenset({kind}) for part, kind in LINE_PARTS.items()},
    "procedures": frozenset({"Procedure"}),
    "observations": frozenset({"Observation"}),
}
"""The prefetched parts that are read, and the kinds of resources in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirChart:
    """What was read from a record.

    Attributes:
        diseases: The diseases of the catalog that its diagnoses match; a check needs exactly one.
        screen_input: None unless there is exactly one disease.
        medication_names: Names of the drugs that were recognized.
        unknown_medications: Drugs that were not recognized, with the record's names.
        courses: The drugs that count toward lines, if no lines could be built.
        scores: The latest performance score of each kind.
        unread_diagnoses: Active conditions without a code that could be read, with the record's names.
        unread_parts: Prefetched parts that could not be read, by their names in the prefetch templates.
        has_therapy_lines: Whether lines of therapy could be built.
        incomplete_parts: Part of the record was on further pages.
        incomplete_diagnoses: Conditions were on further pages.
        ordered_agents: Names of the drugs in the current order that matter before leukapheresis.
    """

    diseases: tuple[str, ...]
    screen_input: ScreenInput | None
    medication_names: tuple[str, ...]
    unknown_medications: tuple[str, ...]
    has_therapy_lines: bool
    incomplete_parts: bool
    incomplete_diagnoses: bool = False
    courses: tuple[TherapyCourse, ...] = ()
    scores: tuple[Score, ...] = ()
    unread_diagnoses: tuple[str, ...] = ()
    unread_parts: tuple[str, ...] = ()
    ordered_agents: tuple[str, ...] = ()

    @property
    def is_fully_read(self) -> bool:
        """Whether all that was sent was read, and all conditions were sent. Only then may there be nothing to say."""
        return not (self.unread_diagnoses or self.unread_parts or self.incomplete_diagnoses)


def parse_chart(prefetched: Mapping[str, Any], *, draft_orders: Any = None, today: date) -> FhirChart:
    """Parse a record that was sent with a hook; `draft_orders` is the Bundle of orders about to be signed."""
    found = parse_diagnoses(prefetched.get("conditions"), today=today)
    stated = parse_stated_lines(prefetched, today=today)
    index = therapy.index_medications(prefetched, draft_orders)
    medications = tuple(therapy.list_medications(prefetched, index, stated, today=today))
    planned_orders = tuple(
        drug
        for draft in fhir.list_resources(draft_orders, "MedicationRequest")
        for drug in therapy.parse_medications(draft, index, stated, today=today)
    )
    unread = tuple(part for part, kinds in KINDS_BY_PART.items() if fhir.is_unreadable(prefetched.get(part), kinds))
    incomplete = any(fhir.has_more(part) for part in prefetched.values())
    # A page or a part that is missing could have the line that decides.
    lines = None if incomplete or unread else therapy.build_therapy_lines(medications, stated)
    scores = parse_scores(prefetched.get("observations"))
    procedures = tuple(_parse_procedures(prefetched.get("procedures")))
    return FhirChart(
        diseases=found.diseases,
        screen_input=ScreenInput(
            disease=found.diseases[0],
            age=_compute_age(prefetched.get("patient"), today),
            histology=found.histology,
            ecog=next((score.value for score in scores if score.name == ECOG), None),
            lines=lines,
            transplant=_parse_transplant(procedures),
            conditions=_combine_flags(found.flags, procedures),
            doses=tuple(therapy.list_last_doses((*medications, *therapy.list_planned_doses(planned_orders, today)))),
        )
        if len(found.diseases) == 1
        else None,
        medication_names=fhir.remove_duplicates(drug.medication.name for drug in medications if drug.medication),
        unknown_medications=fhir.remove_duplicates(
            drug.name for drug in (*medications, *planned_orders) if not drug.medication
        ),
        has_therapy_lines=lines is not None,
        incomplete_parts=incomplete,
        incomplete_diagnoses=fhir.has_more(prefetched.get("conditions")),
        courses=therapy.list_courses(medications) if lines is None else (),
        scores=scores,
        unread_diagnoses=found.unread,
        unread_parts=unread,
        ordered_agents=fhir.remove_duplicates(
            drug.medication.name for drug in planned_orders if drug.medication and drug.medication.agent
        ),
    )


def _combine_flags(flags: Iterable[FlagName], procedures: Iterable[DatedProcedure]) -> dict[FlagName, bool]:
    """The flags that conditions and procedures set; what is not in the record stays unanswered."""
    by_procedure = (cast("FlagName", meaning) for meaning, _ in procedures if meaning == "prior_car_t")
    return dict.fromkeys((*flags, *by_procedure), True)


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


def _compute_age(patient: Any, today: date) -> int | None:
    born = fhir.parse_day(patient.get("birthDate")) if isinstance(patient, dict) else None
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
