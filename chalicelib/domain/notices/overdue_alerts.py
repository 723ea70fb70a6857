"""When a referral's clock rings: as it turns amber, as it turns red, and when nobody moved then.

The alarms of a stay in a stage are days of the calendar of whoever owes the next move, and each
rings as its day begins there: at the same moment as that side's list begins to call the referral
late.
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
"""Business days between the red limit and the word to administrators. This product's proposal."""

STAGES_WITH_PLANNED_NOTICES = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""Stages whose first lateness the schedule tells of on days of its own, of an overdue hand-back or
acknowledgement: their clock rings from red on, or there would be two notices of one delay."""

_NEXT_DAY = timedelta(days=1)


class AlertLevel(StrEnum):
    """How far a clock has come, lowest first; also the rule by which people are told."""

    AMBER = "clock_amber"
    RED = "clock_red"
    ESCALATED = "clock_escalated"

    @property
    def rank(self) -> int:
        """Higher is later."""
        return list(AlertLevel).index(self)


class OverdueAlert(NamedTuple):
    """One level, the instant from which on it is reached, and the day that begins then."""

    level: AlertLevel
    at: datetime
    starts_on: date


class LastAlert(NamedTuple):
    """What people were told last of a referral's clock: in which stay, and how far it had come."""

    stage_visit: str
    level: AlertLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAlerts:
    """The alarms of one stay in a stage, earliest first.

    Attributes:
        stay: The stage with when it was entered; another stay has alarms of its own.
        side: Who owes the next move.
        since: The first day on which it is late.
    """

    stage_visit: str
    stage: Stage
    waiting_for: TenantKind
    late_since: date
    alerts: tuple[OverdueAlert, ...]

    def get_highest_reached(self, now: datetime) -> OverdueAlert | None:
        """The highest level that the clock has come to; whatever it passed is contained in it."""
        return max((alarm for alarm in self.alerts if alarm.at <= now), default=None, key=_get_alert_time)

    def get_due(self, now: datetime, last_alert: LastAlert | None) -> OverdueAlert | None:
        """What is to be told now: each level of a stay once, and none below one that was told."""
        alarm = self.get_highest_reached(now)
        return alarm if alarm and self._get_sent_rank(last_alert) < alarm.level.rank else None

    def has_skipped_level(self, alert: OverdueAlert, last_alert: LastAlert | None) -> bool:
        """Whether nobody was told of the level below an alarm."""
        return self._get_sent_rank(last_alert) < alert.level.rank - 1

    def list_upcoming(self, now: datetime, last_alert: LastAlert | None) -> Sequence[OverdueAlert]:
        """What is told as things stand: what is due now, then what comes if nobody moves."""
        due, known = self.get_due(now, last_alert), self._get_sent_rank(last_alert)
        ahead = [alarm for alarm in self.alerts if alarm.at > now and known < alarm.level.rank]
        return [due, *ahead] if due else ahead

    def get_next_time(self, now: datetime) -> datetime | None:
        """When the next level is reached."""
        return min((alarm.at for alarm in self.alerts if alarm.at > now), default=None)

    def _get_sent_rank(self, last_alert: LastAlert | None) -> int:
        """The rank of what was told of this stay; below all of them if nothing was."""
        return last_alert.level.rank if last_alert and last_alert.stage_visit == self.stage_visit else -1


def compute_stage_alerts(referral: Referral, time_zone: str) -> StageAlerts | None:
    """The alarms of a referral as it stands; none on hold, at an end, or without limits.

    Args:
        referral: Which one.
        time_zone: Of `owing(referral)`, whose calendar counts.
    """
    standing, side = summarize_stage(referral), find_side_to_act(referral)
    if side is None or not _has_turnaround(standing):
        return None
    days = tuple(_compute_alert_days(standing, time_zone))
    heard_apart = standing.stage in STAGES_WITH_PLANNED_NOTICES
    return StageAlerts(
        stage_visit=f"{standing.stage}@{standing.since.isoformat()}",
        stage=standing.stage,
        waiting_for=side,
        late_since=days[0][1],
        alerts=tuple(
            OverdueAlert(level, get_start_of_day(day, time_zone), day)
            for level, day in days
            if not (heard_apart and level is AlertLevel.AMBER)
        ),
    )


def find_side_to_act(referral: Referral) -> TenantKind | None:
    """The side that owes the next move; None at an end."""
    owner = summarize_stage(referral).owner
    return None if owner is NextActor.NONE else TenantKind(owner.value)


def has_same_alerts(before: Referral | None, after: Referral) -> bool:
    """Whether a change leaves the alarms as they are, whatever the zones. None is no referral."""
    return (_get_alert_inputs(before) if before else None) == _get_alert_inputs(after)


def _get_alert_inputs(referral: Referral) -> tuple[object, ...] | None:
    """All that the alarms are computed from; None where there are none."""
    standing = summarize_stage(referral)
    if not _has_turnaround(standing):
        return None
    ends_on = standing.ends_on if standing.stage in STAGES_WITH_OWN_DATE else None
    return standing.stage, standing.since, standing.referred_at, ends_on, standing.owner


def _has_turnaround(standing: StageSummary) -> bool:
    is_dated = standing.stage in STAGES_WITH_OWN_DATE and standing.ends_on is not None
    return not standing.on_hold and (standing.stage in TURNAROUND_LIMITS or is_dated)


def _compute_alert_days(standing: StageSummary, time_zone: str) -> Iterator[tuple[AlertLevel, date]]:
    """The first day of each level: a limit is passed when its day is over."""
    clock = standing.compute_turnaround(now=standing.since, time_zone=time_zone)
    if clock.amber_on:
        yield AlertLevel.AMBER, clock.amber_on + _NEXT_DAY
    if clock.red_on:
        yield AlertLevel.RED, clock.red_on + _NEXT_DAY
        lasts = add_days(clock.red_on, ESCALATION_BUSINESS_DAYS, DayUnit.BUSINESS)
        yield AlertLevel.ESCALATED, lasts + _NEXT_DAY


def _get_alert_time(alert: OverdueAlert) -> datetime:
    return alert.at
