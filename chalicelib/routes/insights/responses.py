"""Insights, as the API returns them."""

from datetime import datetime

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib import catalog
from chalicelib.catalog.published_figures import load_published_figures
from chalicelib.domain.insights.figures import GroupFigures, Grouping, Period
from chalicelib.domain.insights.intervals import INTERVAL_FACTS, Interval, IntervalFacts
from chalicelib.domain.insights.milestones import Milestone
from chalicelib.domain.insights.suppression import MIN_GROUP
from chalicelib.domain.referrals.reason_codes import format_reason
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.insights.read import InsightsView
from chalicelib.store.all_stores import Stores


class IntervalFiguresResponse(TypedDict):
    """How long one interval took."""

    interval: Interval
    """The interval."""
    label: str
    """The interval in words."""
    acts: str
    """Who acts in this interval."""
    median_days: float | None
    """Half of the referrals took this many days or fewer; null if fewer than `smallest_group` have both steps."""
    first_quartile_days: float | None
    """A quarter of the referrals took this many days or fewer."""
    third_quartile_days: float | None
    """Three quarters of the referrals took this many days or fewer."""
    referrals: int | None
    """How many referrals have both steps; null if the count is not shown."""


class MilestoneFiguresResponse(TypedDict):
    """How many referrals reached a step."""

    stage: Milestone
    """The step."""
    label: str
    """The step in words."""
    referrals: int | None
    """How many referrals reached it; null if the count is not shown."""
    percent: int | None
    """Of all referrals of the period; null if the count is not shown."""


class ReasonFiguresResponse(TypedDict):
    """How many referrals ended before the infusion for one reason."""

    reason_code: str
    """The reason."""
    label: str
    """The reason in words."""
    referrals: int
    """How many referrals ended for it."""


class GroupFiguresResponse(TypedDict):
    """The figures of all referrals of the period, or of a group of them."""

    group_id: str | None
    """The center or product; null for all referrals, for several small groups together, and if no product is named."""
    label: str
    """The group in words."""
    intervals: list[IntervalFiguresResponse]
    """How long each interval took."""
    milestones: list[MilestoneFiguresResponse]
    """How far referrals got."""
    open: int | None
    """How many are neither infused nor ended; null if the count is not shown."""
    ended: int | None
    """How many ended before the infusion; null if the count is not shown."""
    reasons: list[ReasonFiguresResponse]
    """Why they ended, most frequent first. Reasons that are not shown are left out."""
    other_reasons: int | None
    """How many ended for a reason that is not shown; null if that is not shown either."""


class PublishedSourceResponse(TypedDict):
    """Where a published figure is from."""

    source_id: str
    """The ID of the source."""
    title: str
    """The publication."""
    population: str
    """Whom the figures are about."""
    url: str
    """Where to read it."""
    published_on: str
    """When it was published."""
    read_on: str
    """When we read it."""


class PublishedMedianResponse(TypedDict):
    """A median that others published. It is not a goal."""

    interval: Interval
    """The interval."""
    median_days: float
    """The published median, in days."""
    source: str
    """The ID of its source."""


class PublishedStatementResponse(TypedDict):
    """What others published about referrals that ended."""

    text: str
    """The finding."""
    source: str
    """The ID of its source."""


class PublishedFiguresResponse(TypedDict):
    """Figures that others published, for comparison."""

    intervals: list[PublishedMedianResponse]
    """Medians by interval."""
    endings: list[PublishedStatementResponse]
    """Findings about referrals that ended."""
    sources: list[PublishedSourceResponse]
    """Where they are from."""


class InsightsResponse(TypedDict):
    """The figures of your organization's own referrals."""

    period: Period
    """Which referrals are counted, by the day of the referral."""
    starts_on: str | None
    """The first day of the period; null for all referrals."""
    grouping: Grouping
    """By what the figures are compared."""
    as_of: str
    """When the figures were computed (RFC 3339, UTC)."""
    smallest_group: int
    """Smaller groups are not shown, and neither is what they could be computed from."""
    has_more: bool
    """Whether older referrals are left out, because your organization has more than 10,000."""
    has_old_rows: bool
    """Whether referrals are left out that an earlier release stored. The operator can run `referrals migrate`."""
    total: GroupFiguresResponse
    """All referrals of the period."""
    groups: list[GroupFiguresResponse]
    """The groups, largest first. Empty without a grouping, and if there are fewer than two groups to show."""
    published: PublishedFiguresResponse
    """Figures that others published, for comparison."""


_REST_LABELS = {Grouping.CENTER: "Other centers", Grouping.PRODUCT: "Other products"}


def to_insights_response(
    view: InsightsView, *, period: Period, grouping: Grouping, now: datetime, stores: Stores
) -> InsightsResponse:
    """Convert the figures to their response."""
    insights = view.insights
    return {
        "period": period,
        "starts_on": insights.starts_on.isoformat() if insights.starts_on else None,
        "grouping": grouping,
        "as_of": format_timestamp(now),
        "smallest_group": MIN_GROUP,
        "has_more": view.has_more,
        "has_old_rows": view.has_old_rows,
        "total": _to_group_response(insights.total, None, "All referrals"),
        "groups": [
            _to_group_response(group, *_name_group(group, grouping, stores=stores)) for group in insights.groups
        ],
        "published": _to_published_response(),
    }


def _name_group(group: GroupFigures, grouping: Grouping, *, stores: Stores) -> tuple[str | None, str]:
    if len(group.members) > 1:
        return None, _REST_LABELS[grouping]
    [member] = group.members
    if grouping is Grouping.CENTER:
        center = stores.tenants.get_center(member)
        return member, center.tenant.name if center else "A center that is no longer listed"
    if member is None:
        return None, "No product named"
    product = catalog.load_products().get(member)
    return member, product.name if product else "A product that is no longer listed"


def _to_group_response(group: GroupFigures, group_id: str | None, label: str) -> GroupFiguresResponse:
    submitted = group.milestones[Milestone.SUBMITTED]
    return {
        "group_id": group_id,
        "label": label,
        "intervals": [_to_interval_response(group, interval, facts) for interval, facts in INTERVAL_FACTS.items()],
        "milestones": [
            {
                "stage": milestone,
                "label": STAGE_FACTS[Stage(milestone.value)].label,
                "referrals": count,
                "percent": round(100 * count / submitted) if submitted and count is not None else None,
            }
            for milestone, count in group.milestones.items()
        ],
        "open": group.open,
        "ended": group.ended,
        "reasons": [
            {"reason_code": reason, "label": format_reason(reason) or reason, "referrals": count}
            for reason, count in group.reasons.items()
        ],
        "other_reasons": group.other_reasons,
    }


def _to_interval_response(group: GroupFigures, interval: Interval, facts: IntervalFacts) -> IntervalFiguresResponse:
    figures = group.intervals[interval]
    quartiles = figures.quartiles
    return {
        "interval": interval,
        "label": facts.label,
        "acts": facts.acts,
        "median_days": quartiles.median if quartiles else None,
        "first_quartile_days": quartiles.first if quartiles else None,
        "third_quartile_days": quartiles.third if quartiles else None,
        "referrals": figures.referrals,
    }


def _to_published_response() -> PublishedFiguresResponse:
    published = load_published_figures()
    return {name: published[name] for name in ("intervals", "endings", "sources")}  # type: ignore[return-value] # reviewed
