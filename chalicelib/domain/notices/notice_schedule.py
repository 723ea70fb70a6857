"""The schedule of notices from the infusion to year 15, as data: what each side is told, and when.

Source:
    The journey's notification schedule as gathered by 2026-04 (days 0, 1, 7, 14, 21 and 28, the
    days after them, day 3 after a hand-back); for follow-up see `follow_up`. The words, and to
    escalate on the third day, are this product's own.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.handback.visits import list_follow_up_visits
from chalicelib.domain.referrals.monitoring_window import MilestoneKind, MonitoringWindow

WINDOW_OPENED_RULE = "window_opened"
FIRST_DAY_RULE = "first_day"
HANDBACK_OVERDUE_RULE = "handback_overdue_{}"
HANDBACK_UNACKNOWLEDGED_RULE = "handback_unacknowledged"

MAX_OVERDUE_REMINDERS = 3
"""On how many days after the window a missing hand-back is told of; on the last to those who lead
at the center too."""

ACKNOWLEDGE_WITHIN_DAYS = 3
"""Days that a practice has to acknowledge a hand-back before it is reminded."""


class NoticeSeries(StrEnum):
    """What a notice carries on: of several on one line, the latest says what the others did."""

    WATCH = "watch"
    CHECK_IN = "check_in"
    DOSE = "dose"
    DRIVING = "driving"
    HANDBACK = "handback"
    OVERDUE = "overdue"
    ACKNOWLEDGEMENT = "acknowledgement"
    FOLLOW_UP = "follow_up"


class ScheduledNotice(NamedTuple):
    """One row of the schedule: what the practice is told, what the center, and who leads there."""

    series: NoticeSeries
    practice: str | None = None
    center: str | None = None
    leads: str | None = None

    @property
    def title(self) -> str:
        """How a list of the whole plan names it, whoever reads it."""
        return self.practice or self.center or ""


def _notify_both(line: NoticeSeries, title: str) -> ScheduledNotice:
    return ScheduledNotice(line, title, title)


def _build_overdue_notice(day: int) -> ScheduledNotice:
    late = f"The hand-back is overdue by {day} day{'s' if day > 1 else ''}"
    last = "; the referring team waits" if day == MAX_OVERDUE_REMINDERS else None
    return ScheduledNotice(
        NoticeSeries.OVERDUE,
        f"{late}: ask the center when the patient comes back",
        f"{late}: send the package, or extend the window with a reason",
        last and f"{late}{last}: see that somebody answers",
    )


def _build_visit_notice(rule: str, label: str) -> ScheduledNotice:
    if rule.startswith("visit_year_"):
        return _notify_both(NoticeSeries.FOLLOW_UP, f"Long-term check-in: {label.lower()}")
    center = f"Follow-up point to report: {label.lower()}" if rule in _CIBMTR_VISITS else None
    return ScheduledNotice(NoticeSeries.FOLLOW_UP, f"Follow-up visit: {label.lower()}", center)


_CIBMTR_VISITS = frozenset({"visit_day_100", "visit_day_180", "visit_day_365"})
"""The visits of the first year at which CIBMTR asks centers to report; later ones all are."""

NOTICE_SCHEDULE: Mapping[str, ScheduledNotice] = {
    WINDOW_OPENED_RULE: ScheduledNotice(
        NoticeSeries.WATCH, center="Day 0: check the days of the monitoring window, and extend it if they do not fit"
    ),
    FIRST_DAY_RULE: ScheduledNotice(NoticeSeries.CHECK_IN, "Day 1 after infusion: whom to call stands on the page"),
    MilestoneKind.DAILY_MONITORING_ENDS: ScheduledNotice(
        NoticeSeries.WATCH,
        "The label's minimum of daily monitoring ends today",
        "The label's minimum of daily monitoring ends today: is the patient discharged?",
    ),
    MilestoneKind.SECOND_PART_DUE: _notify_both(NoticeSeries.DOSE, "The second part of the dose is due today"),
    MilestoneKind.LABEL_MINIMUM_ENDS: ScheduledNotice(
        NoticeSeries.WATCH,
        "The label's minimum of monitoring ends today; the center may extend",
        "The label's minimum of monitoring ends today: confirm, or extend with a reason",
    ),
    MilestoneKind.PROXIMITY_MINIMUM_ENDS: _notify_both(
        NoticeSeries.WATCH, "The label's minimum of staying near the center ends today"
    ),
    MilestoneKind.DRIVING_MINIMUM_ENDS: _notify_both(
        NoticeSeries.DRIVING, "The label's minimum of not driving ends today; clinicians decide"
    ),
    MilestoneKind.HANDBACK_NEAR: ScheduledNotice(
        NoticeSeries.HANDBACK,
        "Hand-back in 7 days: book the visit and the labs",
        "Hand-back in 7 days: start the package",
    ),
    MilestoneKind.HANDBACK_TARGET: ScheduledNotice(
        NoticeSeries.HANDBACK,
        "The hand-back target is reached today",
        "The hand-back target is reached today: is the window complete? The package is due",
    ),
    **{HANDBACK_OVERDUE_RULE.format(day): _build_overdue_notice(day) for day in range(1, MAX_OVERDUE_REMINDERS + 1)},
    HANDBACK_UNACKNOWLEDGED_RULE: ScheduledNotice(
        NoticeSeries.ACKNOWLEDGEMENT,
        "The hand-back has waited 3 days to be acknowledged",
        "The practice has not acknowledged the hand-back for 3 days",
    ),
    **{visit.rule: _build_visit_notice(visit.rule, visit.label) for visit in list_follow_up_visits(date.min)},
}

_LABEL_MINIMUM_ENDS = frozenset({MilestoneKind.PROXIMITY_MINIMUM_ENDS, MilestoneKind.DRIVING_MINIMUM_ENDS})
"""Told of by themselves only where they end on another day than the label's minimum."""


def list_due_days(window: MonitoringWindow) -> Iterator[tuple[str, date]]:
    """Every rule that follows from a window, with the day of the center's calendar it is due."""
    yield WINDOW_OPENED_RULE, window.infused_on
    yield FIRST_DAY_RULE, window.infused_on + timedelta(days=1)
    profile = window.profile
    for milestone in window.milestones:
        is_same_day = milestone.day == profile.monitor_min_days
        if milestone.kind in NOTICE_SCHEDULE and not (is_same_day and milestone.kind in _LABEL_MINIMUM_ENDS):
            yield milestone.kind, milestone.on
    for day in range(1, MAX_OVERDUE_REMINDERS + 1):
        yield HANDBACK_OVERDUE_RULE.format(day), window.ends_on + timedelta(days=day)
    yield from ((visit.rule, visit.on) for visit in list_follow_up_visits(window.infused_on))
