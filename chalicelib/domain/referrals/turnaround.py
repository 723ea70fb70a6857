"""How long a stage usually takes, and when somebody should ask.

A clock says who owns the next move, since when, by when it may be expected, and from when on it
is late (amber) or very late (red). A typical time is a median that somebody published, and never
a promise; a limit is this product's own proposal unless a source stands beside it.

Under a hold the clock runs on, but nothing is called late: the reminder is of the hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.stages import Stage


class DayUnit(StrEnum):
    """How days are counted."""

    CALENDAR = "calendar"
    BUSINESS = "business"
    """Monday to Friday, federal holidays apart. See `holidays_of`."""


class TurnaroundLevel(StrEnum):
    """How a clock stands."""

    ON_TIME = "on_time"
    AMBER = "amber"
    RED = "red"
    ON_HOLD = "on_hold"
    NONE = "none"


class TurnaroundLimits(NamedTuple):
    """Days in a stage: the typical time, and from when on it is late. None is no limit.

    `since_referral`: the days were published, and are counted, from the referral on.
    """

    unit: DayUnit
    typical: int | None
    amber: int | None
    red: int | None
    source: str
    since_referral: bool = False


_OUR_PROPOSAL = "This product's proposal"
_BATTIWALLA = (
    "Median from referral to consultation in a community network, Battiwalla et al., Blood Adv 9(2) 429; limits ours"
)
_CARVYKTI = "Four to five weeks in Carvykti's center text; other products differ, see the catalogue; limits ours"
_CALENDAR, _BUSINESS = DayUnit.CALENDAR, DayUnit.BUSINESS

TURNAROUND_LIMITS: Mapping[Stage, TurnaroundLimits] = {
    Stage.DRAFT: TurnaroundLimits(_CALENDAR, None, 3, 14, _OUR_PROPOSAL),
    Stage.SUBMITTED: TurnaroundLimits(_BUSINESS, None, 1, 3, _OUR_PROPOSAL),
    Stage.RECEIVED: TurnaroundLimits(_BUSINESS, None, 3, 5, _OUR_PROPOSAL),
    Stage.INFO_REQUESTED: TurnaroundLimits(_CALENDAR, None, 2, 5, _OUR_PROPOSAL),
    Stage.ACCEPTED: TurnaroundLimits(_CALENDAR, 11, 14, 21, _BATTIWALLA, since_referral=True),
    Stage.CONSULT_SCHEDULED: TurnaroundLimits(_CALENDAR, 11, 14, 21, _BATTIWALLA, since_referral=True),
    Stage.CONSULT_COMPLETED: TurnaroundLimits(_CALENDAR, None, 7, 14, _OUR_PROPOSAL),
    Stage.ELIGIBILITY_PENDING: TurnaroundLimits(_CALENDAR, None, 7, 14, _OUR_PROPOSAL),
    Stage.CENTER_PROCEED: TurnaroundLimits(_CALENDAR, None, 28, 45, _OUR_PROPOSAL),
    Stage.APHERESIS_SCHEDULED: TurnaroundLimits(_CALENDAR, None, 28, 45, _OUR_PROPOSAL),
    Stage.APHERESIS_COMPLETED: TurnaroundLimits(_CALENDAR, None, 3, 7, _OUR_PROPOSAL),
    Stage.MANUFACTURING_STARTED: TurnaroundLimits(_CALENDAR, 28, 35, 49, _CARVYKTI),
    Stage.QC_TESTING: TurnaroundLimits(_CALENDAR, None, 10, 21, _OUR_PROPOSAL),
    Stage.RELEASED: TurnaroundLimits(_CALENDAR, None, 7, 14, _OUR_PROPOSAL),
    Stage.OUT_OF_SPECIFICATION: TurnaroundLimits(_CALENDAR, None, 3, 7, _OUR_PROPOSAL),
    Stage.MANUFACTURING_FAILED: TurnaroundLimits(_CALENDAR, None, 3, 7, _OUR_PROPOSAL),
    Stage.PRODUCT_SHIPPED: TurnaroundLimits(_CALENDAR, None, 3, 5, _OUR_PROPOSAL),
    Stage.PRODUCT_RECEIVED: TurnaroundLimits(_CALENDAR, None, 14, 28, _OUR_PROPOSAL),
    Stage.LYMPHODEPLETION_STARTED: TurnaroundLimits(
        _CALENDAR, 5, 8, 10, "Carvykti and Abecma texts: 3 days and 2 to 4 more; red limit proposed"
    ),
    Stage.WINDOW_COMPLETE: TurnaroundLimits(_CALENDAR, None, 1, 3, _OUR_PROPOSAL),
    Stage.HANDBACK_READY: TurnaroundLimits(_CALENDAR, None, 3, 7, _OUR_PROPOSAL),
    Stage.HANDED_BACK: TurnaroundLimits(_CALENDAR, None, 14, 30, _OUR_PROPOSAL),
}
"""Stages without a row have no clock of their own: an ending, follow-up, or a `DATED` stage.
Sources were read 2026-11."""

STAGES_WITH_OWN_DATE: Mapping[Stage, str] = {
    Stage.DEFERRED: "The day that the center named",
    Stage.MONITORING: "The day of hand-back, from the product's window and its extensions",
}
"""Stages that last until a day of the referral's own; late from the day after it."""

