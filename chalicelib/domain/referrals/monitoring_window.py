"""The post-infusion monitoring window: calendar days in the center's time zone.

Day 0 is the date of infusion and day N is that date plus N calendar days. Never N times 24
hours, and never the UTC date: an infusion at 23:30 in New York belongs to that evening.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.events import EventOrder

DEFAULT_HANDBACK_DAY = 28
"""Days after infusion when the patient is due back with the referring team.

Source: Bristol Myers Squibb's referring-provider page, "at least 4 weeks" (as gathered by
2026-04). The US labels ask for less since FDA's notice of 26 June 2025; they are the milestones
below.
"""


class MilestoneKind(StrEnum):
    """What a day of the window means."""

    INFUSION = "infusion"
    DAILY_MONITORING_ENDS = "daily_monitoring_ends"
    SECOND_PART_DUE = "second_part_due"
    LABEL_MINIMUM_ENDS = "label_minimum_ends"
    PROXIMITY_MINIMUM_ENDS = "proximity_minimum_ends"
    DRIVING_MINIMUM_ENDS = "driving_minimum_ends"
    HANDBACK_NEAR = "handback_near"
    HANDBACK_TARGET = "handback_target"


MILESTONE_LABELS: Mapping[MilestoneKind, str] = {
    MilestoneKind.INFUSION: "Infusion (day 0)",
    MilestoneKind.DAILY_MONITORING_ENDS: "Daily monitoring: minimum of the label ends",
    MilestoneKind.SECOND_PART_DUE: "Second part of the dose due",
    MilestoneKind.LABEL_MINIMUM_ENDS: "Monitoring: minimum of the label ends",
    MilestoneKind.PROXIMITY_MINIMUM_ENDS: "Staying near the center: minimum of the label ends",
    MilestoneKind.DRIVING_MINIMUM_ENDS: "No driving: minimum of the label ends",
    MilestoneKind.HANDBACK_NEAR: "Hand-back in 7 days: book the visit",
    MilestoneKind.HANDBACK_TARGET: "Hand-back target",
}

HANDBACK_NOTICE_DAYS = 7
"""How long before the target the practice is told to book the visit. This product's choice."""


class AnchorInfusion(StrEnum):
    """Which infusion of a split dose the days are counted from."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringProfile:
    """How long one product's label asks for what, in days after the anchoring infusion.

    Attributes:
        product_id: The catalogue row that this comes from.
        label_as_of: The date on which the label was read.
        infusion_parts: How many infusions make one treatment.
        proximity_days: How long the patient stays near the center.
        second_part_day: When the second part is due, where the first opens the window.
        version: The version of that row, which explains the figures later.
    """

    product_id: str
    label_as_of: date
    anchor: AnchorInfusion = AnchorInfusion.LAST
    infusion_parts: int = 1
    daily_days: int = 7
    monitor_min_days: int = 14
    proximity_days: int = 14
    driving_days: int = 14
    handback_target_day: int = DEFAULT_HANDBACK_DAY
    second_part_day: int | None = None
    version: str | None = None

    def is_anchor(self, *, part: int, of: int) -> bool:
        """Whether this infusion is the one that day 0 is counted from."""
        return part == 1 if self.anchor is AnchorInfusion.FIRST else part == of


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMilestone:
    """One dated day of a window."""

    day: int
    on: date
    kind: MilestoneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExtension:
    """The center's word that it monitors longer.

    Attributes:
        order: The place of the event that said so; the later of two words counts.
    """

    ends_on: date
    order: EventOrder
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringWindow:
    """A monitoring window as opened by an infusion.

    Carries the figures that it was opened with, so that a later change of the catalogue does
    not move the dates of a patient who is already being monitored.
    """

    time_zone: str
    infused_on: date
    profile: MonitoringProfile
    extensions: tuple[WindowExtension, ...] = ()

    @property
    def ends_on(self) -> date:
        """The day on which the patient is handed back: the center's last word, or the default."""
        if self.extensions:
            return self.extensions[-1].ends_on
        return self.infused_on + timedelta(days=self.profile.handback_target_day)

    def with_extension(self, extension: WindowExtension) -> "MonitoringWindow":
        """The window with one more word on its end, in the order in which they were true."""
        words = sorted((*self.extensions, extension), key=lambda e: e.order)
        return replace(self, extensions=tuple(words))

    @property
    def milestones(self) -> Sequence[WindowMilestone]:
        """The days that matter, earliest first."""
        return [
            WindowMilestone(day=day, on=self.infused_on + timedelta(days=day), kind=kind)
            for day, kind in sorted(self._list_milestone_days(), key=lambda pair: pair[0])
        ]

    def _list_milestone_days(self) -> Iterator[tuple[int, MilestoneKind]]:
        profile, last = self.profile, (self.ends_on - self.infused_on).days
        yield 0, MilestoneKind.INFUSION
        yield profile.daily_days, MilestoneKind.DAILY_MONITORING_ENDS
        if profile.second_part_day is not None:
            yield profile.second_part_day, MilestoneKind.SECOND_PART_DUE
        yield profile.monitor_min_days, MilestoneKind.LABEL_MINIMUM_ENDS
        yield profile.proximity_days, MilestoneKind.PROXIMITY_MINIMUM_ENDS
        yield profile.driving_days, MilestoneKind.DRIVING_MINIMUM_ENDS
        if last > HANDBACK_NOTICE_DAYS:
            yield last - HANDBACK_NOTICE_DAYS, MilestoneKind.HANDBACK_NEAR
        yield last, MilestoneKind.HANDBACK_TARGET


def to_local_day(at: datetime, time_zone: str) -> date:
    """The calendar day that an instant falls on in a zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def get_start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of a local calendar day, in UTC.

    Where the clocks go forward at midnight, the day starts at the first minute that exists.
    """
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def open_window(
    *, infused_at: datetime, local_date: date | None, time_zone: str, profile: MonitoringProfile
) -> MonitoringWindow:
    """Open the window of an infusion.

    Args:
        infused_at: When it happened, aware.
        local_date: The center's own word for the calendar day; else the zone decides.
    """
    return MonitoringWindow(
        time_zone=time_zone, infused_on=local_date or to_local_day(infused_at, time_zone), profile=profile
    )
