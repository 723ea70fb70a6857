"""The dated days of a patient's follow-up: visits, care points, and days until which to wait.

They follow from the infusion, from the hand-back package as far as it is there, and from the
first visit that the practice named.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.handback.package import Package
from chalicelib.domain.handback.visits import list_follow_up_visits
from chalicelib.domain.referrals.events import derive_id
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow


class FollowUpDateKind(StrEnum):
    """What a day of the follow-up is; a calendar of a third party is told no more."""

    FIRST_VISIT = "first_visit"
    CENTER_VISIT = "center_visit"
    VISIT = "visit"
    CARE_POINT = "care_point"
    UNTIL = "until"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDate:
    """One dated day.

    Attributes:
        key: What stays the same when the day moves; unique in one follow-up.
        source: Where the day comes from, in words.
    """

    key: str
    kind: FollowUpDateKind
    on: date
    label: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpBasis:
    """What the days follow from.

    Attributes:
        irradiated_until: Until when blood products are irradiated, where no package says.
        visits_from: Where the list of visits was read.
        blood_from: Where the days of irradiation were read.
    """

    window: MonitoringWindow
    package: Package | None
    first_visit_on: date | None
    irradiated_until: date
    visit_source: str
    irradiated_blood_source: str


_CENTER = "The center's hand-back package"
_PRACTICE = "The practice, as it took the patient back"


def list_follow_up_dates(basis: FollowUpBasis) -> Sequence[FollowUpDate]:
    """Every day of a follow-up, earliest first."""
    package = basis.package or {}
    found = [
        *_build_first_visit(basis, package),
        *_build_visits(basis),
        *_build_until_dates(basis),
        *_build_care_points(package),
        *_build_prophylaxis_ends(package),
    ]
    return sorted(found, key=lambda day: (day.on, day.kind, day.key))


def find_irradiated_blood_end(basis: FollowUpBasis) -> tuple[date, bool]:
    """Until when blood is irradiated, and whether by the center's word or the published least."""
    center_date = _parse_day(basis.package, "irradiated_until")
    return (center_date, True) if center_date else (basis.irradiated_until, False)


def find_driving_start(basis: FollowUpBasis) -> tuple[date, bool]:
    """When driving is allowed again, and whether that is the center's word or the label's least."""
    center_date = _parse_day(basis.package, "driving_cleared_on")
    least = basis.window.infused_on + timedelta(days=basis.window.profile.driving_days)
    return (center_date, True) if center_date else (least, False)


def _build_first_visit(basis: FollowUpBasis, package: Package) -> Iterator[FollowUpDate]:
    if basis.first_visit_on:
        yield FollowUpDate(
            key="first_visit",
            kind=FollowUpDateKind.FIRST_VISIT,
            on=basis.first_visit_on,
            label="First visit after hand-back",
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
    until, is_told = find_irradiated_blood_end(basis)
    yield FollowUpDate(
        key="irradiated_until",
        kind=FollowUpDateKind.UNTIL,
        on=until,
        label="Irradiated blood products only, at least until this day",
        source=_CENTER if is_told else basis.irradiated_blood_source,
    )
    drives, is_told = find_driving_start(basis)
    as_of = basis.window.profile.label_as_of
    yield FollowUpDate(
        key="driving",
        kind=FollowUpDateKind.UNTIL,
        on=drives,
        label="Driving is cleared" if is_told else "No driving: minimum of the label ends",
        source=_CENTER if is_told else f"The product's label as of {as_of}",
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
            label=f"Stop date of {drug['drug']}",
            source=_CENTER,
        )


def _build_stable_keys(prefix: str, names: Iterable[str]) -> Iterator[str]:
    """A key for each name: not of its place, so that others may come and go; repeats count."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        again = f"_{seen[name]}" if seen[name] > 1 else ""
        yield f"{prefix}_{name}{again}"


def _parse_day(package: Mapping[str, Any] | None, name: str) -> date | None:
    text = (package or {}).get(name)
    return date.fromisoformat(text) if text else None
