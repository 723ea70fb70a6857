"""Computes what the insights page shows, from one organization's referrals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import reduce
from operator import or_

from chalicelib.domain.insights.intervals import Interval, Quartiles, compute_quartiles
from chalicelib.domain.insights.milestones import Milestone
from chalicelib.domain.insights.suppression import (
    ENDED,
    INFUSED,
    MIN_GROUP,
    OPEN,
    CountRows,
    Derived,
    PublishedCounts,
    ReferralSet,
    choose_rows,
    is_small,
)

COUNTED_MILESTONES = (
    Milestone.SUBMITTED,
    Milestone.ACCEPTED,
    Milestone.CONSULTED,
    Milestone.PROCEEDING,
    Milestone.COLLECTED,
    Milestone.INFUSED,
    Milestone.RETURNED,
)
"""The milestones of "how far referrals get". A center's system may skip the others."""

_ORDER = tuple(Milestone)


class Period(StrEnum):
    """Which referrals are counted, by the day of the referral."""

    LAST_12_MONTHS = "12_months"
    """This calendar month and the eleven before it: a period that begins on another day each day would show by
    subtraction who was referred on one day."""
    ALL = "all"


class Grouping(StrEnum):
    """By what the figures are compared."""

    NONE = "none"
    CENTER = "center"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedReferral:
    """What is counted about a referral.

    Attributes:
        referred_on: The day of the referral, at the center.
        product_id: The product that counts now: given, planned or requested; None if none is named.
        furthest: The latest milestone that it reached.
        days: The length of each interval that is complete and plausible.
        outcome: `INFUSED`, `OPEN`, or why it ended before the infusion.
    """

    referred_on: date
    center_id: str | None
    product_id: str | None
    furthest: Milestone
    days: Mapping[Interval, int]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalFigures:
    """The days of an interval; None if fewer than `MIN_GROUP` referrals have it. `referrals` is None if not shown."""

    quartiles: Quartiles | None
    referrals: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """The figures of a group. A count is None if it is not shown.

    Attributes:
        members: The centers or products of the group; None among them is "no product named".
        milestones: How many referrals reached each milestone.
        open: How many are neither infused nor ended.
        ended: How many ended before the infusion.
        reasons: Why, most frequent first; only those that are shown.
        other_reasons: How many ended for a reason that is not shown.
    """

    members: frozenset[str | None]
    milestones: Mapping[Milestone, int | None]
    intervals: Mapping[Interval, IntervalFigures]
    open: int | None
    ended: int | None
    reasons: Mapping[str, int]
    other_reasons: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """The figures of a period; `starts_on` is None for all referrals. `groups` is empty if none can be compared."""

    starts_on: date | None
    total: GroupFigures
    groups: Sequence[GroupFigures]


@dataclass(frozen=True, slots=True)
class _Column:
    members: frozenset[str | None]
    referrals: ReferralSet

    def within(self, referrals: ReferralSet) -> "_Column":
        return _Column(self.members, self.referrals & referrals)


@dataclass(frozen=True, slots=True)
class _Table:
    columns: Sequence[_Column]
    shown: frozenset[str]


def get_period_start(period: Period, today: date) -> date | None:
    """Get the first day of a period."""
    if period is Period.ALL:
        return None
    return date(today.year - (today.month < 12), today.month % 12 + 1, 1)


def compute_insights(
    referrals: Sequence[CountedReferral], *, period: Period, grouping: Grouping, today: date
) -> Insights:
    """Compute the figures of one period and grouping.

    All tables that can be read are considered each time, so that two of them never show by subtraction
    what one of them leaves out.
    """
    start = get_period_start(Period.LAST_12_MONTHS, today) or date.min
    recent = _to_set(each.referred_on >= start for each in referrals)
    rows = _build_rows(referrals)
    tables = _build_tables(referrals, rows, recent)
    table = tables[period, grouping]
    total = tables[period, Grouping.NONE]
    columns = [column for column in table.columns if column.referrals] if table.shown else []
    return Insights(
        starts_on=get_period_start(period, today),
        total=_describe(total.columns[0], total.shown, rows, referrals),
        groups=[_describe(column, table.shown, rows, referrals) for column in columns]
        if grouping is not Grouping.NONE and len(columns) > 1
        else [],
    )


