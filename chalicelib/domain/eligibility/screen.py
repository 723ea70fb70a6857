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
    Entered,
    Finding,
    Missing,
    SourceNote,
    all_of,
    any_of,
)
from chalicelib.domain.eligibility.discuss_with_center import (
    Cautions,
    CollectionCheck,
    Flag,
    collection_checks,
    flags,
)
from chalicelib.domain.eligibility.label_rules import RULES
from chalicelib.domain.eligibility.screen_input import ScreenInput


class Result(StrEnum):
    """The only three things that a screen says of a label's criteria."""

    APPEAR_MET = "label_criteria_appear_met"
    NOT_MET = "label_criteria_not_met_as_entered"
    MISSING = "information_missing"


_RESULTS: Mapping[bool | None, Result] = {
    True: Result.APPEAR_MET,
    False: Result.NOT_MET,
    None: Result.MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One rule of a row, with its figures.

    Attributes:
        rule: A name of `RULES`.
        either: The alternatives that it belongs to, of which one is enough; 0 is none.
        source: None stands for the source of its row.
        unverified: No good source was found for it: confirm with the current label.
    """

    rule: str
    figure: Any
    either: int = 0
    source: SourceNote | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way to meet an indication, as the label words it."""

    row_id: str
    text: str
    criteria: tuple[Criterion, ...]
    source: SourceNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Indication:
    """What one product's label names for one disease: it is met where one of its rows is."""

    product_id: str
    product_name: str
    disease: str
    rows: tuple[Row, ...]
    limitations: tuple[str, ...]
    label_as_of: date
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Everything that a screen compares with, of one version of the catalogue."""

    indications: tuple[Indication, ...]
    cautions: Cautions
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
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
    either: int
    entered: tuple[Entered, ...]
    missing: tuple[Missing, ...]
    source: SourceNote
    unverified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What a screen says of one row."""

    row_id: str
    text: str
    result: Result
    reasons: tuple[Reason, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationResult:
    """What a screen says of one product's indication.

    Attributes:
        missing: What stands between the rows that are open and an answer; empty when decided.
    """

    product_id: str
    product_name: str
    disease: str
    result: Result
    rows: tuple[RowResult, ...]
    missing: tuple[Missing, ...]
    limitations: tuple[str, ...]
    label_as_of: date
    version: str
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """The answer of a screen.

    Attributes:
        discuss: What to talk about with the center, as entered.
        not_asked: What could not be looked at, because it was not entered.
        collection: The checks against the day on which cells are collected.
    """

    results: tuple[IndicationResult, ...]
    discuss: tuple[Flag, ...]
    not_asked: tuple[Missing, ...]
    collection: tuple[CollectionCheck, ...]
    planned_collection_on: date | None
    screened_on: date
    catalogue_version: str


def screen(entered: ScreenInput, *, labels: Labels, today: date) -> Screening:
    """Hold what was entered against every indication for its disease.

    Pure; the order of lines and doses changes nothing. Call `entry_faults.faults_of` first:
    what contradicts itself has no meaningful answer.
    """
    raised, not_asked = flags(entered, labels.cautions)
    checks = collection_checks(entered, labels.cautions)
    return Screening(
        results=tuple(
            _held(entered, indication)
            for indication in labels.indications
            if indication.disease == entered.disease
        ),
        discuss=raised,
        not_asked=not_asked,
        collection=checks,
        planned_collection_on=entered.planned_collection_on,
        screened_on=today,
        catalogue_version=labels.version,
    )


def _held(entered: ScreenInput, indication: Indication) -> IndicationResult:
    rows = tuple(_row(entered, row) for row in indication.rows)
    results = {row.result for row in rows}
    result = next(r for r in (Result.APPEAR_MET, Result.MISSING, Result.NOT_MET) if r in results)
    missing = [m for row in rows for m in row.missing] if result is Result.MISSING else []
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


def _row(entered: ScreenInput, row: Row) -> RowResult:
    reasons = tuple(_reason(entered, criterion, row) for criterion in row.criteria)
    answers = list(_answers(reasons))
    met = all_of(answer for answer, _ in answers)
    missing = [m for answer, parts in answers if answer is None for r in parts for m in r.missing]
    return RowResult(
        row_id=row.row_id,
        text=row.text,
        result=_RESULTS[met],
        reasons=reasons,
        missing=tuple(dict.fromkeys(missing)) if met is None else (),
    )


def _answers(reasons: Sequence[Reason]) -> Iterator[tuple[bool | None, list[Reason]]]:
    """Each criterion that stands alone, and each set of alternatives as one."""
    for reason in reasons:
        if not reason.either:
            yield reason.met, [reason]
    for either in sorted({reason.either for reason in reasons} - {0}):
        parts = [reason for reason in reasons if reason.either == either]
        yield any_of(part.met for part in parts), parts


def _reason(entered: ScreenInput, criterion: Criterion, row: Row) -> Reason:
    rule = RULES[criterion.rule]
    finding: Finding = rule.look(entered, criterion.figure)
    return Reason(
        rule=f"{criterion.rule}:{_spelled(criterion.figure)}",
        text=rule.words(criterion.figure),
        met=finding.met,
        either=criterion.either,
        entered=finding.entered,
        missing=finding.missing,
        source=criterion.source or row.source,
        unverified=criterion.unverified,
    )


def _spelled(figure: Any) -> str:
    many = isinstance(figure, Sequence) and not isinstance(figure, str)
    return ",".join(str(part) for part in figure) if many else str(figure).lower()
