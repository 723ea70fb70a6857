"""The post-infusion monitoring window: calendar days in the center's time zone.

Day 0 is the date of infusion and day N is that date plus N calendar days. Never N times 24
hours, and never the UTC date: an infusion at 11:30 PM in New York belongs to that day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.events import EventOrder

DEFAULT_HANDBACK_DAY = 28
"""Days after the infusion when the patient is due back with the referring provider.

Source: Bristol Myers Squibb's referring-provider page, "at least 4 weeks" (as of 2026-04). The
US labels require less since the FDA notice of June 26, 2025; those days are the milestones below.
"""


PRODUCT_NOT_NAMED = "not_named"
"""The product id in a monitoring profile when no product is named yet."""


class MilestoneKind(StrEnum):
    """The meaning of a day in the monitoring window."""

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
    MilestoneKind.DAILY_MONITORING_ENDS: "Label minimum for daily monitoring ends",
    MilestoneKind.SECOND_PART_DUE: "Second infusion of split dose due",
    MilestoneKind.LABEL_MINIMUM_ENDS: "Label minimum for monitoring ends",
    MilestoneKind.PROXIMITY_MINIMUM_ENDS: "Label minimum for staying near the center ends",
    MilestoneKind.DRIVING_MINIMUM_ENDS: "Label minimum for not driving ends",
    MilestoneKind.HANDBACK_NEAR: "Return to referring provider in 7 days: schedule the visit",
    MilestoneKind.HANDBACK_TARGET: "Target date to return to referring provider",
}

_LABEL_MINIMUM = "Label minimum"
LONGEST_LABEL_MINIMUM = "Longest label minimum"
"""What a page and a notice call a period while no product is named."""


def label_milestone(kind: MilestoneKind, *, is_product_named: bool) -> str:
    """Name a milestone; while no product is named, say that it is the longest period of any label."""
    return name_longest_minimum(MILESTONE_LABELS[kind], is_product_named=is_product_named)


def name_longest_minimum(text: str, *, is_product_named: bool) -> str:
    """Change a text about a label minimum if no product is named; other texts stay as they are."""
    if is_product_named or not text.startswith(_LABEL_MINIMUM):
        return text
    return f"Product not named: {LONGEST_LABEL_MINIMUM.lower()}{text.removeprefix(_LABEL_MINIMUM)}"


HANDBACK_NOTICE_DAYS = 7
"""How many days before the target date the practice is notified to schedule the visit. Our own choice."""


class AnchorInfusion(StrEnum):
    """Which infusion of a split dose the days are counted from."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringProfile:
    """The monitoring periods of one product's label, in days after the infusion that is day 0.

    Attributes:
        product_id: The product in the catalog that these figures come from.
        label_as_of: The date on which the label was read.
        infusion_parts: The number of infusions in one treatment.
        proximity_days: How long the patient stays near the center.
        second_part_day: The day when the second infusion of a split dose is due, if the first
            infusion opens the window.
        version: The version of the catalog entry, which explains the figures later.
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

    @property
    def is_product_named(self) -> bool:
        """Whether the figures are those of one product, not the longest of all labels."""
        return self.product_id != PRODUCT_NOT_NAMED

    def is_anchor(self, *, dose_number: int, dose_total: int) -> bool:
        """Whether this infusion is the one that day 0 is counted from."""
        return dose_number == (1 if self.anchor is AnchorInfusion.FIRST else dose_total)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMilestone:
    """One milestone of a monitoring window, with its date."""

    day: int
    on: date
    kind: MilestoneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExtension:
    """The center extended its monitoring.

    Attributes:
        order: The position of the event in the history; of two extensions, the later one counts.
    """

    ends_on: date
    order: EventOrder
    reason_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringWindow(KeepsUnknown):
    """The monitoring window that an infusion opened.

    Keeps the figures that it was opened with, so that a later change of the catalog does not
    move the dates of a patient who is already being monitored.
    """

    time_zone: str
    infused_on: date
    profile: MonitoringProfile
    extensions: tuple[WindowExtension, ...] = ()

    @property
    def ends_on(self) -> date:
        """The day when the patient returns to the practice: from the latest extension, or the default."""
        if self.extensions:
            return self.extensions[-1].ends_on
        return self.infused_on + timedelta(days=self.profile.handback_target_day)

    def with_extension(self, extension: WindowExtension) -> "MonitoringWindow":
        """Add an extension; extensions are sorted by the time when they were true."""
        extensions = sorted((*self.extensions, extension), key=lambda e: e.order)
        return replace(self, extensions=tuple(extensions))

    @property
    def milestones(self) -> Sequence[WindowMilestone]:
        """The milestones, earliest first."""
        return [
            WindowMilestone(day=day, on=self.infused_on + timedelta(days=day), kind=kind)
            for day, kind in sorted(self._list_milestone_days(), key=lambda pair: pair[0])
        ]

    def _list_milestone_days(self) -> Iterator[tuple[int, MilestoneKind]]:
        profile, last_day = self.profile, (self.ends_on - self.infused_on).days
        yield 0, MilestoneKind.INFUSION
        yield profile.daily_days, MilestoneKind.DAILY_MONITORING_ENDS
        if profile.second_part_day is not None:
            yield profile.second_part_day, MilestoneKind.SECOND_PART_DUE
        yield profile.monitor_min_days, MilestoneKind.LABEL_MINIMUM_ENDS
        yield profile.proximity_days, MilestoneKind.PROXIMITY_MINIMUM_ENDS
        yield profile.driving_days, MilestoneKind.DRIVING_MINIMUM_ENDS
        if last_day > HANDBACK_NOTICE_DAYS:
            yield last_day - HANDBACK_NOTICE_DAYS, MilestoneKind.HANDBACK_NEAR
        yield last_day, MilestoneKind.HANDBACK_TARGET


def to_local_day(at: datetime, time_zone: str) -> date:
    """Convert a point in time to the calendar day in a time zone."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def get_start_of_day(day: date, time_zone: str) -> datetime:
    """Get the first moment of a local calendar day, in UTC.

    If the clocks go forward at midnight, the day starts at the first minute that exists.
    """
    midnight = datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def open_window(
    *, infused_at: datetime, local_date: date | None, time_zone: str, profile: MonitoringProfile
) -> MonitoringWindow:
    """Open the monitoring window of an infusion.

    Args:
        infused_at: The time of the infusion, timezone-aware.
        local_date: The calendar day as reported by the center; without it, the time zone decides.
        time_zone: The center's time zone.
        profile: The product's monitoring periods.
    """
    return MonitoringWindow(
        time_zone=time_zone, infused_on=local_date or to_local_day(infused_at, time_zone), profile=profile
    )
