"""What to talk about with a center: flags, and checks against a planned collection of cells.

Nothing here excludes anybody. Thresholds and intervals are data with their sources, because
published ones disagree on nearly every number.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.eligibility.calendar_months import months_later
from chalicelib.domain.eligibility.criterion_result import Missing, SourceNote
from chalicelib.domain.eligibility.screen_input import Agent, Dose, ScreenInput, TransplantKind


class Comparison(StrEnum):
    """When a value raises its flag."""

    AT_LEAST = "at_least"
    ABOVE = "above"
    BELOW = "below"
    IS_TRUE = "is_true"


_RAISES: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.AT_LEAST: lambda value, threshold: value >= threshold,
    Comparison.ABOVE: lambda value, threshold: value > threshold,
    Comparison.BELOW: lambda value, threshold: value < threshold,
    Comparison.IS_TRUE: lambda value, _threshold: value is True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What one source says of a threshold."""

    says: str
    source: SourceNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """A flag: which entry raises it, and when.

    Attributes:
        reads: The pointer of the entry.
        anchors: What the sources say, the one whose figure is used first.
    """

    flag: str
    label: str
    reads: str
    when: Comparison
    threshold: float | None
    text: str
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How long before collection something should lie, in days or in calendar months."""

    label: str
    days: int = 0
    months: int = 0
    anchors: tuple[Anchor, ...]

    def after(self, day: date) -> date:
        """The first day that is far enough from `day`."""
        return months_later(day, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cautions:
    """The reviewed flags and intervals, of one version.

    Attributes:
        irradiated_blood: How long before collection blood products are to be irradiated.
    """

    flags: tuple[Caution, ...]
    washouts: Mapping[Agent, Interval]
    transplant: Interval
    irradiated_blood: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something to discuss with the center, as entered."""

    flag: str
    label: str
    value: str
    text: str
    anchors: tuple[Anchor, ...]


class CheckState(StrEnum):
    """How an interval stands against the planned day. None of them forbids anything."""

    CLEAR = "clear"
    DISCUSS = "discuss"
    MISSING = "information_missing"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCheck:
    """One check against the day on which cells are to be collected.

    Attributes:
        last_on: The day that the interval is counted from.
        clear_from: The first day that is far enough from it.
    """

    check: str
    label: str
    state: CheckState
    last_on: date | None
    clear_from: date | None
    missing: tuple[Missing, ...]
    anchors: tuple[Anchor, ...]


PLANNED = Missing(pointer="/planned_collection_on", label="Planned day of collection")


def flags(entered: ScreenInput, cautions: Cautions) -> tuple[tuple[Flag, ...], tuple[Missing, ...]]:
    """The flags that are raised, and the entries that were not made, so that nobody looked."""
    values = _values(entered)
    raised = tuple(
        Flag(
            flag=caution.flag,
            label=caution.label,
            value=_spelled(values[caution.reads]),
            text=caution.text,
            anchors=caution.anchors,
        )
        for caution in cautions.flags
        if caution.reads in values
        and _RAISES[caution.when](values[caution.reads], caution.threshold)
    )
    return raised, _absent(values, cautions.flags)


def collection_checks(entered: ScreenInput, cautions: Cautions) -> tuple[CollectionCheck, ...]:
    """Every interval against the planned day; nothing where neither day nor dose was entered."""
    if entered.planned_collection_on is None and not entered.doses:
        return ()
    doses = {dose.agent: dose for dose in entered.doses}
    washouts = [
        _washout(agent, interval, doses.get(agent), entered.planned_collection_on)
        for agent, interval in cautions.washouts.items()
    ]
    blood = _irradiated(cautions.irradiated_blood, entered.planned_collection_on)
    return (*washouts, _after_transplant(entered, cautions.transplant), *blood)


def _washout(
    agent: Agent, interval: Interval, dose: Dose | None, planned: date | None
) -> CollectionCheck:
    never = dose is not None and dose.given is False
    place = str(dose.place) if dose else ""
    lacking = Missing(
        pointer=f"/clinical/last_doses/{place}".removesuffix("/"),
        label=f"Last dose: {interval.label}",
    )
    last_on = dose.last_on if dose else None
    return _check(agent, interval, last_on, planned, lacking=lacking, never=never)


def _after_transplant(entered: ScreenInput, interval: Interval) -> CollectionCheck:
    transplant = entered.transplant
    lacking = Missing(
        pointer="/clinical/transplant/on" if transplant.kind else "/clinical/transplant",
        label="Day of the last stem cell transplant",
    )
    return _check(
        "transplant",
        interval,
        transplant.on,
        entered.planned_collection_on,
        lacking=lacking,
        never=transplant.kind is TransplantKind.NONE,
    )


def _check(
    name: str,
    interval: Interval,
    last_on: date | None,
    planned: date | None,
    *,
    lacking: Missing,
    never: bool,
) -> CollectionCheck:
    clear_from = interval.after(last_on) if last_on else None
    absent = ((lacking, last_on is None), (PLANNED, planned is None))
    missing = () if never else tuple(place for place, is_absent in absent if is_absent)
    late = clear_from is not None and planned is not None and clear_from > planned
    state = CheckState.DISCUSS if late else CheckState.CLEAR
    return CollectionCheck(
        check=name,
        label=interval.label,
        state=CheckState.MISSING if missing else state,
        last_on=last_on,
        clear_from=clear_from,
        missing=missing,
        anchors=interval.anchors,
    )


def _irradiated(interval: Interval, planned: date | None) -> Iterable[CollectionCheck]:
    """No interval that has passed but a thing to do: irradiated blood only, from this day on."""
    if planned is None:
        return
    yield CollectionCheck(
        check="irradiated_blood",
        label=interval.label,
        state=CheckState.DUE,
        last_on=None,
        clear_from=planned - timedelta(days=interval.days),
        missing=(),
        anchors=interval.anchors,
    )


def _values(entered: ScreenInput) -> dict[str, Any]:
    """What flags can read, by pointer, where it was entered."""
    values: dict[str, Any] = {
        **{f"/clinical/flags/{name}": answer for name, answer in entered.conditions.items()},
        **{f"/clinical/labs/{name}": figure for name, figure in entered.labs.items()},
    }
    if entered.ecog is not None:
        values["/clinical/ecog"] = entered.ecog
    return values


def _absent(values: Mapping[str, Any], cautions: Iterable[Caution]) -> tuple[Missing, ...]:
    absent = [
        Missing(pointer=caution.reads, label=caution.label)
        for caution in cautions
        if caution.reads not in values
    ]
    return tuple(dict.fromkeys(absent))


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
