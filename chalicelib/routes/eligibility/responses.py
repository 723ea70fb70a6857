"""The result of an eligibility check as the API returns it.

The domain's rules are imported for type checking only: the first check loads them, not every
function that starts.
"""

from datetime import date
from typing import TYPE_CHECKING

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.catalog import DISEASE_NAMES, load_products
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.routes.platform.label_responses import LabelResponse, to_label_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.domain.eligibility.criterion_result import (
        EnteredValue,
        MissingValue,
        SourceReference,
        ThresholdSource,
    )
    from chalicelib.domain.eligibility.discuss_with_center import DiscussionFlag
    from chalicelib.domain.eligibility.screen import CriterionReason, IndicationResult, RowResult, ScreenOutcome
    from chalicelib.domain.eligibility.washouts import CollectionCheck

SCREEN_DISCLAIMER = (
    "This compares what was entered with what labels say, and is meant for a conversation with a treatment center."
)


class LabelSourceResponse(TypedDict):
    """Where something was read, how strong the source is, and the day that it applies to."""

    source_id: str
    """The ID of the source in the catalog."""
    title: str
    """The title of the source."""
    url: str
    """The address of the source."""
    as_of: str
    """The day to which this applies (YYYY-MM-DD)."""
    kind: str
    """How strong the source is, such as `label` or `secondary`."""


class MissingValueResponse(TypedDict):
    """A value that was not entered."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""


class EnteredValueResponse(TypedDict):
    """A value that was entered, as a rule read it."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""
    value: str
    """The value that was entered, for display."""


class CriterionReasonResponse(TypedDict):
    """One rule, what it read, and its result. `met` is null if something is missing.

    Reasons of one row with the same `either` above 0 are alternatives: one of them is enough.
    """

    row_id: str
    """The ID of the way to meet the indication."""
    rule: str
    """The rule, as a code."""
    text: str
    """What the rule asks for."""
    met: bool | None
    """Whether it is met as entered; null if something is missing."""
    either: int
    """Rules of one way with the same number above 0 are alternatives; 0 stands alone."""
    entered: list[EnteredValueResponse]
    """The values that were entered, as the check read them."""
    missing: list[MissingValueResponse]
    """Values that were not entered."""
    source: LabelSourceResponse
    """Where the rule was read."""
    unverified: bool
    """Whether the text was not checked against the current label."""


class RowResultResponse(TypedDict):
    """One way to meet an indication."""

    row_id: str
    """The ID of the way to meet the indication."""
    text: str
    """What this way asks for."""
    result: str
    """What the comparison found: criteria appear met, are not met as entered, or need more information."""
    approval: str
    """The kind of approval, such as regular or accelerated."""
    missing: list[MissingValueResponse]
    """Values that were not entered."""


class DiscussionPointResponse(TypedDict):
    """Something to discuss with the center about one product. It changes no result."""

    kind: str
    """What kind of point it is."""
    text: str
    """What to discuss."""
    entered: list[EnteredValueResponse]
    """The values that were entered, as the check read them."""
    source: LabelSourceResponse
    """Where it was read."""


class LabelNoteResponse(TypedDict):
    """A sentence of the catalog about an indication."""

    text: str
    """The sentence."""
    source: LabelSourceResponse
    """Where it was read."""


class IndicationResultResponse(TypedDict):
    """The result for one product's indication. It covers the label's criteria and nothing else."""

    product_id: str
    """The ID of a CAR T product in the catalog."""
    product_name: str
    """The name of the product."""
    indication: str
    """The ID of the indication in the catalog."""
    indication_name: str
    """The name of the indication."""
    result: str
    """What the comparison found: criteria appear met, are not met as entered, or need more information."""
    rows: list[RowResultResponse]
    """The ways to meet the indication, each with its result."""
    reasons: list[CriterionReasonResponse]
    """Each rule, with what it read."""
    missing: list[MissingValueResponse]
    """Values that were not entered."""
    discuss: list[DiscussionPointResponse]
    """Points to discuss with the center. They change no result."""
    limitations: list[str]
    """What the label leaves out, or warns of."""
    notes: list[LabelNoteResponse]
    """Sentences of the catalog about the indication."""
    label_as_of: str
    """The day for which the label is known (YYYY-MM-DD)."""
    label: LabelResponse
    """The label of the product."""
    version: str
    """The version of the product's entry in the catalog."""
    sources: list[LabelSourceResponse]
    """Where the facts were read."""


class ThresholdSourceResponse(TypedDict):
    """What one source says about a threshold."""

    says: str
    """What the source says."""
    source: LabelSourceResponse
    """The source."""


class DiscussionFlagResponse(TypedDict):
    """A point to discuss with the center. For earlier therapy, with the day of its last dose."""

    flag: str
    """The point, as a code."""
    label: str
    """The words for it, for display."""
    value: str
    """What was entered, for display."""
    text: str
    """Why to discuss it."""
    last_on: str | None
    """The day of the last dose (YYYY-MM-DD); null if it does not apply."""
    missing: list[MissingValueResponse]
    """Values that were not entered."""
    source: str
    """Where it was read, for display."""
    anchors: list[ThresholdSourceResponse]
    """What each source says about the threshold."""


