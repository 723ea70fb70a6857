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
from chalicelib.domain.referrals.monitoring_window import start_of_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Owner, Stage
from chalicelib.domain.referrals.turnaround import DATED, LIMITS, Unit, days_after
from chalicelib.domain.referrals.worklists import Standing, standing_of

ESCALATES_AFTER = 2
"""Business days between the red limit and the word to administrators. This product's proposal."""

TOLD_BY_THE_PLAN = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""Stages whose first lateness the schedule tells of on days of its own, of an overdue hand-back or
acknowledgement: their clock rings from red on, or there would be two notices of one delay."""

_NEXT_DAY = timedelta(days=1)


class AlarmLevel(StrEnum):
    """How far a clock has come, lowest first; also the rule by which people are told."""

    AMBER = "clock_amber"
    RED = "clock_red"
    ESCALATED = "clock_escalated"

    @property
    def rank(self) -> int:
        """Higher is later."""
        return list(AlarmLevel).index(self)


class Alarm(NamedTuple):
    """One level, the instant from which on it is reached, and the day that begins then."""

    level: AlarmLevel
    at: datetime
    on: date


class Rung(NamedTuple):
    """What people were told last of a referral's clock: in which stay, and how far it had come."""

    stay: str
    level: AlarmLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The alarms of one stay in a stage, earliest first.

    Attributes:
        stay: The stage with when it was entered; another stay has alarms of its own.
        side: Who owes the next move.
        since: The first day on which it is late.
    """

    stay: str
    stage: Stage
    side: TenantKind
    since: date
    each: tuple[Alarm, ...]

    def reached(self, now: datetime) -> Alarm | None:
        """The highest level that the clock has come to; whatever it passed is contained in it."""
        return max((alarm for alarm in self.each if alarm.at <= now), default=None, key=_at)

    def due(self, now: datetime, told: Rung | None) -> Alarm | None:
        """What is to be told now: each level of a stay once, and none below one that was told."""
        alarm = self.reached(now)
        return alarm if alarm and self._known(told) < alarm.level.rank else None

    def skips_one(self, alarm: Alarm, told: Rung | None) -> bool:
        """Whether nobody was told of the level below an alarm."""
        return self._known(told) < alarm.level.rank - 1

    def to_come(self, now: datetime, told: Rung | None) -> Sequence[Alarm]:
        """What is told as things stand: what is due now, then what comes if nobody moves."""
        due, known = self.due(now, told), self._known(told)
        ahead = [alarm for alarm in self.each if alarm.at > now and known < alarm.level.rank]
        return [due, *ahead] if due else ahead

    def ahead(self, now: datetime) -> datetime | None:
        """When the next level is reached."""
        return min((alarm.at for alarm in self.each if alarm.at > now), default=None)

    def _known(self, told: Rung | None) -> int:
        """The rank of what was told of this stay; below all of them if nothing was."""
        return told.level.rank if told and told.stay == self.stay else -1


def alarms_of(referral: Referral, time_zone: str) -> Alarms | None:
    """The alarms of a referral as it stands; none on hold, at an end, or without limits.

    Args:
        referral: Which one.
        time_zone: Of `owing(referral)`, whose calendar counts.
    """
    standing, side = standing_of(referral), owing(referral)
    if side is None or not _has_clock(standing):
        return None
    days = tuple(_days(standing, time_zone))
    heard_apart = standing.stage in TOLD_BY_THE_PLAN
    return Alarms(
        stay=f"{standing.stage}@{standing.since.isoformat()}",
        stage=standing.stage,
        side=side,
        since=days[0][1],
        each=tuple(
            Alarm(level, start_of_day(day, time_zone), day)
            for level, day in days
            if not (heard_apart and level is AlarmLevel.AMBER)
        ),
    )


def owing(referral: Referral) -> TenantKind | None:
    """The side that owes the next move; None at an end."""
    owner = standing_of(referral).owner
    return None if owner is Owner.NONE else TenantKind(owner.value)


def keeps_its_alarms(before: Referral | None, after: Referral) -> bool:
    """Whether a change leaves the alarms as they are, whatever the zones. None is no referral."""
    return (_basis(before) if before else None) == _basis(after)


def _basis(referral: Referral) -> tuple[object, ...] | None:
    """All that the alarms are computed from; None where there are none."""
    standing = standing_of(referral)
    if not _has_clock(standing):
        return None
    ends_on = standing.ends_on if standing.stage in DATED else None
    return standing.stage, standing.since, standing.referred_at, ends_on, standing.owner


def _has_clock(standing: Standing) -> bool:
    is_dated = standing.stage in DATED and standing.ends_on is not None
    return not standing.on_hold and (standing.stage in LIMITS or is_dated)


def _days(standing: Standing, time_zone: str) -> Iterator[tuple[AlarmLevel, date]]:
    """The first day of each level: a limit is passed when its day is over."""
    clock = standing.clock(now=standing.since, time_zone=time_zone)
    if clock.amber_on:
        yield AlarmLevel.AMBER, clock.amber_on + _NEXT_DAY
    if clock.red_on:
        yield AlarmLevel.RED, clock.red_on + _NEXT_DAY
        lasts = days_after(clock.red_on, ESCALATES_AFTER, Unit.BUSINESS)
        yield AlarmLevel.ESCALATED, lasts + _NEXT_DAY


def _at(alarm: Alarm) -> datetime:
    return alarm.at
