"""A screen's body as the domain reads it, and its answer as the API tells it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.catalog import DISEASE_NAMES
from chalicelib.domain.eligibility.criterion_result import MissingValue, SourceReference
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.eligibility.discuss_with_center import CollectionCheck, DiscussionFlag, ThresholdSource
from chalicelib.domain.eligibility.screen import CriterionReason, IndicationResult, RowResult, ScreenOutcome
from chalicelib.domain.eligibility.screen_input import (
    LastDose,
    LineOutcome,
    NoTransplantReason,
    PriorTransplant,
    ScreenInput,
    TherapyLine,
    TransplantKind,
)
from chalicelib.routes.referrals.clinical_fields import TransplantBody
from chalicelib.routes.referrals.request_bodies import Clinical, LineOfTherapy, ScreenBody

SCREEN_DISCLAIMER = (
    "This compares what was entered with what labels say, and is meant for a conversation with a treatment center."
)

_OUTCOME_BY_VALUE: Mapping[str, LineOutcome] = {outcome.value: outcome for outcome in LineOutcome}
"""By their spelling; `unknown` is none of them, and says as little as silence."""


def to_screen_input(body: ScreenBody) -> ScreenInput:
    """The body as the screen reads it. A list of lines that was not sent is not an empty one."""
    clinical = body.clinical
    sent = "prior_lines" in clinical.model_fields_set
    lines = tuple(_to_therapy_line(line, place) for place, line in enumerate(clinical.prior_lines))
    return ScreenInput(
        disease=clinical.disease,
        age=body.age,
        histology=clinical.histology,
        ecog=clinical.ecog,
        lines=lines if sent else None,
        hsct_eligible=clinical.hsct_eligible,
        no_transplant_reason=NoTransplantReason(
            clinical.no_transplant_because or NoTransplantReason.AGE_OR_COMORBIDITY
        ),
        lenalidomide_refractory=clinical.lenalidomide_refractory,
        transplant=_to_transplant(clinical.transplant),
        conditions=_list_given_answers(clinical, "flags"),
        labs=_list_given_answers(clinical, "labs"),
        doses=tuple(
            LastDose(agent=dose.agent, given=dose.given, last_on=dose.last_on, position=place)
            for place, dose in enumerate(clinical.last_doses or ())
        ),
        planned_collection_on=body.planned_collection_on,
    )


def to_screen_response(screening: ScreenOutcome) -> dict[str, Any]:
    """The answer, with the statements that always go with it."""
    return {
        "results": [_to_result_response(result) for result in screening.results],
        "discuss_with_center": [_to_flag_response(flag) for flag in screening.discuss_with_center],
        "not_asked": _to_missing_response(screening.unanswered),
        "collection_checks": [_to_check_response(check) for check in screening.collection_checks],
        "planned_collection_on": _format_day(screening.planned_collection_on),
        "screened_on": screening.screened_on.isoformat(),
        "catalogue_version": screening.catalogue_version,
        "disclaimer": " ".join((SCREEN_DISCLAIMER, *DISCLAIMERS)),
        "disclaimers": list(DISCLAIMERS),
        "emergency_note": EMERGENCY_NOTE,
    }


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


def _to_transplant(transplant: TransplantBody | None) -> PriorTransplant:
    if transplant is None:
        return PriorTransplant()
    kind = TransplantKind(transplant.kind) if transplant.kind else None
    return PriorTransplant(kind=kind, on=transplant.on)


def _list_given_answers(clinical: Clinical, section: str) -> dict[Any, Any]:
    """The answers of a section that were given."""
    answers = getattr(clinical, section)
    return answers.model_dump(exclude_none=True) if answers else {}


def _to_result_response(result: IndicationResult) -> dict[str, Any]:
    return {
        "product_id": result.product_id,
        "product_name": result.product_name,
        "indication": result.disease,
        "indication_name": DISEASE_NAMES[result.disease],
        "result": result.result.value,
        "rows": [
            {
                "row_id": row.row_id,
                "text": row.text,
                "result": row.result.value,
                "missing": _to_missing_response(row.missing),
            }
            for row in result.rows
        ],
        "reasons": [_to_reason_response(row, reason) for row in result.rows for reason in row.reasons],
        "missing": _to_missing_response(result.missing),
        "limitations": list(result.limitations),
        "label_as_of": result.label_as_of.isoformat(),
        "version": result.version,
        "sources": [_to_source_response(source) for source in result.sources],
    }


def _to_reason_response(row: RowResult, reason: CriterionReason) -> dict[str, Any]:
    return {
        "row_id": row.row_id,
        "rule": reason.rule,
        "text": reason.text,
        "met": reason.met,
        "either": reason.alternative_group,
        "entered": [{"pointer": each.pointer, "label": each.label, "value": each.value} for each in reason.entered],
        "missing": _to_missing_response(reason.missing),
        "source": _to_source_response(reason.source),
        "unverified": reason.unverified,
    }


def _to_flag_response(flag: DiscussionFlag) -> dict[str, Any]:
    return {
        "flag": flag.flag,
        "label": flag.label,
        "value": flag.value,
        "text": flag.text,
        **_to_sources_response(flag.sources),
    }


def _to_check_response(check: CollectionCheck) -> dict[str, Any]:
    return {
        "check": check.check,
        "label": check.label,
        "state": check.state.value,
        "last_on": _format_day(check.last_on),
        "clear_from": _format_day(check.earliest_on),
        "missing": _to_missing_response(check.missing),
        **_to_sources_response(check.sources),
    }


def _to_sources_response(anchors: Sequence[ThresholdSource]) -> dict[str, Any]:
    """What the sources say, and all of it once more as a line to be read."""
    line = "; ".join(f"{a.text} ({a.source.title}, as of {a.source.as_of})" for a in anchors)
    sources = [{"says": anchor.text, "source": _to_source_response(anchor.source)} for anchor in anchors]
    return {"source": line, "anchors": sources}


def _to_missing_response(places: Iterable[MissingValue]) -> list[dict[str, str]]:
    return [{"pointer": place.pointer, "label": place.label} for place in places]


def _to_source_response(source: SourceReference) -> dict[str, str]:
    # By name: `dataclasses.asdict` took a third of the time of a screen.
    return {"source_id": source.source_id, "title": source.title, "url": source.url, "as_of": source.as_of}


def _format_day(day: Any) -> str | None:
    return day.isoformat() if day else None
