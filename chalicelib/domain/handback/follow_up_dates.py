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
from chalicelib.domain.handback.visits import visits
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.monitoring_window import Window


class Kind(StrEnum):
    """What a day of the follow-up is; a calendar of a third party is told no more."""

    FIRST_VISIT = "first_visit"
    CENTER_VISIT = "center_visit"
    VISIT = "visit"
    CARE_POINT = "care_point"
    UNTIL = "until"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One dated day.

    Attributes:
        key: What stays the same when the day moves; unique in one follow-up.
        source: Where the day comes from, in words.
    """

    key: str
    kind: Kind
    on: date
    label: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the days follow from.

    Attributes:
        irradiated_until: Until when blood products are irradiated, where no package says.
        visits_from: Where the list of visits was read.
        blood_from: Where the days of irradiation were read.
    """

    window: Window
    package: Package | None
    first_visit_on: date | None
    irradiated_until: date
    visits_from: str
    blood_from: str


_CENTER = "The center's hand-back package"
_PRACTICE = "The practice, as it took the patient back"


def days_of(basis: Basis) -> Sequence[Day]:
    """Every day of a follow-up, earliest first."""
    package = basis.package or {}
    found = [
        *_first(basis, package),
        *_visits(basis),
        *_until(basis),
        *_care_points(package),
        *_prophylaxis(package),
    ]
    return sorted(found, key=lambda day: (day.on, day.kind, day.key))


def irradiated_until(basis: Basis) -> tuple[date, bool]:
    """Until when blood is irradiated, and whether by the center's word or the published least."""
    told = _day(basis.package, "irradiated_until")
    return (told, True) if told else (basis.irradiated_until, False)


def driving_from(basis: Basis) -> tuple[date, bool]:
    """When driving is allowed again, and whether that is the center's word or the label's least."""
    told = _day(basis.package, "driving_cleared_on")
    least = basis.window.infused_on + timedelta(days=basis.window.profile.driving_days)
    return (told, True) if told else (least, False)


def _first(basis: Basis, package: Package) -> Iterator[Day]:
    if basis.first_visit_on:
        yield Day(
            key="first_visit",
            kind=Kind.FIRST_VISIT,
            on=basis.first_visit_on,
            label="First visit after hand-back",
            source=_PRACTICE,
        )
    center_visit = _day(package, "next_center_visit_on")
    if center_visit:
        yield Day(
            key="center_visit",
            kind=Kind.CENTER_VISIT,
            on=center_visit,
            label="Next visit at the center",
            source=_CENTER,
        )


def _visits(basis: Basis) -> Iterator[Day]:
    for visit in visits(basis.window.infused_on):
        yield Day(
            key=visit.rule,
            kind=Kind.VISIT,
            on=visit.on,
            label=f"Follow-up visit: {visit.label.lower()}",
            source=basis.visits_from,
        )


def _until(basis: Basis) -> Iterator[Day]:
    until, is_told = irradiated_until(basis)
    yield Day(
        key="irradiated_until",
        kind=Kind.UNTIL,
        on=until,
        label="Irradiated blood products only, at least until this day",
        source=_CENTER if is_told else basis.blood_from,
    )
    drives, is_told = driving_from(basis)
    as_of = basis.window.profile.label_as_of
    yield Day(
        key="driving",
        kind=Kind.UNTIL,
        on=drives,
        label="Driving is cleared" if is_told else "No driving: minimum of the label ends",
        source=_CENTER if is_told else f"The product's label as of {as_of}",
    )


def _care_points(package: Package) -> Iterator[Day]:
    points = [point for point in package.get("care_points") or () if point.get("due_on")]
    names = (point.get("care_point_id") or derived_id("own", point["text"]) for point in points)
    for point, key in zip(points, _keys("care_point", names), strict=True):
        yield Day(
            key=key,
            kind=Kind.CARE_POINT,
            on=date.fromisoformat(point["due_on"]),
            label=point["text"],
            source=_CENTER,
        )


def _prophylaxis(package: Package) -> Iterator[Day]:
    drugs = [drug for drug in package.get("prophylaxis") or () if drug.get("stop_on")]
    names = (derived_id("drug", drug["drug"]) for drug in drugs)
    for drug, key in zip(drugs, _keys("prophylaxis", names), strict=True):
        yield Day(
            key=key,
            kind=Kind.UNTIL,
            on=date.fromisoformat(drug["stop_on"]),
            label=f"Stop date of {drug['drug']}",
            source=_CENTER,
        )


def _keys(prefix: str, names: Iterable[str]) -> Iterator[str]:
    """A key for each name: not of its place, so that others may come and go; repeats count."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        again = f"_{seen[name]}" if seen[name] > 1 else ""
        yield f"{prefix}_{name}{again}"


def _day(told: Mapping[str, Any] | None, name: str) -> date | None:
    text = (told or {}).get(name)
    return date.fromisoformat(text) if text else None
