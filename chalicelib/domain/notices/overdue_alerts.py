"""When a referral is overdue: the amber alert, the red alert, and the escalation if no one acts.

Each stage visit has its own alerts. They count days in the calendar of the side that must act next.
Each alert is due when its day begins there: at the same moment at which that side's worklist shows
the referral as overdue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.monitoring_window import get_start_of_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import NextActor, Stage
from chalicelib.domain.referrals.turnaround import STAGES_WITH_OWN_DATE, TURNAROUND_LIMITS, DayUnit, add_days
from chalicelib.domain.referrals.worklists import StageSummary, summarize_stage

ESCALATION_BUSINESS_DAYS = 2
"""Business days from the red limit to the escalation to administrators. This product's proposal."""

STAGES_WITH_PLANNED_NOTICES = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""Stages whose first overdue days have scheduled notices of their own, for an overdue return or
acknowledgment. Their alerts start at red; otherwise one delay would have two notices."""

_NEXT_DAY = timedelta(days=1)


class AlertLevel(StrEnum):
    """How overdue a stage is, lowest level first. Its value is also the rule of the task that notifies."""

    AMBER = "clock_amber"
    RED = "clock_red"
    ESCALATED = "clock_escalated"

    @property
    def rank(self) -> int:
        """A higher rank is later."""
        return list(AlertLevel).index(self)


class OverdueAlert(NamedTuple):
    """One level, the instant at which it is reached, and the day that begins then."""

    level: AlertLevel
    at: datetime
    starts_on: date


class LastAlert(NamedTuple):
    """The last overdue alert that was sent for a referral: its stage visit and its level."""

    stage_visit: str
    level: AlertLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAlerts:
    """The overdue alerts of one stage visit, earliest first.

    Attributes:
        stage_visit: The stage and when it was entered. Another visit has its own alerts.
        waiting_for: The side that must act next.
        late_since: The first day on which the stage is overdue.
    """

    stage_visit: str
    stage: Stage
    waiting_for: TenantKind
    late_since: date
    alerts: tuple[OverdueAlert, ...]

    def get_highest_reached(self, now: datetime) -> OverdueAlert | None:
        """The highest level that is reached by now. It includes every lower level."""
        return max((alert for alert in self.alerts if alert.at <= now), default=None, key=_get_alert_time)

    def get_due(self, now: datetime, last_alert: LastAlert | None) -> OverdueAlert | None:
        """The alert to send now. Each level is sent once per stage visit, and never after a higher one."""
        alert = self.get_highest_reached(now)
        return alert if alert and self.get_sent_rank(last_alert) < alert.level.rank else None

    def has_skipped_level(self, alert: OverdueAlert, last_alert: LastAlert | None) -> bool:
        """Whether the level below this alert was never sent."""
        return self.get_sent_rank(last_alert) < alert.level.rank - 1

    def list_upcoming(self, now: datetime, last_alert: LastAlert | None) -> Sequence[OverdueAlert]:
        """The alerts that will be sent if nothing changes: the one that is due now, then the later ones."""
        due, sent_rank = self.get_due(now, last_alert), self.get_sent_rank(last_alert)
        later = [alert for alert in self.alerts if alert.at > now and sent_rank < alert.level.rank]
        return [due, *later] if due else later

    def get_next_time(self, now: datetime) -> datetime | None:
        """When the next level is reached."""
        return min((alert.at for alert in self.alerts if alert.at > now), default=None)

    def get_sent_rank(self, last_alert: LastAlert | None) -> int:
        """The rank of the alert last sent in this stage visit; -1 if none was."""
        return last_alert.level.rank if last_alert and last_alert.stage_visit == self.stage_visit else -1


def compute_stage_alerts(referral: Referral, time_zone: str) -> StageAlerts | None:
    """The overdue alerts of a referral. None if it is on hold, has ended, or has no turnaround limit.

    Args:
        referral: The referral.
        time_zone: The time zone of `find_side_to_act(referral)`, whose calendar counts.
    """
    summary, side = summarize_stage(referral), find_side_to_act(referral)
    if side is None or not _has_turnaround(summary):
        return None
    days = tuple(_compute_alert_days(summary, time_zone))
    has_planned_notices = summary.stage in STAGES_WITH_PLANNED_NOTICES
    return StageAlerts(
        stage_visit=f"{summary.stage}@{summary.since.isoformat()}",
        stage=summary.stage,
        waiting_for=side,
        late_since=days[0][1],
        alerts=tuple(
            OverdueAlert(level, get_start_of_day(day, time_zone), day)
            for level, day in days
            if not (has_planned_notices and level is AlertLevel.AMBER)
        ),
    )


def find_side_to_act(referral: Referral) -> TenantKind | None:
    """Find the side that must act next; None if the referral has ended."""
    owner = summarize_stage(referral).owner
    return None if owner is NextActor.NONE else TenantKind(owner.value)


def has_same_alerts(before: Referral | None, after: Referral) -> bool:
    """Whether a change leaves the overdue alerts unchanged in every time zone. `before` is None if new."""
    return (_get_alert_inputs(before) if before else None) == _get_alert_inputs(after)


def _get_alert_inputs(referral: Referral) -> tuple[object, ...] | None:
    """Everything that the overdue alerts are computed from; None if there are none."""
    summary = summarize_stage(referral)
    if not _has_turnaround(summary):
        return None
    ends_on = summary.ends_on if summary.stage in STAGES_WITH_OWN_DATE else None
    return summary.stage, summary.since, summary.referred_at, ends_on, summary.owner


def _has_turnaround(summary: StageSummary) -> bool:
    is_dated = summary.stage in STAGES_WITH_OWN_DATE and summary.ends_on is not None
    return not summary.on_hold and (summary.stage in TURNAROUND_LIMITS or is_dated)


def _compute_alert_days(summary: StageSummary, time_zone: str) -> Iterator[tuple[AlertLevel, date]]:
    """The first day of each level. A limit is passed when its day is over."""
    turnaround = summary.compute_turnaround(now=summary.since, time_zone=time_zone)
    if turnaround.amber_on:
        yield AlertLevel.AMBER, turnaround.amber_on + _NEXT_DAY
    if turnaround.red_on:
        yield AlertLevel.RED, turnaround.red_on + _NEXT_DAY
        escalated_after = add_days(turnaround.red_on, ESCALATION_BUSINESS_DAYS, DayUnit.BUSINESS)
        yield AlertLevel.ESCALATED, escalated_after + _NEXT_DAY


def _get_alert_time(alert: OverdueAlert) -> datetime:
    return alert.at
