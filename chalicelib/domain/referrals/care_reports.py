"""What either side reported about the patient's care: adverse events, relapse and bridging therapy.

All reports are kept in the order in which they were true. What a page shows is computed from them, so
that the order of arrival does not matter.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.stages import Actor

MAX_REPORTS = 50
"""How many reports of one kind the state keeps, the newest ones by when they were true. The history keeps all."""


class _Report(Protocol):
    @property
    def order(self) -> EventOrder: ...


_R = TypeVar("_R", bound=_Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventReport:
    """One report of an adverse event. `by` is the side that reported it."""

    order: EventOrder
    by: Actor
    kind: AdverseEventKind
    grade: int | None = None
    status: AdverseEventStatus = AdverseEventStatus.ONGOING
    resolved_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelapseReport:
    """One report of a relapse."""

    order: EventOrder
    by: Actor
    status: RelapseStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgingReport:
    """One report of bridging therapy; what the reporter left out is None.

    Attributes:
        by: The side that reported it.
        given_by: Who gives the therapy.
    """

    order: EventOrder
    by: Actor
    status: BridgingStatus
    given_by: BridgingTeam | None = None
    regimen: str | None = None
    response: DiseaseResponse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """The latest known state of one kind of adverse event.

    Attributes:
        grade: The last reported grade of this episode.
        since: When the episode was first reported as true.
        reported_at: When the latest report was true.
        reported_by: The side of the latest report.
    """

    kind: AdverseEventKind
    grade: int | None
    status: AdverseEventStatus
    since: datetime
    reported_at: datetime
    reported_by: Actor
    resolved_on: date | None

    @property
    def is_open(self) -> bool:
        """Whether it is not reported as resolved."""
        return self.status is AdverseEventStatus.ONGOING


@dataclass(frozen=True, slots=True, kw_only=True)
class CareReports(KeepsUnknown):
    """All reports about the patient's care, each kind in the order in which they were true."""

    adverse_events: tuple[AdverseEventReport, ...] = ()
    relapses: tuple[RelapseReport, ...] = ()
    bridging: tuple[BridgingReport, ...] = ()

    def with_adverse_event(self, report: AdverseEventReport) -> "CareReports":
        """Add a report of an adverse event."""
        kept: Counter[AdverseEventKind] = Counter()
        newest = []
        for each in reversed(_insert(self.adverse_events, report)):
            kept[each.kind] += 1
            if kept[each.kind] <= MAX_REPORTS:
                newest.append(each)
        return replace(self, adverse_events=tuple(reversed(newest)))

    def with_relapse(self, report: RelapseReport) -> "CareReports":
        """Add a report of a relapse."""
        return replace(self, relapses=_insert(self.relapses, report)[-MAX_REPORTS:])

    def with_bridging(self, report: BridgingReport) -> "CareReports":
        """Add a report of bridging therapy."""
        return replace(self, bridging=_insert(self.bridging, report)[-MAX_REPORTS:])

    def find_report_before(self, report: AdverseEventReport) -> AdverseEventReport | None:
        """Find the report of the same kind that was true just before this one."""
        earlier = [each for each in self.adverse_events if each.kind is report.kind and each.order < report.order]
        return earlier[-1] if earlier else None

    def list_adverse_events(self) -> Sequence[AdverseEvent]:
        """List the latest state of each reported kind: open ones first, then the one reported last."""
        events = [
            _summarize([report for report in self.adverse_events if report.kind is kind])
            for kind in dict.fromkeys(report.kind for report in self.adverse_events)
        ]
        newest_first = sorted(events, key=lambda event: event.reported_at, reverse=True)
        return sorted(newest_first, key=lambda event: not event.is_open)

    @property
    def last_adverse_event_at(self) -> datetime | None:
        """When the latest report of an adverse event was true."""
        return self.adverse_events[-1].order.occurred_at if self.adverse_events else None

    @property
    def relapse(self) -> RelapseReport | None:
        """The latest report of a relapse."""
        return self.relapses[-1] if self.relapses else None

    def summarize_bridging(self) -> BridgingReport | None:
        """The latest report of bridging therapy, with what earlier reports said and it left out.

        A report that there is none says nothing about an earlier plan.
        """
        if not self.bridging:
            return None
        latest = self.bridging[-1]
        if latest.status is BridgingStatus.NONE:
            return latest
        known: dict[str, Any] = {}
        for report in _list_since_last_none(self.bridging):
            values = {"given_by": report.given_by, "regimen": report.regimen, "response": report.response}
            known |= {name: value for name, value in values.items() if value is not None}
        return replace(latest, **known)


NO_REPORTS = CareReports()
"""Nothing was reported."""


def _insert(reports: Iterable[_R], report: _R) -> tuple[_R, ...]:
    """Add a report at its place. A repeat of the same event replaces itself."""
    others = [each for each in reports if each.order != report.order]
    return tuple(sorted([*others, report], key=lambda each: each.order))


def _summarize(reports: Sequence[AdverseEventReport]) -> AdverseEvent:
    """Compute the state of one kind from its reports: the episode after the last resolution, or that one."""
    latest = reports[-1]
    episode = _list_last_episode(reports)
    grades = [report.grade for report in episode if report.grade is not None]
    return AdverseEvent(
        kind=latest.kind,
        grade=grades[-1] if grades else None,
        status=latest.status,
        since=episode[0].order.occurred_at,
        reported_at=latest.order.occurred_at,
        reported_by=latest.by,
        resolved_on=latest.resolved_on,
    )


def _list_last_episode(reports: Sequence[AdverseEventReport]) -> Sequence[AdverseEventReport]:
    """List the reports after the last resolution that another report followed, in order."""
    episode: list[AdverseEventReport] = []
    for report in reversed(reports):
        is_over = report.status is AdverseEventStatus.RESOLVED
        if is_over and any(each.status is AdverseEventStatus.ONGOING for each in episode):
            break
        episode.append(report)
    return episode[::-1]


def _list_since_last_none(reports: Sequence[BridgingReport]) -> Sequence[BridgingReport]:
    start = max((n + 1 for n, report in enumerate(reports) if report.status is BridgingStatus.NONE), default=0)
    return reports[start:]
