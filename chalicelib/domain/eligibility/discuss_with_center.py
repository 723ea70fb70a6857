"""What to talk about with a center: flags, and checks against a planned collection of cells.

Nothing here excludes anybody. Thresholds and intervals are data with their sources, because
published ones disagree on nearly every number.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.eligibility.calendar_months import add_months
from chalicelib.domain.eligibility.criterion_result import MissingValue, SourceReference
from chalicelib.domain.eligibility.screen_input import AgentName, LastDose, ScreenInput, TransplantKind


class FlagComparison(StrEnum):
    """When a value raises its flag."""

    AT_LEAST = "at_least"
    ABOVE = "above"
    BELOW = "below"
    IS_TRUE = "is_true"


_COMPARISONS: Mapping[FlagComparison, Callable[[Any, Any], bool]] = {
    FlagComparison.AT_LEAST: lambda value, threshold: value >= threshold,
    FlagComparison.ABOVE: lambda value, threshold: value > threshold,
    FlagComparison.BELOW: lambda value, threshold: value < threshold,
    FlagComparison.IS_TRUE: lambda value, _threshold: value is True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSource:
    """What one source says of a threshold."""

    text: str
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """A flag: which entry raises it, and when.

    Attributes:
        reads: The pointer of the entry.
        anchors: What the sources say, the one whose figure is used first.
    """

    flag: str
    label: str
    pointer: str
    comparison: FlagComparison
    threshold: float | None
    text: str
    sources: tuple[ThresholdSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WashoutInterval:
    """How long before collection something should lie, in days or in calendar months."""

    label: str
    days: int = 0
    months: int = 0
    sources: tuple[ThresholdSource, ...]

    def compute_earliest_day(self, day: date) -> date:
        """The first day that is far enough from `day`."""
        return add_months(day, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionRules:
    """The reviewed flags and intervals, of one version.

    Attributes:
        irradiated_blood: How long before collection blood products are to be irradiated.
    """

    flags: tuple[FlagRule, ...]
    washouts: Mapping[AgentName, WashoutInterval]
    transplant: WashoutInterval
    irradiated_blood: WashoutInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionFlag:
    """Something to discuss with the center, as entered."""

    flag: str
    label: str
    value: str
    text: str
    sources: tuple[ThresholdSource, ...]


class CollectionCheckState(StrEnum):
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
    state: CollectionCheckState
    last_on: date | None
    earliest_on: date | None
    missing: tuple[MissingValue, ...]
    sources: tuple[ThresholdSource, ...]


MISSING_COLLECTION_DAY = MissingValue(pointer="/planned_collection_on", label="Planned day of collection")


def raise_flags(
    screen_input: ScreenInput, rules: DiscussionRules
) -> tuple[tuple[DiscussionFlag, ...], tuple[MissingValue, ...]]:
    """The flags that are raised, and the entries that were not made, so that nobody looked."""
    values = _collect_values(screen_input)
    raised = tuple(
        DiscussionFlag(
            flag=caution.flag,
            label=caution.label,
            value=_format_value(values[caution.pointer]),
            text=caution.text,
            sources=caution.sources,
        )
        for caution in rules.flags
        if caution.pointer in values and _COMPARISONS[caution.comparison](values[caution.pointer], caution.threshold)
    )
    return raised, _list_absent(values, rules.flags)


def check_collection_day(screen_input: ScreenInput, rules: DiscussionRules) -> tuple[CollectionCheck, ...]:
    """Every interval against the planned day; nothing where neither day nor dose was entered."""
    if screen_input.planned_collection_on is None and not screen_input.doses:
        return ()
    doses = {dose.agent: dose for dose in screen_input.doses}
    washouts = [
        _check_washout(agent, interval, doses.get(agent), screen_input.planned_collection_on)
        for agent, interval in rules.washouts.items()
    ]
    blood = _check_irradiated_blood(rules.irradiated_blood, screen_input.planned_collection_on)
    return (*washouts, _check_after_transplant(screen_input, rules.transplant), *blood)


def _check_washout(
    agent: AgentName, interval: WashoutInterval, dose: LastDose | None, planned: date | None
) -> CollectionCheck:
    never = dose is not None and dose.given is False
    place = str(dose.position) if dose else ""
    lacking = MissingValue(
        pointer=f"/clinical/last_doses/{place}".removesuffix("/"), label=f"Last dose: {interval.label}"
    )
    last_on = dose.last_on if dose else None
    return _build_check(agent, interval, last_on, planned, missing_value=lacking, was_never_given=never)


def _check_after_transplant(screen_input: ScreenInput, interval: WashoutInterval) -> CollectionCheck:
    transplant = screen_input.transplant
    lacking = MissingValue(
        pointer="/clinical/transplant/on" if transplant.kind else "/clinical/transplant",
        label="Day of the last stem cell transplant",
    )
    return _build_check(
        "transplant",
        interval,
        transplant.on,
        screen_input.planned_collection_on,
        missing_value=lacking,
        was_never_given=transplant.kind is TransplantKind.NONE,
    )


def _build_check(
    name: str,
    interval: WashoutInterval,
    last_on: date | None,
    planned: date | None,
    *,
    missing_value: MissingValue,
    was_never_given: bool,
) -> CollectionCheck:
    clear_from = interval.compute_earliest_day(last_on) if last_on else None
    absent = ((missing_value, last_on is None), (MISSING_COLLECTION_DAY, planned is None))
    missing = () if was_never_given else tuple(place for place, is_absent in absent if is_absent)
    late = clear_from is not None and planned is not None and clear_from > planned
    state = CollectionCheckState.DISCUSS if late else CollectionCheckState.CLEAR
    return CollectionCheck(
        check=name,
        label=interval.label,
        state=CollectionCheckState.MISSING if missing else state,
        last_on=last_on,
        earliest_on=clear_from,
        missing=missing,
        sources=interval.sources,
    )


def _check_irradiated_blood(interval: WashoutInterval, planned: date | None) -> Iterable[CollectionCheck]:
    """No interval that has passed but a thing to do: irradiated blood only, from this day on."""
    if planned is None:
        return
    yield CollectionCheck(
        check="irradiated_blood",
        label=interval.label,
        state=CollectionCheckState.DUE,
        last_on=None,
        earliest_on=planned - timedelta(days=interval.days),
        missing=(),
        sources=interval.sources,
    )


def _collect_values(screen_input: ScreenInput) -> dict[str, Any]:
    """What flags can read, by pointer, where it was entered."""
    values: dict[str, Any] = {
        **{f"/clinical/flags/{name}": answer for name, answer in screen_input.conditions.items()},
        **{f"/clinical/labs/{name}": figure for name, figure in screen_input.labs.items()},
    }
    if screen_input.ecog is not None:
        values["/clinical/ecog"] = screen_input.ecog
    return values


def _list_absent(values: Mapping[str, Any], rules: Iterable[FlagRule]) -> tuple[MissingValue, ...]:
    absent = [
        MissingValue(pointer=caution.pointer, label=caution.label) for caution in rules if caution.pointer not in values
    ]
    return tuple(dict.fromkeys(absent))


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