class CollectionCheckResponse(TypedDict):
    """One check against the planned day of leukapheresis.

    `evidence` is `recommendation`, `cohort`, `trial_criterion`, `expert_review` or `practice_only`.
    `from_line` is the line of therapy that the day of the last dose was read from.
    """

    check: str
    """The check, as a code."""
    label: str
    """The words for it, for display."""
    state: str
    """`clear`, `due`, `discuss` or `information_missing`. No state forbids anything."""
    last_on: str | None
    """The day of the last dose (YYYY-MM-DD); null if it was not entered."""
    from_line: int | None
    """The number of the line of therapy that it comes from; null if it comes from the doses."""
    clear_from: str | None
    """The first day on which the check is clear (YYYY-MM-DD); null if it is not known."""
    evidence: str
    """How strong the evidence is, such as `recommendation` or `expert_review`."""
    note: str
    """What to keep in mind; empty if nothing."""
    missing: list[MissingValueResponse]
    """Values that were not entered."""
    source: str
    """Where it was read, for display."""
    anchors: list[ThresholdSourceResponse]
    """What each source says about the threshold."""


class ScreenResponse(TypedDict):
    """The result of an eligibility check."""

    results: list[IndicationResultResponse]
    """The result for each indication of each product."""
    discuss_with_center: list[DiscussionFlagResponse]
    """Points to discuss with the center."""
    not_asked: list[MissingValueResponse]
    """Values that no rule could read, because they were not entered."""
    collection_checks: list[CollectionCheckResponse]
    """Checks against the planned day of leukapheresis; empty without one."""
    planned_collection_on: str | None
    """The planned day of leukapheresis (YYYY-MM-DD); null if it was not sent."""
    screened_on: str
    """The day of the eligibility check (YYYY-MM-DD)."""
    catalogue_version: str
    """The version of the catalog that was used: 12 hexadecimal digits."""
    disclaimer: str
    """The statement about the comparison, for display."""
    disclaimers: list[str]
    """The statements to show with it."""
    emergency_note: str
    """What to do in an emergency, for display next to clinical content."""


def to_screen_response(screening: "ScreenOutcome") -> ScreenResponse:
    """The result, with the disclaimers that always go with it."""
    return {
        "results": [_to_result_response(result, screening.screened_on) for result in screening.results],
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


def _to_result_response(result: "IndicationResult", today: date) -> IndicationResultResponse:
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
                "approval": row.approval,
                "missing": _to_missing_response(row.missing),
            }
            for row in result.rows
        ],
        "reasons": [_to_reason_response(row, reason) for row in result.rows for reason in row.reasons],
        "missing": _to_missing_response(result.missing),
        "discuss": [
            {
                "kind": point.kind.value,
                "text": point.text,
                "entered": _to_entered_response(point.entered),
                "source": _to_source_response(point.source),
            }
            for point in result.discuss
        ],
        "limitations": list(result.limitations),
        "notes": [{"text": note.text, "source": _to_source_response(note.source)} for note in result.notes],
        "label_as_of": result.label_as_of.isoformat(),
        "label": to_label_response(load_products()[result.product_id], "indications", today=today),
        "version": result.version,
        "sources": [_to_source_response(source) for source in result.sources],
    }


def _to_reason_response(row: "RowResult", reason: "CriterionReason") -> CriterionReasonResponse:
    return {
        "row_id": row.row_id,
        "rule": reason.rule,
        "text": reason.text,
        "met": reason.met,
        "either": reason.alternative_group,
        "entered": _to_entered_response(reason.entered),
        "missing": _to_missing_response(reason.missing),
        "source": _to_source_response(reason.source),
        "unverified": reason.unverified,
    }


def _to_flag_response(flag: "DiscussionFlag") -> DiscussionFlagResponse:
    return {
        "flag": flag.flag,
        "label": flag.label,
        "value": flag.value,
        "text": flag.text,
        "last_on": _format_day(flag.last_on),
        "missing": _to_missing_response(flag.missing),
        "source": _format_sources(flag.sources),
        "anchors": _to_thresholds_response(flag.sources),
    }


def _to_check_response(check: "CollectionCheck") -> CollectionCheckResponse:
    return {
        "check": check.check,
        "label": check.label,
        "state": check.state.value,
        "last_on": _format_day(check.last_on),
        "from_line": check.from_line,
        "clear_from": _format_day(check.earliest_on),
        "evidence": check.evidence.value,
        "note": check.note,
        "missing": _to_missing_response(check.missing),
        "source": _format_sources(check.sources),
        "anchors": _to_thresholds_response(check.sources),
    }


def _format_sources(sources: "Sequence[ThresholdSource]") -> str:
    """What the sources say, in one line for a reader."""
    return "; ".join(f"{s.text} ({s.source.title}, as of {s.source.as_of})" for s in sources)


def _to_thresholds_response(sources: "Sequence[ThresholdSource]") -> list[ThresholdSourceResponse]:
    return [{"says": source.text, "source": _to_source_response(source.source)} for source in sources]


def _to_missing_response(values: "Iterable[MissingValue]") -> list[MissingValueResponse]:
    return [{"pointer": value.pointer, "label": value.label} for value in values]


def _to_entered_response(values: "Iterable[EnteredValue]") -> list[EnteredValueResponse]:
    return [{"pointer": value.pointer, "label": value.label, "value": value.value} for value in values]


def _to_source_response(source: "SourceReference") -> LabelSourceResponse:
    # Field by field, because `dataclasses.asdict` took a third of the time of a check.
    return {
        "source_id": source.source_id,
        "title": source.title,
        "url": source.url,
        "as_of": source.as_of,
        "kind": source.kind,
    }


def _format_day(day: date | None) -> str | None:
    return day.isoformat() if day else None
