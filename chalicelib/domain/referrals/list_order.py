"""The order of a list: the worst first, or by one column.

Each order gives a row a key that JSON can hold, so that a page can continue after the last row of the one before,
also if the list has changed since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.turnaround import Turnaround
from chalicelib.domain.referrals.worklists import ListViewer, StageSummary

SortKey = Sequence[str | int]

SOON = timedelta(days=1)
THIS_WEEK = timedelta(days=7)
_NO_DATE = "9999-12-31"
"""Rows without a date come last."""


class DueGroup(StrEnum):
    """How urgent a row of a list is, worst first."""

    LATE = "late"
    DUE_SOON = "due_soon"
    """Due today or tomorrow, in the viewer's time zone."""
    THIS_WEEK = "this_week"
    """Due within 7 days."""
    LATER = "later"
    """Due later, or without a date."""


class ListOrder(StrEnum):
    """What a list is sorted by."""

    WORST_FIRST = "worst_first"
    DUE = "due"
    PATIENT = "patient"
    NEXT_ACTION = "next_action"
    NEXT_DATE = "next_date"
    STAGE = "stage"
    COVERAGE = "coverage"
    PRODUCT = "product"
    CENTER = "center"
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFacts:
    """When the next step of a referral is due, for one viewer.

    Attributes:
        due_on: The last day on which it is in time; None without a limit, and during a hold.
        is_late: Whether that day is over.
        group: Where the referral belongs in a list that begins with the worst.
        turnaround: What this was computed from.
    """

    due_on: date | None
    is_late: bool
    group: DueGroup
    turnaround: Turnaround

    @property
    def due_text(self) -> str:
        """The day as a part of a key."""
        return self.due_on.isoformat() if self.due_on else _NO_DATE


def find_due_facts(summary: StageSummary, viewer: ListViewer) -> DueFacts:
    """Find when the next step is due."""
    turnaround = summary.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone)
    due_on = None if summary.on_hold else turnaround.amber_on
    days = due_on - to_local_day(viewer.now, viewer.time_zone) if due_on else None
    if turnaround.is_late:
        group = DueGroup.LATE
    elif days is None or days > THIS_WEEK:
        group = DueGroup.LATER
    else:
        group = DueGroup.DUE_SOON if days <= SOON else DueGroup.THIS_WEEK
    return DueFacts(due_on=due_on, is_late=turnaround.is_late, group=group, turnaround=turnaround)


_GROUP_ORDER: Mapping[DueGroup, int] = {group: n for n, group in enumerate(DueGroup)}


def build_worst_first_key(due: DueFacts, *, is_urgent: bool, since: str) -> SortKey:
    """Build the key of a list that begins with the worst.

    Late ones come first, the latest at the top. In the other groups urgent ones come first, then the day, then the
    one that waits longest.
    """
    urgency = 0 if is_urgent else 1
    first = (due.due_text, urgency) if due.is_late else (urgency, due.due_text)
    return (_GROUP_ORDER[due.group], *first, since)


def find_start(keys: Sequence[SortKey], after: SortKey | None, *, is_descending: bool) -> int:
    """Find where a page begins: behind the key of the last row before it, whether or not that row still exists."""
    if after is None:
        return 0
    last = tuple(after)
    passed = (n for n, key in enumerate(keys) if (tuple(key) < last if is_descending else tuple(key) > last))
    return next(passed, len(keys))
