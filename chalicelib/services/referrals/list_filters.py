"""Which referrals of a tenant a list shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.coverage.display import CoverageState, compute_display
from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.name_search import matches_search
from chalicelib.domain.referrals.plan_terms import DatedPlan
from chalicelib.domain.referrals.planned_dates import get_sort_key
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, NextActor
from chalicelib.domain.referrals.worklists import OPEN_WORKLISTS, WORKLIST_RULES, ListViewer, Worklist, is_late
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.unread import HasUnread
from chalicelib.store.referrals.items import ReferralSummary

NONE = "none"
"""The value of a filter that finds referrals without a product."""


class NextDate(StrEnum):
    """When the next planned date of a referral is."""

    WITHIN_7_DAYS = "within_7_days"
    WITHIN_30_DAYS = "within_30_days"
    NOT_SET = "not_set"


_DAYS_AHEAD: Mapping[NextDate, timedelta] = {
    NextDate.WITHIN_7_DAYS: timedelta(days=7),
    NextDate.WITHIN_30_DAYS: timedelta(days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFilter:
    """Which referrals a list shows. All conditions that are set must hold; a list of values holds with one of them.

    `exact` compares attributes of the index. The others are checked in each row: `search_text` has the
    beginnings of names, or a record number, a date of birth or a phone number; `late` is about the
    turnaround of the stage, a worklist is a rule, and `coverage` is the coverage as the list shows it.
    """

    exact: Mapping[str, list[str]]
    since: datetime | None = None
    search_text: str | None = None
    late: bool | None = None
    worklist: Worklist | None = None
    coverage: Collection[CoverageState] | None = None
    product_id: Collection[str] | None = None
    provider_npi: Collection[str] | None = None
    practice_id: Collection[str] | None = None
    next_date: Collection[NextDate] | None = None

    @property
    def only_open(self) -> bool:
        """Whether no referral that has ended can match."""
        return self.worklist in OPEN_WORKLISTS or self.late is True


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Says which rows match a filter, for one viewer."""

    filter: ReferralFilter
    viewer: ListViewer
    context: RunContext
    has_unread: HasUnread

    def matches(self, row: ReferralSummary) -> bool:
        """Whether a row matches. The cheap conditions come first."""
        wanted = self.filter
        return (
            _is_wanted(wanted.practice_id, row.practice_id)
            and _is_wanted(wanted.product_id, find_product_id(row) or NONE)
            and _is_wanted(wanted.provider_npi, row.provider.get("npi"))
            and self._is_on_worklist(row)
            and (wanted.late is None or is_late(row.stage_summary, self.viewer) is wanted.late)
            and (wanted.coverage is None or find_coverage_state(row, context=self.context) in wanted.coverage)
            and self._has_next_date(row)
            and (not wanted.search_text or matches_search(wanted.search_text, row.search_names, row.identifiers))
        )

    def _is_on_worklist(self, row: ReferralSummary) -> bool:
        worklist = self.filter.worklist
        if worklist is Worklist.CHANGED_SINCE_SEEN:
            return self.has_unread(row)
        return worklist is None or WORKLIST_RULES[worklist](row.stage_summary, self.viewer)

    def _has_next_date(self, row: ReferralSummary) -> bool:
        wanted = self.filter.next_date
        if wanted is None:
            return True
        planned = find_next_plan(row, context=self.context)
        if planned is None:
            return NextDate.NOT_SET in wanted
        zone = get_center_zone(row, context=self.context)
        day, _ = get_sort_key(planned.day, zone)
        ahead = day - to_local_day(self.context.now, zone)
        return any(ahead <= _DAYS_AHEAD[each] for each in wanted if each is not NextDate.NOT_SET)


def build_list_viewer(member: Member, *, context: RunContext) -> ListViewer:
    """The member as a viewer of lists, in the time zone of the member's organization."""
    tenant = context.stores.tenants.get_cached(member.kind, member.tenant_id)
    zone = tenant.time_zone if tenant else "UTC"
    return ListViewer(side=NextActor(member.kind.value), now=context.now, time_zone=zone)


def find_product_id(row: ReferralSummary) -> str | None:
    """Find the current product of a row: the one that the center named, or the one that the practice asked for."""
    return row.stage_summary.product_id or row.product_id


def find_coverage_state(row: ReferralSummary, *, context: RunContext) -> CoverageState:
    """Find the coverage as the list shows it, on this day at the practice."""
    today = get_practice_day(row.practice_id, context=context)
    summary = row.stage_summary
    return compute_display(summary.coverage, today=today, is_closed=summary.stage in TERMINAL_STAGES).state


def get_center_zone(row: ReferralSummary, *, context: RunContext) -> str:
    """The time zone in which a row's dates are planned. Without a center, nothing is planned."""
    center = context.stores.tenants.get_center(row.center_id)
    return center.tenant.time_zone if center else "UTC"


def find_next_plan(row: ReferralSummary, *, context: RunContext) -> DatedPlan | None:
    """Find the next planned date of a row."""
    zone = get_center_zone(row, context=context)
    return row.stage_summary.find_next_plan(now=context.now, time_zone=zone)


def _is_wanted(wanted: Collection[str] | None, value: str | None) -> bool:
    return wanted is None or value in wanted