def _build_tables(
    referrals: Sequence[CountedReferral], rows: CountRows, recent: ReferralSet
) -> Mapping[tuple[Period, Grouping], _Table]:
    everyone = rows.nested[Milestone.SUBMITTED]
    fine = {
        Grouping.NONE: [_Column(frozenset(), everyone)],
        Grouping.CENTER: _merge_small(_split([each.center_id for each in referrals]), everyone),
        Grouping.PRODUCT: _merge_small(_split([each.product_id for each in referrals]), everyone),
    }
    tables: dict[tuple[Period, Grouping], _Table] = {}
    published = PublishedCounts()
    for period, counted in ((Period.LAST_12_MONTHS, recent), (Period.ALL, everyone)):
        candidates = rows.list_by_priority()
        for grouping in Grouping:
            columns = fine[grouping]
            if period is not Period.ALL and grouping is not Grouping.NONE:
                columns = _merge_small(columns, recent)
            derived: list[Derived] = []
            if period is Period.ALL:
                shorter = tables[Period.LAST_12_MONTHS, grouping]
                older = [_join(columns, column.members) & ~recent for column in shorter.columns]
                derived += [Derived(each, shorter.shown) for each in older]
            columns = [column.within(counted) for column in columns]
            if grouping is Grouping.PRODUCT:
                derived += _cross(tables[period, Grouping.CENTER], columns)
            sets = [column.referrals for column in columns]
            shown = choose_rows(rows, candidates, sets, published=published, derived=derived)
            tables[period, grouping] = _Table(columns, shown)
            if grouping is Grouping.NONE:
                candidates = [name for name in candidates if name in shown]
    return tables


def _cross(table: _Table, columns: Sequence[_Column]) -> Sequence[Derived]:
    """List what is left of each column without the columns of the other table that are part of it."""
    pairs = ((table.columns, columns), (columns, table.columns))
    return [
        Derived(big.referrals & ~_union(c.referrals for c in small if c.referrals & ~big.referrals == 0), table.shown)
        for bigs, small in pairs
        for big in bigs
    ]


def _build_rows(referrals: Sequence[CountedReferral]) -> CountRows:
    reached = {m: _ORDER.index(m) for m in COUNTED_MILESTONES}
    reasons = sorted({each.outcome for each in referrals} - {INFUSED, OPEN})
    return CountRows(
        nested={
            **{
                milestone: _to_set(_ORDER.index(each.furthest) >= place for each in referrals)
                for milestone, place in reached.items()
            },
            ENDED: _to_set(each.outcome not in (INFUSED, OPEN) for each in referrals),
        },
        parts={name: _to_set(each.outcome == name for each in referrals) for name in (INFUSED, OPEN, *reasons)},
        measured={interval: _to_set(interval in each.days for each in referrals) for interval in Interval},
    )


def _split(members: Sequence[str | None]) -> Sequence[_Column]:
    return [_Column(frozenset({member}), _to_set(each == member for each in members)) for member in set(members)]


def _merge_small(columns: Sequence[_Column], counted: ReferralSet) -> Sequence[_Column]:
    """Merge the columns with too few of the referrals that are counted, and one more if they are still too few."""
    by_size = sorted(columns, key=lambda c: (-(c.referrals & counted).bit_count(), sorted(map(str, c.members))))
    kept = [column for column in by_size if (column.referrals & counted).bit_count() >= MIN_GROUP]
    rest = by_size[len(kept) :]
    while kept and is_small(_union(column.referrals for column in rest) & counted):
        rest = [kept.pop(), *rest]
    if not rest:
        return kept
    members = frozenset(member for column in rest for member in column.members)
    return [*kept, _Column(members, _union(column.referrals for column in rest))]


def _join(columns: Iterable[_Column], members: frozenset[str | None]) -> ReferralSet:
    return _union(column.referrals for column in columns if column.members <= members)


def _union(sets: Iterable[ReferralSet]) -> ReferralSet:
    return reduce(or_, sets, 0)


def _to_set(matches: Iterable[bool]) -> ReferralSet:
    """Convert to bits; the first referral is the lowest one."""
    return int("".join("1" if each else "0" for each in matches)[::-1] or "0", 2)


def _describe(
    column: _Column, shown: frozenset[str], rows: CountRows, referrals: Sequence[CountedReferral]
) -> GroupFigures:
    counts = {
        name: (counted & column.referrals).bit_count()
        for kind in (rows.nested, rows.parts, rows.measured)
        for name, counted in kind.items()
        if name in shown
    }
    ended = counts.get(ENDED)
    reasons = {name: counts[name] for name in rows.parts if name not in (INFUSED, OPEN) and counts.get(name)}
    return GroupFigures(
        members=column.members,
        milestones={milestone: counts.get(milestone) for milestone in COUNTED_MILESTONES},
        intervals={i: _measure(i, column, counts, referrals) for i in Interval},
        open=counts.get(OPEN),
        ended=ended,
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        other_reasons=None if ended is None else ended - sum(reasons.values()),
    )


def _measure(
    interval: Interval, column: _Column, counts: Mapping[str, int], referrals: Sequence[CountedReferral]
) -> IntervalFigures:
    days = [
        each.days[interval]
        for place, each in enumerate(referrals)
        if interval in each.days and column.referrals >> place & 1
    ]
    # Quartiles of a hidden count would reveal the count, and the days of one referral.
    is_shown = interval in counts and len(days) >= MIN_GROUP
    return IntervalFigures(quartiles=compute_quartiles(days) if is_shown else None, referrals=counts.get(interval))
