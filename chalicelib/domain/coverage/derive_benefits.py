"""Derives what a plan says about itself: in force or not, since when, what the patient pays, other payers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from chalicelib.domain.coverage.facts import (
    BenefitsFact,
    CostKind,
    CostShare,
    CoverageStatus,
    FactOrigin,
    OtherPayer,
    PayerRank,
)
from chalicelib.domain.coverage.question import PLAN_COVERAGE, BenefitsQuestion
from chalicelib.domain.coverage.rows import BenefitRow, DatedPeriod, PayerAnswer, Reference

_ACTIVE = frozenset({"1", "2", "3", "4"})
_ACTIVE_PENDING = frozenset({"5"})
_INACTIVE = frozenset({"6"})
_INACTIVE_PENDING = frozenset({"7", "8"})
_IN_FORCE = _ACTIVE | _ACTIVE_PENDING
_ENDED = _INACTIVE | _INACTIVE_PENDING

_COST_KINDS = {
    "A": CostKind.COINSURANCE,
    "B": CostKind.COPAY,
    "C": CostKind.DEDUCTIBLE,
    "G": CostKind.OUT_OF_POCKET_LIMIT,
}
_NOT_COVERED = "I"
_OTHER_PAYER = "R"
_RANKS = {"PRP": PayerRank.PRIMARY, "SEP": PayerRank.SECONDARY, "TTP": PayerRank.TERTIARY}

# X12 date qualifiers, data element 374.
_COVERAGE_BEGINS = ("356", "307", "346", "291")
_COVERAGE_ENDS = ("357", "307", "347", "291")
_BENEFIT_BEGINS = ("348", "292")
_BENEFIT_ENDS = ("349", "292")
_COORDINATION = "290"

# X12 reference qualifiers, data element 128.
_GROUP = "6P"
_PLAN = "18"
_MEMBER_NUMBERS = ("F6", "NQ", "1W", "IG", "EJ")
"""Medicare number, Medicaid number, member number, policy number, patient account number."""


def derive_benefits(question: BenefitsQuestion, answer: PayerAnswer, origin: FactOrigin) -> BenefitsFact:
    """Derive what the plan says about itself. Nothing is guessed for a service type that was not returned."""
    status, basis = _find_status(question, answer)
    costs = [_build_cost(row) for row in answer.rows if row.code in _COST_KINDS]
    others = [row for row in answer.rows if row.code == _OTHER_PAYER]
    excluded = [row for row in answer.rows if row.code == _NOT_COVERED and row.in_network != "N"]
    described = [*basis, *(row for row in answer.rows if row.code in _IN_FORCE | _ENDED)]
    rows = {row.number for row in (*basis, *others, *excluded)} | {each.row for each in costs if each.row}
    references = [*answer.references, *(each for row in basis for each in row.references)]
    return BenefitsFact(
        origin=replace(origin, rows=tuple(sorted(rows))),
        status=status,
        plan_name=next((row.plan_name for row in described if row.plan_name), None),
        insurance_type=next((row.insurance_type for row in described if row.insurance_type), None),
        covered_service_types=_list_service_types(row for row in answer.rows if row.code in _IN_FORCE),
        excluded_service_types=_list_service_types(excluded),
        begins_on=_find_begins_on(answer, basis),
        ends_on=_find_ends_on(answer, basis),
        group=_find_reference(references, _GROUP),
        plan_number=_find_reference(references, _PLAN),
        costs=tuple(costs),
        other_payers=tuple(each for row in others for each in _build_other_payers(row)),
        dates=answer.dates,
        references=answer.references,
    )


def find_ends_on(question: BenefitsQuestion, answer: PayerAnswer) -> date | None:
    """Find the last day of the plan or of the person's coverage; the earlier one if both are stated."""
    return _find_ends_on(answer, _find_status(question, answer)[1])


def _find_ends_on(answer: PayerAnswer, basis: Sequence[BenefitRow]) -> date | None:
    dates = [*answer.dates, *(each for row in basis for each in row.dates)]
    ends = [_get_end(each) for each in dates if each.code in _COVERAGE_ENDS]
    return min((day for day in ends if day), default=None)


def _find_begins_on(answer: PayerAnswer, basis: Sequence[BenefitRow]) -> date | None:
    """Find the first day of coverage: the person's before the plan's, and the plan's before one benefit's."""
    dates = [*answer.dates, *(each for row in basis for each in row.dates)]
    for code in (*_COVERAGE_BEGINS, *_BENEFIT_BEGINS):
        days = [each.first for each in dates if each.code == code]
        if days:
            return max(days)
    return None


