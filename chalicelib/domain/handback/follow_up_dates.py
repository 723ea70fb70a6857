"""The dates of a patient's follow-up: visits, care points, and days until which a restriction applies.

They follow from the infusion, from what the transition-of-care summary has so far, and from the
first visit that the practice scheduled.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.handback.package import Package
from chalicelib.domain.handback.visits import list_follow_up_visits
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.monitoring_window import MilestoneKind, MonitoringWindow, label_milestone


class FollowUpDateKind(StrEnum):
    """The kind of a follow-up date. An outside calendar gets no more detail than this."""

    FIRST_VISIT = "first_visit"
    CENTER_VISIT = "center_visit"
    VISIT = "visit"
    CARE_POINT = "care_point"
    UNTIL = "until"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDate:
    """One follow-up date.

    Attributes:
        key: Stays the same when the date changes; unique in one follow-up.
        source: Where the date comes from, in words.
    """

    key: str
    kind: FollowUpDateKind
    on: date
    label: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpBasis:
    """What the follow-up dates are computed from.

    Attributes:
        irradiated_until: The last day of irradiated blood products, if no summary names one.
        visit_source: Where the list of visits comes from.
        irradiated_blood_source: Where the number of days of irradiated blood comes from.
        died_on: The day of the patient's death; no date comes after it.
    """

    window: MonitoringWindow
    package: Package | None
    first_visit_on: date | None
    irradiated_until: date
    visit_source: str
    irradiated_blood_source: str
    died_on: date | None = None


_CENTER = "From the center's transition-of-care summary"
_PRACTICE = "From the practice, at return"


def list_follow_up_dates(basis: FollowUpBasis) -> Sequence[FollowUpDate]:
    """List every date of a follow-up, earliest first. A death ends the follow-up."""
    package = basis.package or {}
    found = [
        *_build_first_visit(basis, package),
        *_build_visits(basis),
        *_build_until_dates(basis),
        *_build_care_points(package),
        *_build_prophylaxis_ends(package),
    ]
    return sorted(
        (day for day in found if basis.died_on is None or day.on <= basis.died_on),
        key=lambda day: (day.on, day.kind, day.key),
    )


def find_irradiated_blood_end(basis: FollowUpBasis) -> tuple[date, bool]:
    """Until when blood products are irradiated; True if the center's date, False if the published minimum."""
    center_date = _parse_day(basis.package, "irradiated_until")
    return (center_date, True) if center_date else (basis.irradiated_until, False)


def find_driving_start(basis: FollowUpBasis) -> tuple[date, bool]:
    """When the patient can drive again; True if the center's date, False if the label minimum."""
    center_date = _parse_day(basis.package, "driving_cleared_on")
    label_minimum = basis.window.infused_on + timedelta(days=basis.window.profile.driving_days)
    return (center_date, True) if center_date else (label_minimum, False)


def _build_first_visit(basis: FollowUpBasis, package: Package) -> Iterator[FollowUpDate]:
    if basis.first_visit_on:
        yield FollowUpDate(
            key="first_visit",
            kind=FollowUpDateKind.FIRST_VISIT,
            on=basis.first_visit_on,
            label="First visit after return",
            source=_PRACTICE,
        )
    center_visit = _parse_day(package, "next_center_visit_on")
    if center_visit:
        yield FollowUpDate(
            key="center_visit",
            kind=FollowUpDateKind.CENTER_VISIT,
            on=center_visit,
            label="Next visit at the center",
            source=_CENTER,
        )


def _build_visits(basis: FollowUpBasis) -> Iterator[FollowUpDate]:
    for visit in list_follow_up_visits(basis.window.infused_on):
        yield FollowUpDate(
            key=visit.rule,
            kind=FollowUpDateKind.VISIT,
            on=visit.on,
            label=f"Follow-up visit: {visit.label.lower()}",
            source=basis.visit_source,
        )


def _build_until_dates(basis: FollowUpBasis) -> Iterator[FollowUpDate]:
    until, is_from_center = find_irradiated_blood_end(basis)
    yield FollowUpDate(
        key="irradiated_until",
        kind=FollowUpDateKind.UNTIL,
        on=until,
        label="Irradiated blood products only, at least through this date",
        source=_CENTER if is_from_center else basis.irradiated_blood_source,
    )
    driving_start, is_from_center = find_driving_start(basis)
    profile = basis.window.profile
    label = label_milestone(MilestoneKind.DRIVING_MINIMUM_ENDS, is_product_named=profile.is_product_named)
    whose = "Product label" if profile.is_product_named else "Longest period of any label"
    yield FollowUpDate(
        key="driving",
        kind=FollowUpDateKind.UNTIL,
        on=driving_start,
        label="Cleared to drive" if is_from_center else label,
        source=_CENTER if is_from_center else f"{whose} as of {format_date(profile.label_as_of)}",
    )


def _build_care_points(package: Package) -> Iterator[FollowUpDate]:
    points = [point for point in package.get("care_points") or () if point.get("due_on")]
    names = (point.get("care_point_id") or derive_id("own", point["text"]) for point in points)
    for point, key in zip(points, _build_stable_keys("care_point", names), strict=True):
        yield FollowUpDate(
            key=key,
            kind=FollowUpDateKind.CARE_POINT,
            on=date.fromisoformat(point["due_on"]),
            label=point["text"],
            source=_CENTER,
        )


def _build_prophylaxis_ends(package: Package) -> Iterator[FollowUpDate]:
    drugs = [drug for drug in package.get("prophylaxis") or () if drug.get("stop_on")]
    names = (derive_id("drug", drug["drug"]) for drug in drugs)
    for drug, key in zip(drugs, _build_stable_keys("prophylaxis", names), strict=True):
        yield FollowUpDate(
            key=key,
            kind=FollowUpDateKind.UNTIL,
            on=date.fromisoformat(drug["stop_on"]),
            label=f"Planned stop date for {drug['drug']}",
            source=_CENTER,
        )


def _build_stable_keys(prefix: str, names: Iterable[str]) -> Iterator[str]:
    """Make a key for each name; a repeated name gets a number.

    The key does not use the position, because other entries come and go.
    """
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        suffix = f"_{seen[name]}" if seen[name] > 1 else ""
        yield f"{prefix}_{name}{suffix}"


def _parse_day(package: Mapping[str, Any] | None, name: str) -> date | None:
    text = (package or {}).get(name)
    return date.fromisoformat(text) if text else None
