"""Decides which counts are shown, so that no group of 1 to 4 referrals can be read or computed.

A set of referrals is an integer with one bit for each referral. Counts are shown only as long as everything
that follows from them by subtraction has 0 referrals, or at least `MIN_GROUP`:

- one count minus another one that is part of it, such as "accepted" minus "infused", also of another table or period;
- such a difference minus the parts that are within it, such as all referrals minus those infused, open, and ended
  for each reason that is shown;
- the same in each column of a table, and for the referrals that another table or period has and this one does not.

A count that would break this is left out, not changed. Rows are left out in all columns of a table, because one
hidden field of a row follows from the others and the total.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

MIN_GROUP = 5
"""The smallest group that is shown. Source: the product's API contract, section 2 (version of 2026-11)."""

INFUSED = "infused"
"""The row of the infused referrals. Those that were not infused are open or ended."""

OPEN = "open"
"""The row of the referrals that are neither infused nor ended."""

ENDED = "ended"
"""The row of those that ended before the infusion. It follows from the other two, and is shown with them."""

ReferralSet = int
"""Referrals as bits."""


@dataclass(frozen=True, slots=True)
class CountRows:
    """The rows of a table of counts, each as the set of referrals that it counts.

    Attributes:
        nested: Rows that can be part of one another: the milestones, all referrals first, and those that ended.
        parts: Rows that never overlap: infused, open, and each reason of an ending.
        measured: For how many referrals an interval is known.
    """

    nested: Mapping[str, ReferralSet]
    parts: Mapping[str, ReferralSet]
    measured: Mapping[str, ReferralSet]

    def get(self, name: str) -> ReferralSet:
        """Get a row by its name."""
        return next(kind[name] for kind in (self.nested, self.parts, self.measured) if name in kind)

    def list_by_priority(self) -> Sequence[str]:
        """List the rows, the ones that matter most first."""
        parts = sorted(self.parts, key=lambda name: -self.parts[name].bit_count())
        first, *others = self.nested
        return list(dict.fromkeys((first, INFUSED, OPEN, *parts, *others, *self.measured)))

    def list_other_endings(self, shown: AbstractSet[str], columns: Iterable[ReferralSet]) -> Sequence[ReferralSet]:
        """List, for each column, the endings for a reason that is not shown. They follow from the others."""
        if ENDED not in shown:
            return []
        others = self.nested[ENDED]
        for name in self.parts.keys() & shown:
            others &= ~self.parts[name]
        return [others & column for column in columns]


@dataclass(frozen=True, slots=True)
class PublishedCounts:
    """What tables show, by the number of referrals: only a set of almost the same number can be almost the same."""

    _by_size: defaultdict[int, set[ReferralSet]] = field(default_factory=lambda: defaultdict(set))

    def add(self, counts: Iterable[ReferralSet]) -> None:
        """Add what a table shows."""
        for count in counts:
            self._by_size[count.bit_count()].add(count)

    def has_almost(self, count: ReferralSet) -> bool:
        """Whether a count and one that is part of it, or that it is part of, differ by a small group."""
        size = count.bit_count()
        return any(
            any(count & ~each == 0 for each in self._by_size.get(size + difference, ()))
            or any(each & ~count == 0 for each in self._by_size.get(size - difference, ()))
            for difference in range(1, MIN_GROUP)
        )


@dataclass(frozen=True, slots=True)
class Derived:
    """Referrals whose counts follow from two tables by subtraction, for the rows that both show."""

    referrals: ReferralSet
    shown: AbstractSet[str]


def is_small(referrals: ReferralSet) -> bool:
    """Whether a group is too small to be shown. An empty one is about no one."""
    return 0 < referrals.bit_count() < MIN_GROUP


def choose_rows(
    rows: CountRows,
    candidates: Iterable[str],
    columns: Sequence[ReferralSet],
    *,
    published: PublishedCounts,
    derived: Sequence[Derived] = (),
) -> frozenset[str]:
    """Choose the rows that a table can show; none if the first one, all referrals, cannot be shown.

    Args:
        rows: The rows.
        candidates: The names of rows that may be shown, the ones that matter most first.
        columns: The columns of the table. Together they have every referral of the table.
        published: What the tables before show. The counts of this table are added.
        derived: What follows from this table and the ones before.
    """
    shown: frozenset[str] = frozenset()
    others: Sequence[ReferralSet] = ()
    for name in candidates:
        if name == ENDED:
            continue
        names = (OPEN, ENDED) if name == OPEN and INFUSED in shown else (name,)
        trial = shown.union(names)
        counts = [rows.get(each) & column for each in names for column in columns]
        trial_others = rows.list_other_endings(trial, columns)
        following = PublishedCounts()
        following.add(trial_others)
        is_safe = (
            not any(is_small(each) or published.has_almost(each) for each in (*counts, *trial_others))
            and not any(following.has_almost(count) for count in counts)
            and all(_is_safe(rows, trial, column) for column in columns)
            and all(_is_safe(rows, trial & each.shown, each.referrals) for each in derived)
        )
        if is_safe:
            shown, others = trial, trial_others
            published.add(counts)
        elif not shown:
            return shown
    published.add(others)
    return shown


def _is_safe(rows: CountRows, shown: AbstractSet[str], column: ReferralSet) -> bool:
    """Whether no small group follows from the rows of a column."""
    nested = [rows.nested[name] & column for name in rows.nested if name in shown]
    parts = [rows.parts[name] & column for name in rows.parts if name in shown]
    differences = [big & ~small for big in nested for small in nested if small & ~big == 0]
    return not any(is_small(_without_parts(each, parts)) or is_small(each) for each in (*nested, *differences, *parts))


def _without_parts(referrals: ReferralSet, parts: Sequence[ReferralSet]) -> ReferralSet:
    for part in parts:
        if part & ~referrals == 0:
            referrals &= ~part
    return referrals