def _get_end(period: DatedPeriod) -> date | None:
    """The last day that a date states: of a period its end, of a single "ends" date itself."""
    if period.last:
        return period.last
    return period.first if period.code in {"357", "347", "349"} else None


def _find_status(question: BenefitsQuestion, answer: PayerAnswer) -> tuple[CoverageStatus, Sequence[BenefitRow]]:
    """Find whether the plan is in force, and the rows that say so.

    Rows about the whole plan come first. If such rows say both, the payer did not state it, unless the
    ended one is clearly another plan.
    """
    rows = [row for row in answer.rows if row.code in _IN_FORCE | _ENDED]
    plan_rows = _list_plan_rows(rows, _IN_FORCE | _ENDED)
    if not plan_rows:
        in_force = [row for row in rows if row.code in _IN_FORCE]
        return _summarize(in_force or rows)
    in_force = [row for row in plan_rows if row.code in _IN_FORCE]
    if not in_force:
        return _summarize(plan_rows)
    conflicting = [row for row in plan_rows if row.code in _ENDED and not _is_earlier_plan(row, in_force, question)]
    if conflicting:
        return CoverageStatus.NOT_STATED, [*in_force, *conflicting]
    return _summarize(in_force)


def _list_plan_rows(rows: Iterable[BenefitRow], codes: frozenset[str]) -> Sequence[BenefitRow]:
    """List the rows about the whole plan. One without a service type is about the plan."""
    return [row for row in rows if row.code in codes and (not row.service_types or PLAN_COVERAGE in row.service_types)]


def _is_earlier_plan(row: BenefitRow, in_force: Sequence[BenefitRow], question: BenefitsQuestion) -> bool:
    named_otherwise = bool(row.plan_name) and all(
        other.plan_name and other.plan_name != row.plan_name for other in in_force
    )
    ends = [_get_end(each) for each in row.dates if each.code in (*_COVERAGE_ENDS, *_BENEFIT_ENDS)]
    return named_otherwise or any(day and day < question.asked_on for day in ends)


def _summarize(rows: Sequence[BenefitRow]) -> tuple[CoverageStatus, Sequence[BenefitRow]]:
    """The status that a group of rows without conflict states, and the rows that state it."""
    for codes, status in (
        (_ACTIVE, CoverageStatus.ACTIVE),
        (_ACTIVE_PENDING, CoverageStatus.ACTIVE_PENDING),
        (_INACTIVE_PENDING, CoverageStatus.INACTIVE_PENDING),
        (_INACTIVE, CoverageStatus.INACTIVE),
    ):
        stating = [row for row in rows if row.code in codes]
        if stating:
            return status, stating
    return CoverageStatus.NOT_STATED, []


def _build_cost(row: BenefitRow) -> CostShare:
    return CostShare(
        kind=_COST_KINDS[row.code],
        level=row.level,
        service_types=row.service_types,
        period=row.period,
        amount=row.amount,
        percent=row.percent,
        in_network=row.in_network,
        row=row.number,
    )


def _build_other_payers(row: BenefitRow) -> Iterable[OtherPayer]:
    """Build one coverage for each payer that a row names; one without a name if it names none."""
    number = next((each.value for code in _MEMBER_NUMBERS for each in row.references if each.code == code), None)
    since = next((each.first for each in row.dates if each.code == _COORDINATION), None)
    ranked = [each for each in row.entities if each.role in _RANKS]
    named = ranked or [each for each in row.entities if each.role == "PR"]
    if not named:
        yield OtherPayer(
            rank=PayerRank.NOT_STATED,
            name=row.plan_name,
            insurance_type=row.insurance_type,
            member_number=number,
            since=since,
        )
    for each in named:
        yield OtherPayer(
            rank=_RANKS.get(each.role, PayerRank.NOT_STATED),
            name=each.name,
            payer_code=each.entity_id,
            insurance_type=row.insurance_type,
            member_number=number,
            since=since,
        )


def _find_reference(references: Iterable[Reference], code: str) -> str | None:
    return next((each.value for each in references if each.code == code), None)


def _list_service_types(rows: Iterable[BenefitRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for row in rows for code in row.service_types))
