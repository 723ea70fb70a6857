"""A screen's body as the domain reads it, and its answer as the API tells it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.catalogue import DISEASE_NAMES
from chalicelib.domain.eligibility.criterion_result import Missing, SourceNote
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_NOTE, STATEMENTS
from chalicelib.domain.eligibility.discuss_with_center import Anchor, CollectionCheck, Flag
from chalicelib.domain.eligibility.screen import IndicationResult, Reason, RowResult, Screening
from chalicelib.domain.eligibility.screen_input import (
    Dose,
    Line,
    NoTransplantBecause,
    Outcome,
    ScreenInput,
    Transplant,
    TransplantKind,
)
from chalicelib.routes.referrals.clinical_fields import TransplantBody
from chalicelib.routes.referrals.request_bodies import Clinical, LineOfTherapy, ScreenBody

NOT_A_DECISION = (
    "This compares what was entered with what labels say, and is meant for a conversation with a "
    "treatment center."
)

_OUTCOMES: Mapping[str, Outcome] = {outcome.value: outcome for outcome in Outcome}
"""By their spelling; `unknown` is none of them, and says as little as silence."""


def entered(body: ScreenBody) -> ScreenInput:
    """The body as the screen reads it. A list of lines that was not sent is not an empty one."""
    clinical = body.clinical
    sent = "prior_lines" in clinical.model_fields_set
    lines = tuple(_line(line, place) for place, line in enumerate(clinical.prior_lines))
    return ScreenInput(
        disease=clinical.disease,
        age=body.age,
        histology=clinical.histology,
        ecog=clinical.ecog,
        lines=lines if sent else None,
        hsct_eligible=clinical.hsct_eligible,
        no_transplant_because=NoTransplantBecause(
            clinical.no_transplant_because or NoTransplantBecause.AGE_OR_COMORBIDITY
        ),
        lenalidomide_refractory=clinical.lenalidomide_refractory,
        transplant=_transplant(clinical.transplant),
        conditions=_given(clinical, "flags"),
        labs=_given(clinical, "labs"),
        doses=tuple(
            Dose(agent=dose.agent, given=dose.given, last_on=dose.last_on, place=place)
            for place, dose in enumerate(clinical.last_doses or ())
        ),
        planned_collection_on=body.planned_collection_on,
    )


def screening_told(screening: Screening) -> dict[str, Any]:
    """The answer, with the statements that always go with it."""
    return {
        "results": [_result(result) for result in screening.results],
        "discuss_with_center": [_flag(flag) for flag in screening.discuss],
        "not_asked": _places(screening.not_asked),
        "collection_checks": [_check(check) for check in screening.collection],
        "planned_collection_on": _day(screening.planned_collection_on),
        "screened_on": screening.screened_on.isoformat(),
        "catalogue_version": screening.catalogue_version,
        "disclaimer": " ".join((NOT_A_DECISION, *STATEMENTS)),
        "disclaimers": list(STATEMENTS),
        "emergency_note": EMERGENCY_NOTE,
    }


def _line(line: LineOfTherapy, place: int) -> Line:
    return Line(
        number=line.line,
        regimen=line.regimen,
        classes=frozenset(line.classes) or None,
        started_on=line.started_on,
        ended_on=line.ended_on,
        outcome=_OUTCOMES.get(line.response or ""),
        event_on=line.event_on,
        place=place,
    )


def _transplant(transplant: TransplantBody | None) -> Transplant:
    if transplant is None:
        return Transplant()
    kind = TransplantKind(transplant.kind) if transplant.kind else None
    return Transplant(kind=kind, on=transplant.on)


def _given(clinical: Clinical, section: str) -> dict[Any, Any]:
    """The answers of a section that were given."""
    answers = getattr(clinical, section)
    return answers.model_dump(exclude_none=True) if answers else {}


def _result(result: IndicationResult) -> dict[str, Any]:
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
                "missing": _places(row.missing),
            }
            for row in result.rows
        ],
        "reasons": [_reason(row, reason) for row in result.rows for reason in row.reasons],
        "missing": _places(result.missing),
        "limitations": list(result.limitations),
        "label_as_of": result.label_as_of.isoformat(),
        "version": result.version,
        "sources": [_source(source) for source in result.sources],
    }


def _reason(row: RowResult, reason: Reason) -> dict[str, Any]:
    return {
        "row_id": row.row_id,
        "rule": reason.rule,
        "text": reason.text,
        "met": reason.met,
        "either": reason.either,
        "entered": [
            {"pointer": each.pointer, "label": each.label, "value": each.value}
            for each in reason.entered
        ],
        "missing": _places(reason.missing),
        "source": _source(reason.source),
        "unverified": reason.unverified,
    }


def _flag(flag: Flag) -> dict[str, Any]:
    return {
        "flag": flag.flag,
        "label": flag.label,
        "value": flag.value,
        "text": flag.text,
        **_anchored(flag.anchors),
    }


def _check(check: CollectionCheck) -> dict[str, Any]:
    return {
        "check": check.check,
        "label": check.label,
        "state": check.state.value,
        "last_on": _day(check.last_on),
        "clear_from": _day(check.clear_from),
        "missing": _places(check.missing),
        **_anchored(check.anchors),
    }


def _anchored(anchors: Sequence[Anchor]) -> dict[str, Any]:
    """What the sources say, and all of it once more as a line to be read."""
    line = "; ".join(f"{a.says} ({a.source.title}, as of {a.source.as_of})" for a in anchors)
    told = [{"says": anchor.says, "source": _source(anchor.source)} for anchor in anchors]
    return {"source": line, "anchors": told}


def _places(places: Iterable[Missing]) -> list[dict[str, str]]:
    return [{"pointer": place.pointer, "label": place.label} for place in places]


def _source(source: SourceNote) -> dict[str, str]:
    # By name: `dataclasses.asdict` took a third of the time of a screen.
    return {
        "source_id": source.source_id,
        "title": source.title,
        "url": source.url,
        "as_of": source.as_of,
    }


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None
