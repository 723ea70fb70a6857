"""The dates that are planned for a patient, computed from all reports about them.

All reports are kept in the order in which they were true, so the order of arrival does not matter.
The latest report of each plan counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.plan_terms import PlanKind, PlannedDay, VisitMode
from chalicelib.domain.referrals.stages import Actor

MAX_REPORTS = 50
"""How many reports of one plan the state keeps, the newest ones by when they were true. The history keeps all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """One report of a planned date, or that it was canceled. `by` is the side that reported it."""

    order: EventOrder
    by: Actor
    plan: PlanKind
    starts_at: datetime | None = None
    on: date | None = None
    mode: VisitMode | None = None
    place: str | None = None
    contact: str | None = None
    canceled: bool = False

    @property
    def day(self) -> PlannedDay:
        """When it is planned."""
        return PlannedDay(self.starts_at.astimezone(UTC) if self.starts_at else None, self.on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is known about one planned date.

    Attributes:
        day: When it is planned; of a canceled plan, when it was planned.
        moved_from: The date before the last move; None if it never moved.
        reported_at: When the latest report was true.
        reported_by: The side of the latest report.
    """

    plan: PlanKind
    day: PlannedDay
    mode: VisitMode | None
    place: str | None
    contact: str | None
    moved_from: PlannedDay | None
    canceled: bool
    reported_at: datetime
    reported_by: Actor

    def says_the_same_as(self, other: "Plan | None") -> bool:
        """Whether the date, its details and its cancellation are the same; what was before does not matter."""
        return other is not None and self.shown_facts == other.shown_facts

    @property
    def shown_facts(self) -> tuple[object, ...]:
        """What a reader sees: the date, its details, and whether it was canceled."""
        return self.day, self.mode, self.place, self.contact, self.canceled


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans(KeepsUnknown):
    """All reports of planned dates, in the order in which they were true."""

    reports: tuple[PlanReport, ...] = ()

    def with_report(self, report: PlanReport) -> "Plans":
        """Add a report. A repeat of the same event replaces itself."""
        others = [each for each in self.reports if each.order != report.order]
        kept: Counter[PlanKind] = Counter()
        newest = []
        for each in sorted([*others, report], key=lambda each: each.order, reverse=True):
            kept[each.plan] += 1
            if kept[each.plan] <= MAX_REPORTS:
                newest.append(each)
        return replace(self, reports=tuple(reversed(newest)))

    def find(self, kind: PlanKind) -> Plan | None:
        """Find what is known about one plan; None if nothing was reported."""
        return _summarize([each for each in self.reports if each.plan is kind])

    def list_all(self) -> Sequence[Plan]:
        """List what is known about each plan, in the usual order of the plans."""
        return [plan for plan in (self.find(kind) for kind in PlanKind) if plan]


NO_PLANS = Plans()
"""Nothing was planned."""


def get_local_day(day: PlannedDay, time_zone: str) -> date:
    """The calendar day of a planned date at the center."""
    if day.starts_at:
        return day.starts_at.astimezone(ZoneInfo(time_zone)).date()
    if day.on is None:
        raise ValueError("a planned date needs a time or a day")
    return day.on


def _summarize(reports: Sequence[PlanReport]) -> Plan | None:
    plan: Plan | None = None
    for report in reports:
        plan = _with_cancellation(plan, report) if report.canceled else _with_date(plan, report)
    return plan


def _with_cancellation(plan: Plan | None, report: PlanReport) -> Plan | None:
    """A canceled plan keeps the date that it had. Without an earlier date there is nothing to cancel."""
    if plan is None:
        return None
    return replace(plan, canceled=True, reported_at=report.order.occurred_at, reported_by=report.by)


def _with_date(plan: Plan | None, report: PlanReport) -> Plan:
    """A new date has only the details of its own report; a repeated date keeps what the report leaves out."""
    before = plan if plan and not plan.canceled else None
    same = before if before and before.day == report.day else None
    moved_from = before.day if before else None
    return Plan(
        plan=report.plan,
        day=report.day,
        mode=report.mode or (same.mode if same else None),
        place=report.place or (same.place if same else None),
        contact=report.contact or (same.contact if same else None),
        moved_from=same.moved_from if same else moved_from,
        canceled=False,
        reported_at=report.order.occurred_at,
        reported_by=report.by,
    )
