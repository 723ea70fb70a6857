"""The follow-up visits after an infusion, by calendar day: one list for calendars and notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.eligibility.calendar_months import add_months

FOLLOW_UP_VISIT_DAYS = (30, 90, 100, 180, 365)
"""Days after the infusion on which the patient has a follow-up visit.

Source: the points at which CIBMTR asks centers to report (day 100, 6 months, yearly; forms
instruction manual, cibmtr.org/manuals/fim/1/en/topic/4100) and the published care tables' day 30
and month 3, as gathered by 2026-04.
"""

LAST_FOLLOW_UP_YEAR = 15
"""The last year of follow-up. Source: the manufacturers' 15-year postmarketing studies, unchanged
by FDA's notice of June 26, 2025 (mlo-online.com 55301145, as gathered by 2026-04)."""

_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpVisit:
    """A follow-up visit that is due.

    Attributes:
        rule: Stays the same when the infusion date is corrected, such as `visit_day_30`.
    """

    rule: str
    label: str
    on: date


def list_follow_up_visits(infused_on: date) -> Sequence[FollowUpVisit]:
    """List every visit after an infusion on day 0, earliest first.

    The visits after the first year are on anniversaries. The anniversary of February 29 is
    February 28 in a year without a leap day.
    """
    days = [
        FollowUpVisit(rule=f"visit_day_{day}", label=f"Day {day}", on=infused_on + timedelta(days=day))
        for day in FOLLOW_UP_VISIT_DAYS
    ]
    years = [
        FollowUpVisit(rule=f"visit_year_{year}", label=f"Year {year}", on=add_months(infused_on, _MONTHS * year))
        for year in range(2, LAST_FOLLOW_UP_YEAR + 1)
    ]
    return [*days, *years]
