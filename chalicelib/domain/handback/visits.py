"""The visits after an infusion, on calendar days: the one list that calendars and notices share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.eligibility.calendar_months import add_months

FOLLOW_UP_VISIT_DAYS = (30, 90, 100, 180, 365)
"""Days after the infusion on which the patient is seen.

Source: the points at which CIBMTR asks centers to report (day 100, 6 months, yearly; forms
instruction manual, cibmtr.org/manuals/fim/1/en/topic/4100) and the published care tables' day 30
and month 3, as gathered by 2026-04.
"""

LAST_FOLLOW_UP_YEAR = 15
"""Until which year a recipient is followed. Source: the makers' 15-year studies after marketing,
unchanged by FDA's notice of 26 June 2025 (mlo-online.com 55301145, as gathered by 2026-04)."""

_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpVisit:
    """A visit that is due.

    Attributes:
        rule: What stays the same when the infusion's date is corrected, as `visit_day_30`.
    """

    rule: str
    label: str
    on: date


def list_follow_up_visits(infused_on: date) -> Sequence[FollowUpVisit]:
    """Every visit after an infusion on day 0, earliest first.

    Years after the first are anniversaries; that of 29 February is 28 February where the year
    has no other.
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
