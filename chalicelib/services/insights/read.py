"""Read the figures of the member's own organization, computed from its list of referrals for each request."""

from dataclasses import dataclass

from chalicelib.domain.identity.members import Member
from chalicelib.domain.insights.figures import CountedReferral, Grouping, Insights, Period, compute_insights
from chalicelib.domain.insights.intervals import count_days
from chalicelib.domain.insights.milestones import Milestone, find_furthest
from chalicelib.domain.insights.suppression import INFUSED, OPEN
from chalicelib.domain.platform.rate_limit import INSIGHTS_PER_MEMBER
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.list_filters import build_list_viewer
from chalicelib.services.referrals.search import get_index_name, record_list_read
from chalicelib.store.referrals.items import ReferralSummary

MAX_REFERRALS = 10_000
"""How many referrals of an organization are counted: those that changed last."""

_NEVER_SENT = frozenset({Stage.DRAFT, Stage.WITHDRAWN})
"""The statuses of a referral that was never submitted: a draft, and a discarded draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsView:
    """The figures, and what they leave out.

    Attributes:
        has_more: Whether the organization has more than `MAX_REFERRALS` referrals.
        has_old_rows: Whether an earlier release wrote the row of a referral, so that its days are not known.
    """

    insights: Insights
    has_more: bool
    has_old_rows: bool


def read_insights(
    *, period: Period, grouping: Grouping, action: str, member: Member, context: RunContext
) -> InsightsView:
    """Read the figures of a period, and leave an audit row.

    Raises:
        ForbiddenError: the member's role has no access to patients.
        RateLimitedError: the member asked too often.
    """
    index = get_index_name(member)
    enforce_rate_limit(f"insights#{member.member_id}", INSIGHTS_PER_MEMBER, context=context)
    viewer = build_list_viewer(member, context=context)
    record_list_read(member, action=action, context=context)
    counted: list[CountedReferral] = []
    number = 0
    has_old_rows = False
    rows = context.stores.referrals.list_summaries(
        index=index, tenant_id=member.tenant_id, newest_first=True, start=context.calls.start
    )
    for number, row in enumerate(rows, start=1):
        if number > MAX_REFERRALS:
            break
        is_old = row.milestones is None and (row.submitted_on or row.stage_summary.stage not in _NEVER_SENT)
        has_old_rows = has_old_rows or bool(is_old)
        referral = _count(row, viewer.time_zone, context)
        if referral:
            counted.append(referral)
    today = to_local_day(context.now, viewer.time_zone)
    return InsightsView(
        insights=compute_insights(counted, period=period, grouping=grouping, today=today),
        has_more=number > MAX_REFERRALS,
        has_old_rows=has_old_rows,
    )


def _count(row: ReferralSummary, own_zone: str, context: RunContext) -> CountedReferral | None:
    """What is counted about a referral; None if it was never submitted, or its row has no milestones."""
    if not row.milestones or Milestone.SUBMITTED not in row.milestones:
        return None
    center = context.stores.tenants.get_center(row.center_id)
    zone = center.tenant.time_zone if center else own_zone
    submitted_on = to_local_day(row.milestones[Milestone.SUBMITTED], zone)
    summary = row.stage_summary
    return CountedReferral(
        referred_on=min(row.referred_on or submitted_on, submitted_on),
        center_id=row.center_id,
        product_id=summary.product_id or row.product_id,
        furthest=find_furthest(row.milestones),
        days=count_days(
            row.milestones,
            referred_on=row.referred_on,
            monitoring_ends_on=summary.window_ends_on,
            time_zone=zone,
        ),
        outcome=_find_outcome(row),
    )


def _find_outcome(row: ReferralSummary) -> str:
    summary, milestones = row.stage_summary, row.milestones or {}
    if find_furthest(milestones) in _FROM_INFUSION:
        return INFUSED
    if summary.stage not in TERMINAL_STAGES:
        return OPEN
    # A row of an early release can have a reason in the sender's own words. They could be about a patient.
    is_known = summary.reason_code in ReasonCode.__members__.values()
    return str(summary.reason_code) if is_known else ReasonCode.UNKNOWN


_FROM_INFUSION = frozenset(tuple(Milestone)[tuple(Milestone).index(Milestone.INFUSED) :])
