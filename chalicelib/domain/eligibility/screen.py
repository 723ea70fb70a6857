"""The eligibility check (`screen` in the API): compares what was entered with product labels.

The check decides nothing about a patient. It shows which criteria of which label appear met, which
are not met as entered, and what information is missing; and what to discuss with a center. Only a
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
    DiscussionFlag,
    DiscussionPoint,
    DiscussionRules,
    find_discussion_points,
    raise_flags,
)
from chalicelib.domain.eligibility.label_rules import LABEL_RULES
from chalicelib.domain.eligibility.same_target import TargetedTherapy, find_targeted_therapies
from chalicelib.domain.eligibility.screen_input import ScreenInput
from chalicelib.domain.eligibility.washouts import CollectionCheck, check_collection_day


class ScreenResult(StrEnum):
    """The only three results that the check can give for a label's criteria."""

    APPEAR_MET = "label_criteria_appear_met"
    NOT_MET = "label_criteria_not_met_as_entered"
    MISSING = "information_missing"


_RESULTS: Mapping[bool | None, ScreenResult] = {
    True: ScreenResult.APPEAR_MET,
    False: ScreenResult.NOT_MET,
    None: ScreenResult.MISSING,
}


RuleResults = dict[str, CriterionResult]
"""The results of one check by `rule_id`. Labels share most of their rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCriterion:
    """One rule of a row, with its numbers.

    Attributes:
        rule: A key of `LABEL_RULES`.
        rule_id: The rule's stable name and numbers, such as `prior_lines_min:2`.
        text: The rule in words.
        alternative_group: Criteria with the same number above 0 are alternatives: one is enough.
        source: None means the source of its row.
        unverified: No good source was found for it: check the current label.
    """

    rule: str
    figure: Any
    rule_id: str
    text: str
    alternative_group: int = 0
    source: SourceReference | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNote:
    """A sentence about an indication that travels with its result."""

    text: str
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationRow:
    """One way to meet an indication, in the words of the label.

    Attributes:
        approval: `regular` or `accelerated`.
    """

    row_id: str
    text: str
    criteria: tuple[LabelCriterion, ...]
    approval: str
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIndication:
    """The indication of one product for one disease. It is met if one of its rows is met.

    Attributes:
        histologies: The histologies that the label lists; empty if it names only the disease.
    """

    product_id: str
    product_name: str
    target: str
    disease: str
    histologies: frozenset[str] = frozenset()
    rows: tuple[IndicationRow, ...]
    limitations: tuple[str, ...]
    notes: tuple[LabelNote, ...] = ()
    source: SourceReference
    label_as_of: date
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCatalog:
    """Everything that the check compares with, in one version of the catalog."""

    indications: tuple[LabelIndication, ...]
    cautions: DiscussionRules
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionReason:
    """One rule, the values that it used, and its result.

    Attributes:
        rule: The rule's stable name and numbers.
        text: The rule in words.
        met: None if information is missing.
        alternative_group: Reasons of one row with the same number above 0 are alternatives.
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
    """The result for one row."""

    row_id: str
    text: str
    result: ScreenResult
    approval: str
    reasons: tuple[CriterionReason, ...]
    missing: tuple[MissingValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationResult:
    """The result for one product's indication.

    Attributes:
        missing: The information that the undecided rows need; empty when the result is decided.
        discuss: What to discuss with the center about this product. It changes no result.
    """

    product_id: str
    product_name: str
    disease: str
    result: ScreenResult
    rows: tuple[RowResult, ...]
    missing: tuple[MissingValue, ...]
    discuss: tuple[DiscussionPoint, ...]
    limitations: tuple[str, ...]
    notes: tuple[LabelNote, ...]
    label_as_of: date
    version: str
    sources: tuple[SourceReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenOutcome:
    """The result of an eligibility check.

    Attributes:
        discuss_with_center: What to discuss with the center, as entered.
        unanswered: What could not be checked, because it was not entered.
        collection_checks: The checks against the planned leukapheresis date.
    """

    results: tuple[IndicationResult, ...]
    discuss_with_center: tuple[DiscussionFlag, ...]
    unanswered: tuple[MissingValue, ...]
    collection_checks: tuple[CollectionCheck, ...]
    planned_collection_on: date | None
    screened_on: date
    catalogue_version: str


def screen_patient(screen_input: ScreenInput, *, labels: LabelCatalog, today: date) -> ScreenOutcome:
    """Compare what was entered with every indication for the patient's disease.

    A pure function. The order of lines and doses does not matter. Call
    `input_checks.find_input_faults` first: contradictory input has no meaningful result.
    """
    indications = [each for each in labels.indications if each.disease == screen_input.disease]
    targets = dict.fromkeys(indication.target for indication in indications)
    therapies = find_targeted_therapies(screen_input, labels.cautions.targeted_drugs, targets)
    raised, unanswered = raise_flags(screen_input, labels.cautions, therapies)
    checks = check_collection_day(screen_input, labels.cautions.washouts)
    rule_results: RuleResults = {}
    return ScreenOutcome(
        results=tuple(
            _screen_indication(screen_input, indication, therapies, rule_results) for indication in indications
        ),
        discuss_with_center=raised,
        unanswered=unanswered,
        collection_checks=checks,
        planned_collection_on=screen_input.planned_collection_on,
        screened_on=today,
        catalogue_version=labels.version,
    )


def _screen_indication(
    screen_input: ScreenInput,
    indication: LabelIndication,
    therapies: Sequence[TargetedTherapy],
    rule_results: RuleResults,
) -> IndicationResult:
    rows = tuple(_screen_row(screen_input, row, rule_results) for row in indication.rows)
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
        discuss=find_discussion_points(
            screen_input,
            target=indication.target,
            histologies=indication.histologies,
            therapies=therapies,
            source=indication.source,
        ),
        limitations=indication.limitations,
        notes=indication.notes,
        label_as_of=indication.label_as_of,
        version=indication.version,
        sources=tuple(dict.fromkeys(sources)),
    )


def _screen_row(screen_input: ScreenInput, row: IndicationRow, rule_results: RuleResults) -> RowResult:
    reasons = tuple(_evaluate_criterion(screen_input, criterion, row, rule_results) for criterion in row.criteria)
    groups = list(_combine_alternatives(reasons))
    met = kleene_all(group_met for group_met, _ in groups)
    missing = [m for group_met, group in groups if group_met is None for reason in group for m in reason.missing]
    return RowResult(
        row_id=row.row_id,
        text=row.text,
        result=_RESULTS[met],
        approval=row.approval,
        reasons=reasons,
        missing=tuple(dict.fromkeys(missing)) if met is None else (),
    )


def _combine_alternatives(reasons: Sequence[CriterionReason]) -> Iterator[tuple[bool | None, list[CriterionReason]]]:
    """Each criterion without alternatives, and each group of alternatives, with its combined result."""
    for reason in reasons:
        if not reason.alternative_group:
            yield reason.met, [reason]
    for number in sorted({reason.alternative_group for reason in reasons} - {0}):
        group = [reason for reason in reasons if reason.alternative_group == number]
        yield kleene_any(reason.met for reason in group), group


def _evaluate_criterion(
    screen_input: ScreenInput, criterion: LabelCriterion, row: IndicationRow, rule_results: RuleResults
) -> CriterionReason:
    result = rule_results.get(criterion.rule_id)
    if result is None:
        result = LABEL_RULES[criterion.rule].evaluate(screen_input, criterion.figure)
        rule_results[criterion.rule_id] = result
    return CriterionReason(
        rule=criterion.rule_id,
        text=criterion.text,
        met=result.met,
        alternative_group=criterion.alternative_group,
        entered=result.entered,
        missing=result.missing,
        source=criterion.source or row.source,
        unverified=criterion.unverified,
    )
