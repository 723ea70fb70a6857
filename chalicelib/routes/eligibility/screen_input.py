"""Turns the request of an eligibility check into the domain's input.

Apart from the response types, because it imports the rules, which only the first check loads.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.eligibility.screen_input import (
    LastDose,
    LineOutcome,
    NoTransplantReason,
    PriorTransplant,
    ScreenInput,
    TherapyLine,
    TransplantKind,
)
from chalicelib.routes.eligibility.request_bodies import ScreenRequest
from chalicelib.routes.referrals.clinical_fields import TransplantRequest
from chalicelib.routes.referrals.request_bodies import Clinical, LineOfTherapy

_OUTCOME_BY_VALUE: Mapping[str, LineOutcome] = {outcome.value: outcome for outcome in LineOutcome}
"""Outcomes by their API value; `unknown` is not among them, because it says no more than no answer."""


def to_screen_input(body: ScreenRequest) -> ScreenInput:
    """Build the input of a check. A list of lines that was not sent differs from an empty list."""
    clinical = body.clinical
    is_sent = "prior_lines" in clinical.model_fields_set
    lines = tuple(_to_therapy_line(line, position) for position, line in enumerate(clinical.prior_lines))
    return ScreenInput(
        disease=clinical.disease,
        age=body.age,
        histology=clinical.histology,
        ecog=clinical.ecog,
        lines=lines if is_sent else None,
        hsct_eligible=clinical.hsct_eligible,
        no_transplant_reason=NoTransplantReason(
            clinical.no_transplant_because or NoTransplantReason.AGE_OR_COMORBIDITY
        ),
        lenalidomide_refractory=clinical.lenalidomide_refractory,
        transplant=_to_transplant(clinical.transplant),
        conditions=_list_given_answers(clinical, "flags"),
        labs=_list_given_answers(clinical, "labs"),
        doses=tuple(
            LastDose(
                agent=dose.agent, given=dose.given, last_on=dose.last_on, daily_mg=dose.daily_mg, position=position
            )
            for position, dose in enumerate(clinical.last_doses or ())
        ),
        last_imaging_on=clinical.last_imaging_on,
        planned_collection_on=body.planned_collection_on,
    )


def _to_therapy_line(line: LineOfTherapy, position: int) -> TherapyLine:
    return TherapyLine(
        number=line.line,
        regimen=line.regimen,
        classes=frozenset(line.classes) or None,
        started_on=line.started_on,
        ended_on=line.ended_on,
        outcome=_OUTCOME_BY_VALUE.get(line.response or ""),
        event_on=line.event_on,
        position=position,
    )


def _to_transplant(transplant: TransplantRequest | None) -> PriorTransplant:
    if transplant is None:
        return PriorTransplant()
    kind = TransplantKind(transplant.kind) if transplant.kind else None
    return PriorTransplant(kind=kind, on=transplant.on)


def _list_given_answers(clinical: Clinical, section: str) -> dict[Any, Any]:
    """The answers of a section that were given."""
    answers = getattr(clinical, section)
    return answers.model_dump(exclude_none=True) if answers else {}
