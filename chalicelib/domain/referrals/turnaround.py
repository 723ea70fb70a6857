"""Turnaround: how long a stage usually takes, and when it is overdue.

The turnaround of a stage contains the time when the referral entered it, the day when the next
step can be expected, and the days after which the stage is overdue (amber) or long overdue (red). A typical time is
a published median, never a promise; a limit is our own suggestion unless a source is given.

During a hold the days still count, but nothing is overdue; the team is reminded of the hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.stages import Stage


class DayUnit(StrEnum):
    """The kind of days that a limit counts."""

    CALENDAR = "calendar"
    BUSINESS = "business"
    """Monday to Friday, except federal holidays. See `compute_federal_holidays`."""


class TurnaroundLevel(StrEnum):
    """Whether a stage is overdue."""

    ON_TIME = "on_time"
    AMBER = "amber"
    RED = "red"
    ON_HOLD = "on_hold"
    NONE = "none"


class TurnaroundLimits(NamedTuple):
    """Days in a stage: the typical time, and the limits after which it is overdue. None is no limit.

    `since_referral`: the days are counted from the referral, as in the published source.
    """

    unit: DayUnit
    typical: int | None
    amber: int | None
    red: int | None
    source: str
    since_referral: bool = False


_OUR_PROPOSAL = "Suggested by this dashboard; not from a published source"
_BATTIWALLA = (
    "Median from referral to consultation in a community network, Battiwalla et al., Blood Adv 9(2) 429;"
    " alert limits suggested by this dashboard"
)
_CARVYKTI = (
    "4 to 5 weeks per Carvykti's public information; other products differ (see Products);"
    " alert limits suggested by this dashboard"
)
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
        _CALENDAR,
        5,
        8,
        10,
        "Carvykti and Abecma public information: 3 days of lymphodepletion, infusion 2 to 4 days later;"
        " long-overdue limit suggested by this dashboard",
    ),
    Stage.WINDOW_COMPLETE: TurnaroundLimits(_CALENDAR, None, 1, 3, _OUR_PROPOSAL),
    Stage.HANDBACK_READY: TurnaroundLimits(_CALENDAR, None, 3, 7, _OUR_PROPOSAL),
    Stage.HANDED_BACK: TurnaroundLimits(_CALENDAR, None, 14, 30, _OUR_PROPOSAL),
}
"""The limits of each stage. Sources were read in 2026-11."""

STAGES_WITH_OWN_DATE: Mapping[Stage, str] = {
    Stage.DEFERRED: "Date set by the center",
    Stage.MONITORING: "Return date from the product's monitoring period and any extensions",
}
"""Stages that last until a date of the referral itself; overdue from the day after it."""

RED_AFTER_OWN_DATE = timedelta(days=7)
"""How long after its own date such a stage is long overdue. Our own suggestion."""

NO_LIMIT: frozenset[Stage] = frozenset(
    {
        # The system opens monitoring the day after the infusion.
        Stage.INFUSED,
        # Follow-up lasts for years; its visits have notices of their own.
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
        # A referral that has ended has no next step.
        Stage.DECLINED,
        Stage.WITHDRAWN,
        Stage.REDIRECTED,
        Stage.NOT_PROCEEDING,
        Stage.DECEASED,
        Stage.LOST_TO_FOLLOW_UP,
        Stage.TRANSFERRED_CARE,
        Stage.CLOSED_COMPLETE,
    }
)
"""Stages that are never overdue. Every stage must be in exactly one of `TURNAROUND_LIMITS`,
`STAGES_WITH_OWN_DATE` and `NO_LIMIT`; a test checks it, so that no new stage silently lacks a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnaround:
    """The turnaround of a referral's current stage. Dates are in the viewer's time zone."""

    since: datetime
    expected_by: date | None
    amber_on: date | None
    red_on: date | None
    level: TurnaroundLevel
    unit: DayUnit | None
    source: str | None

    @property
    def is_late(self) -> bool:
        """Whether the stage is overdue."""
        return self.level in {TurnaroundLevel.AMBER, TurnaroundLevel.RED}


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
    """Compute the turnaround of a stage at `now`.

    A limit of n days is exceeded when the n-th day after the first day is over: a referral that
    was submitted on Friday with a limit of one business day is overdue from Tuesday.
    `referred_at` starts the days that are counted from the referral; `ends_on` is the date of a
    stage in `STAGES_WITH_OWN_DATE`.
    """
    zone = ZoneInfo(time_zone)
    limits = TURNAROUND_LIMITS.get(stage)
    started_at = referred_at if limits and limits.since_referral and referred_at else since
    start, today = started_at.astimezone(zone).date(), now.astimezone(zone).date()
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


@lru_cache(maxsize=4096)
def add_days(start: date, days: int, unit: DayUnit) -> date:
    """Compute the day that is `days` days after `start`; `start` itself is not counted."""
    if unit is DayUnit.CALENDAR:
        return start + timedelta(days=days)
    day, remaining = start, days
    while remaining:
        day += timedelta(days=1)
        remaining -= is_business_day(day)
    return day


def is_business_day(day: date) -> bool:
    """Whether a day is neither on a weekend nor a federal holiday."""
    return day.weekday() < 5 and day not in compute_federal_holidays(day.year)


@lru_cache(maxsize=64)
def compute_federal_holidays(year: int) -> frozenset[date]:
    """Compute the federal holidays of a year, on the days when they are observed.

    Source: 5 U.S.C. 6103, and Executive Order 11582 for the observed day; the tests compare with
    the calendar of the Office of Personnel Management.
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
    """A holiday on a Saturday is observed on Friday, one on a Sunday on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _find_nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Find the n-th given weekday of a month; weekday 0 is Monday."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
