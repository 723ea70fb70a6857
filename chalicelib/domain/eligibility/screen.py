"""The potential-eligibility screen: what was entered, held against what labels say.

A screen decides nothing about a patient. It says which criteria of which label appear met as
entered, which do not, and what is missing to tell; and what to talk about with a center. Only a
treatment center decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib.domain.eligibility.criterion_result import (
    CriterionResult,
    EnteredValue,
    MissingValue,
    SourceReference,
    kleene_all,
    kleene_any,
)
from chalicelib.domain.eligibility.discuss_with_center import (
    CollectionCheck,
    DiscussionFlag,
    DiscussionRules,
    check_collection_day,
    raise_flags,
)
from chalicelib.domain.eligibility.label_rules import LABEL_RULES
from chalicelib.domain.eligibility.screen_input import ScreenInput


class ScreenResult(StrEnum):
    """The only three things that a screen says of a label's criteria."""

    APPEAR_MET = "label_criteria_appear_met"
    NOT_MET = "label_criteria_not_met_as_entered"
    MISSING = "information_missing"


_RESULTS: Mapping[bool | None, ScreenResult] = {
    True: ScreenResult.APPEAR_MET,
    False: ScreenResult.NOT_MET,
    None: ScreenResult.MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCriterion:
    """One rule of a row, with its figures.

    Attributes:
        rule: A name of `RULES`.
        either: The alternatives that it belongs to, of which one is enough; 0 is none.
        source: None stands for the source of its row.
        unverified: No good source was found for it: confirm with the current label.
    """

    rule: str
    figure: Any
    alternative_group: int = 0
    source: SourceReference | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationRow:
    """One way to meet an indication, as the label words it."""

    row_id: str
    text: str
    criteria: tuple[LabelCriterion, ...]
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIndication:
    """What one product's label names for one disease: it is met where one of its rows is."""

    product_id: str
    product_name: str
    disease: str
    rows: tuple[IndicationRow, ...]
    limitations: tuple[str, ...]
    label_as_of: date
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCatalog:
    """Everything that a screen compares with, of one version of the catalogue."""

    indications: tuple[LabelIndication, ...]
    cautions: DiscussionRules
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionReason:
    """One rule, what it read, and what it made of that.

    Attributes:
        rule: The rule's stable name and figures, as `prior_lines_min:2`.
        text: The rule in words.
        met: None where something is missing.
        either: Reasons of one row with the same number above 0 are alternatives.
    """

    rule: str
    text: str
    met: bool | None
    alternative_group: int
    entered: tuple[EnteredValue, ...]
    missing: tuple[MissingValue, ...]
    source: SourceReference
    unverified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What a screen says of one row."""

    row_id: str
    text: str
    result: ScreenResult
    reasons: tuple[CriterionReason, ...]
    missing: tuple[MissingValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationResult:
    """What a screen says of one product's indication.

    Attributes:
        missing: What stands between the rows that are open and an answer; empty when decided.
    """

    product_id: str
    product_name: str
    disease: str
    result: ScreenResult
    rows: tuple[RowResult, ...]
    missing: tuple[MissingValue, ...]
    limitations: tuple[str, ...]
    label_as_of: date
    version: str
    sources: tuple[SourceReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOutcome:
    """The answer of a screen.

    Attributes:
        discuss: What to talk about with the center, as entered.
        not_asked: What could not be looked at, because it was not entered.
        collection: The checks against the day on which cells are collected.
    """

    results: tuple[IndicationResult, ...]
    discuss_with_center: tuple[DiscussionFlag, ...]
    unanswered: tuple[MissingValue, ...]
    collection_checks: tuple[CollectionCheck, ...]
    planned_collection_on: date | None
    screened_on: date
    catalogue_version: str


def screen_patient(screen_input: ScreenInput, *, labels: LabelCatalog, today: date) -> ScreenOutcome:
    """Hold what was entered against every indication for its disease.

    Pure; the order of lines and doses changes nothing. Call `entry_faults.faults_of` first:
    what contradicts itself has no meaningful answer.
    """
    raised, not_asked = raise_flags(screen_input, labels.cautions)
    checks = check_collection_day(screen_input, labels.cautions)
    return ScreenOutcome(
        results=tuple(
            _screen_indication(screen_input, indication)
            for indication in labels.indications
            if indication.disease == screen_input.disease
        ),
        discuss_with_center=raised,
        unanswered=not_asked,
        collection_checks=checks,
        planned_collection_on=screen_input.planned_collection_on,
        screened_on=today,
        catalogue_version=labels.version,
    )


def _screen_indication(screen_input: ScreenInput, indication: LabelIndication) -> IndicationResult:
    rows = tuple(_screen_row(screen_input, row) for row in indication.rows)
    results = {row.result for row in rows}
    result = next(r for r in (ScreenResult.APPEAR_MET, ScreenResult.MISSING, ScreenResult.NOT_MET) if r in results)
    missing = [m for row in rows for m in row.missing] if result is ScreenResult.MISSING else []
    sources = [reason.source for row in rows for reason in row.reasons]
    return IndicationResult(
        product_id=indication.product_id,
        product_name=indication.product_name,
        disease=indication.disease,
        result=result,
        rows=rows,
        missing=tuple(dict.fromkeys(missing)),
        limitations=indication.limitations,
        label_as_of=indication.label_as_of,
        version=indication.version,
        sources=tuple(dict.fromkeys(sources)),
    )


def _screen_row(screen_input: ScreenInput, row: IndicationRow) -> RowResult:
    reasons = tuple(_evaluate_criterion(screen_input, criterion, row) for criterion in row.criteria)
    answers = list(_combine_alternatives(reasons))
    met = kleene_all(answer for answer, _ in answers)
    missing = [m for answer, parts in answers if answer is None for r in parts for m in r.missing]
    return RowResult(
        row_id=row.row_id,
        text=row.text,
        result=_RESULTS[met],
        reasons=reasons,
        missing=tuple(dict.fromkeys(missing)) if met is None else (),
    )


def _combine_alternatives(reasons: Sequence[CriterionReason]) -> Iterator[tuple[bool | None, list[CriterionReason]]]:
    """Each criterion that stands alone, and each set of alternatives as one."""
    for reason in reasons:
        if not reason.alternative_group:
            yield reason.met, [reason]
    for either in sorted({reason.alternative_group for reason in reasons} - {0}):
        parts = [reason for reason in reasons if reason.alternative_group == either]
        yield kleene_any(part.met for part in parts), parts


def _evaluate_criterion(screen_input: ScreenInput, criterion: LabelCriterion, row: IndicationRow) -> CriterionReason:
    rule = LABEL_RULES[criterion.rule]
    finding: CriterionResult = rule.evaluate(screen_input, criterion.figure)
    return CriterionReason(
        rule=f"{criterion.rule}:{_format_figure(criterion.figure)}",
        text=rule.describe(criterion.figure),
        met=finding.met,
        alternative_group=criterion.alternative_group,
        entered=finding.entered,
        missing=finding.missing,
        source=criterion.source or row.source,
        unverified=criterion.unverified,
    )


def _format_figure(figure: Any) -> str:
    many = isinstance(figure, Sequence) and not isinstance(figure, str)
    return ",".join(str(part) for part in figure) if many else str(figure).lower()
