"""Insights: how long steps take, how far referrals get, and why they end."""

from typing import Final

from chalicelib import wiring
from chalicelib.domain.insights.figures import Grouping, Period
from chalicelib.routes.insights.responses import InsightsResponse, to_insights_response
from chalicelib.routes.insights.tables import build_csv
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.insights.read import read_insights

_READ: Final = "insights.read"
_EXPORT: Final = "insights.export"


class InsightsQuery(StrictModel):
    """Which figures."""

    period: Period = Period.LAST_12_MONTHS
    """Which referrals are counted, by the day of the referral: this month and the eleven before, or all."""
    grouping: Grouping = Grouping.NONE
    """Compare centers or products."""


@declare_endpoint("GET", "/v1/insights")
def get_insights(request: ApiRequest, query: InsightsQuery) -> ApiResponse[InsightsResponse]:
    """Get medians, quartiles and counts of your organization's referrals; groups under 5 are not shown."""
    return ApiResponse(body=_read(request, query, _READ))


@declare_endpoint("GET", "/v1/insights/tables.csv")
def export_insights(request: ApiRequest, query: InsightsQuery) -> ApiResponse[str]:
    """Download the tables of the insights as a file for a spreadsheet."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="insights-{query.period}-{query.grouping}.csv"',
    }
    return ApiResponse(body=build_csv(_read(request, query, _EXPORT)), headers=headers)


def _read(request: ApiRequest, query: InsightsQuery, action: str) -> InsightsResponse:
    view = read_insights(
        period=query.period, grouping=query.grouping, action=action, member=request.member, context=request.context
    )
    return to_insights_response(
        view, period=query.period, grouping=query.grouping, now=request.now, stores=wiring.get_stores()
    )
