"""The schedule of notices from the infusion to year 15, as data: what each side is notified of, and when.

Source:
    The notification schedule for CAR T patients as gathered by 2026-04 (days 0, 1, 7, 14, 21 and 28,
    the days after them, day 3 after the return to the practice); for follow-up visits see
    `domain.handback.visits`. The wording, and the escalation on the third day, are this product's own.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.handback.visits import list_follow_up_visits
from chalicelib.domain.referrals.monitoring_window import MilestoneKind, MonitoringWindow

WINDOW_OPENED_RULE = "window_opened"
FIRST_DAY_RULE = "first_day"
CONSULTATION_REMINDER_RULE = "consultation_reminder"
"""The consultation is on the next day at the center. It does not count from the infusion."""
HANDBACK_OVERDUE_RULE = "handback_overdue_{}"
HANDBACK_UNACKNOWLEDGED_RULE = "handback_unacknowledged"

MAX_OVERDUE_REMINDERS = 3
"""On how many days after the end of monitoring an overdue return is announced. On the last day, the
center's administrators are notified too."""

ACKNOWLEDGE_WITHIN_DAYS = 3
"""Days that a practice has to acknowledge the patient's return before it is reminded."""


class NoticeSeries(StrEnum):
    """A series of notices. If several of one series are past, the latest replaces the others."""

    CONSULTATION = "consultation"
    MONITORING = "monitoring"
    CHECK_IN = "check_in"
    DOSE = "dose"
    DRIVING = "driving"
    HANDBACK = "handback"
    OVERDUE = "overdue"
    ACKNOWLEDGEMENT = "acknowledgement"
    FOLLOW_UP = "follow_up"


class ScheduledNotice(NamedTuple):
    """One row of the schedule: a title for the practice, the center, and the center's administrators."""

    series: NoticeSeries
    practice: str | None = None
    center: str | None = None
    center_admins: str | None = None

    @property
    def title(self) -> str:
        """The title in the list of all planned notices, for readers of either side."""
        return self.practice or self.center or ""


def _notify_both(series: NoticeSeries, title: str) -> ScheduledNotice:
    return ScheduledNotice(series, title, title)


def _build_overdue_notice(day: int) -> ScheduledNotice:
    overdue = f"Return to referring provider is {day} {'day' if day == 1 else 'days'} overdue"
    is_last = day == MAX_OVERDUE_REMINDERS
    return ScheduledNotice(
        NoticeSeries.OVERDUE,
        f"{overdue}: call the center to confirm the return date",
        f"{overdue}: send the transition-of-care summary, or extend monitoring and give a reason",
        f"{overdue}; the referring practice is waiting: make sure someone on your team responds" if is_last else None,
    )


def _build_visit_notice(rule: str, label: str) -> ScheduledNotice:
    if rule.startswith("visit_year_"):
        return _notify_both(NoticeSeries.FOLLOW_UP, f"Long-term check-in due: {label.lower()}")
    center = f"Registry follow-up due: {label.lower()}" if rule in _CIBMTR_VISITS else None
    return ScheduledNotice(NoticeSeries.FOLLOW_UP, f"Follow-up visit due: {label.lower()}", center)


_CIBMTR_VISITS = frozenset({"visit_day_100", "visit_day_180", "visit_day_365"})
"""The visits of the first year for which CIBMTR asks centers to report. It asks for every later one."""

NOTICE_SCHEDULE: Mapping[str, ScheduledNotice] = {
    CONSULTATION_REMINDER_RULE: _notify_both(
        NoticeSeries.CONSULTATION, "Consultation reminder: the time and the place are on the referral page"
    ),
    WINDOW_OPENED_RULE: ScheduledNotice(
        NoticeSeries.MONITORING, center="Day 0: check the monitoring dates and extend them if needed"
    ),
    FIRST_DAY_RULE: ScheduledNotice(NoticeSeries.CHECK_IN, "Day 1 after infusion: who to call is on the referral page"),
    MilestoneKind.DAILY_MONITORING_ENDS: ScheduledNotice(
        NoticeSeries.MONITORING,
        "Label minimum for daily monitoring ends today",
        "Label minimum for daily monitoring ends today: update discharge status",
    ),
    MilestoneKind.SECOND_PART_DUE: _notify_both(NoticeSeries.DOSE, "Second infusion of the split dose is due today"),
    MilestoneKind.LABEL_MINIMUM_ENDS: ScheduledNotice(
        NoticeSeries.MONITORING,
        "Label minimum for monitoring ends today; the center may extend it",
        "Label minimum for monitoring ends today: confirm the end, or extend and give a reason",
    ),
    MilestoneKind.PROXIMITY_MINIMUM_ENDS: _notify_both(
        NoticeSeries.MONITORING, "Label minimum for staying near the center ends today"
    ),
    MilestoneKind.DRIVING_MINIMUM_ENDS: _notify_both(
        NoticeSeries.DRIVING,
        "Label minimum for not driving ends today; the care team decides when it is safe to drive",
    ),
    MilestoneKind.HANDBACK_NEAR: ScheduledNotice(
        NoticeSeries.HANDBACK,
        "Return to your practice in 7 days: schedule the visit and labs",
        "Return to referring provider in 7 days: start the transition-of-care summary",
    ),
    MilestoneKind.HANDBACK_TARGET: ScheduledNotice(
        NoticeSeries.HANDBACK,
        "Target return date is today",
        "Target return date is today: confirm that monitoring is complete and send the transition-of-care summary",
    ),
    **{HANDBACK_OVERDUE_RULE.format(day): _build_overdue_notice(day) for day in range(1, MAX_OVERDUE_REMINDERS + 1)},
    HANDBACK_UNACKNOWLEDGED_RULE: ScheduledNotice(
        NoticeSeries.ACKNOWLEDGEMENT,
        "The patient's return has waited 3 days for your acknowledgment",
        "The practice has not acknowledged the patient's return in 3 days",
    ),
    **{visit.rule: _build_visit_notice(visit.rule, visit.label) for visit in list_follow_up_visits(date.min)},
}

_LABEL_MINIMUM_ENDS = frozenset({MilestoneKind.PROXIMITY_MINIMUM_ENDS, MilestoneKind.DRIVING_MINIMUM_ENDS})
"""These have a notice of their own only if they end on another day than the label minimum for monitoring."""


def list_due_days(window: MonitoringWindow) -> Iterator[tuple[str, date]]:
    """List every rule that follows from a monitoring window, with its due day in the center's calendar."""
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