RED_AFTER_OWN_DATE = timedelta(days=7)
"""How long after its day a dated stage is very late. This product's proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnaround:
    """How a referral's stage stands against its limits. Dates are in the reader's zone."""

    since: datetime
    expected_by: date | None
    amber_on: date | None
    red_on: date | None
    level: TurnaroundLevel
    unit: DayUnit | None
    source: str | None


def compute_turnaround(
    stage: Stage,
    *,
    since: datetime,
    referred_at: datetime | None = None,
    ends_on: date | None = None,
    on_hold: bool,
    now: datetime,
    time_zone: str,
) -> Turnaround:
    """The clock of a stage, read at `now`.

    A limit of n days is passed when the n-th day after the first is over: what was submitted on
    Friday with a limit of one business day is late from Tuesday on. `referred_at` is where days
    since the referral begin, `ends_on` the day that a `DATED` stage lasts until.
    """
    zone = ZoneInfo(time_zone)
    limits = TURNAROUND_LIMITS.get(stage)
    begun = referred_at if limits and limits.since_referral and referred_at else since
    start, today = begun.astimezone(zone).date(), now.astimezone(zone).date()
    expected: date | None = None
    amber: date | None = None
    red: date | None = None
    if limits:
        expected, amber, red = (
            None if days is None else add_days(start, days, limits.unit)
            for days in (limits.typical, limits.amber, limits.red)
        )
    elif stage in STAGES_WITH_OWN_DATE and ends_on:
        expected = amber = ends_on
        red = ends_on + RED_AFTER_OWN_DATE
    level = TurnaroundLevel.ON_HOLD if on_hold else _compute_level(today, amber, red)
    return Turnaround(
        since=since,
        expected_by=expected,
        amber_on=amber,
        red_on=red,
        level=level,
        unit=limits.unit if limits else None,
        source=limits.source if limits else STAGES_WITH_OWN_DATE[stage] if amber else None,
    )


def _compute_level(today: date, amber: date | None, red: date | None) -> TurnaroundLevel:
    if not amber and not red:
        return TurnaroundLevel.NONE
    if red and today > red:
        return TurnaroundLevel.RED
    if amber and today > amber:
        return TurnaroundLevel.AMBER
    return TurnaroundLevel.ON_TIME


def add_days(start: date, days: int, unit: DayUnit) -> date:
    """The day that comes so many days after `start`, which is not counted."""
    if unit is DayUnit.CALENDAR:
        return start + timedelta(days=days)
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= is_business_day(day)
    return day


def is_business_day(day: date) -> bool:
    """Whether people at a desk work on it: no weekend and no federal holiday."""
    return day.weekday() < 5 and day not in compute_federal_holidays(day.year)


def compute_federal_holidays(year: int) -> frozenset[date]:
    """The federal holidays of a year, on the days they are observed on.

    Source: 5 U.S.C. 6103, with Executive Order 11582 on the day that is observed; the
    tests compare with the calendar of the Office of Personnel Management.
    """
    fixed = [date(year, *day) for day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))]
    fixed.append(date(year + 1, 1, 1))  # May be observed on the last day of this year.
    floating = (
        _find_nth_weekday(year, 1, 0, 3),
        _find_nth_weekday(year, 2, 0, 3),
        _find_nth_weekday(year, 6, 0, 1) - timedelta(days=7),  # Memorial Day: the last Monday of May
        _find_nth_weekday(year, 9, 0, 1),
        _find_nth_weekday(year, 10, 0, 2),
        _find_nth_weekday(year, 11, 3, 4),
    )
    return frozenset(day for day in (*map(_shift_to_observed_day, fixed), *floating) if day.year == year)


def _shift_to_observed_day(day: date) -> date:
    """Saturday's holiday is observed on Friday, Sunday's on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _find_nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday of a month; weekday 0 is Monday."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
