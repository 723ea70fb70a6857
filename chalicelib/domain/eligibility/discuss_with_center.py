"""What to discuss with the center: flags, and washout checks against the planned leukapheresis date.

Nothing here excludes a patient. Thresholds and washout intervals are data with their sources, because
published values disagree on nearly every number.
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
    """How a value is compared with the threshold of its flag."""

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
    """What one source states about a threshold."""

    text: str
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """A flag: which entered value raises it, and when.

    Attributes:
        pointer: The JSON pointer of the entered value.
        sources: What the sources state; the one whose number is used comes first.
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
    """How much time should pass between an event and leukapheresis (washout), in days or calendar months."""

    label: str
    days: int = 0
    months: int = 0
    sources: tuple[ThresholdSource, ...]

    def compute_earliest_day(self, day: date) -> date:
        """The first day on which the interval since `day` is over."""
        return add_months(day, self.months) + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionRules:
    """The reviewed flags and washout intervals of one version.

    Attributes:
        irradiated_blood: How long before leukapheresis blood products must be irradiated.
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
    """How an interval compares with the planned leukapheresis date. No state forbids anything."""

    CLEAR = "clear"
    DISCUSS = "discuss"
    MISSING = "information_missing"
    DUE = "due"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionCheck:
    """One check against the planned leukapheresis date.

    Attributes:
        last_on: The day that the interval counts from.
        earliest_on: The first day on which the interval is over.
    """

    check: str
    label: str
    state: CollectionCheckState
    last_on: date | None
    earliest_on: date | None
    missing: tuple[MissingValue, ...]
    sources: tuple[ThresholdSource, ...]


MISSING_COLLECTION_DAY = MissingValue(pointer="/planned_collection_on", label="Planned leukapheresis date")


def raise_flags(
    screen_input: ScreenInput, rules: DiscussionRules
) -> tuple[tuple[DiscussionFlag, ...], tuple[MissingValue, ...]]:
    """Return the raised flags, and the values that were not entered and so could not be checked."""
    values = _collect_values(screen_input)
    raised = tuple(
        DiscussionFlag(
            flag=rule.flag,
            label=rule.label,
            value=_format_value(values[rule.pointer]),
            text=rule.text,
            sources=rule.sources,
        )
        for rule in rules.flags
        if rule.pointer in values and _COMPARISONS[rule.comparison](values[rule.pointer], rule.threshold)
    )
    return raised, _list_absent(values, rules.flags)


def check_collection_day(screen_input: ScreenInput, rules: DiscussionRules) -> tuple[CollectionCheck, ...]:
    """Check every interval against the planned date; nothing if neither a date nor a dose was entered."""
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
    was_never_given = dose is not None and dose.given is False
    position = str(dose.position) if dose else ""
    missing_value = MissingValue(
        pointer=f"/clinical/last_doses/{position}".removesuffix("/"), label=f"{interval.label}: date of last dose"
    )
    last_on = dose.last_on if dose else None
    return _build_check(agent, interval, last_on, planned, missing_value=missing_value, was_never_given=was_never_given)


def _check_after_transplant(screen_input: ScreenInput, interval: WashoutInterval) -> CollectionCheck:
    transplant = screen_input.transplant
    missing_value = MissingValue(
        pointer="/clinical/transplant/on" if transplant.kind else "/clinical/transplant",
        label="Date of most recent stem cell transplant",
    )
    return _build_check(
        "transplant",
        interval,
        transplant.on,
        screen_input.planned_collection_on,
        missing_value=missing_value,
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
    earliest_on = interval.compute_earliest_day(last_on) if last_on else None
    needed = ((missing_value, last_on is None), (MISSING_COLLECTION_DAY, planned is None))
    missing = () if was_never_given else tuple(value for value, is_absent in needed if is_absent)
    is_too_early = earliest_on is not None and planned is not None and earliest_on > planned
    state = CollectionCheckState.DISCUSS if is_too_early else CollectionCheckState.CLEAR
    return CollectionCheck(
        check=name,
        label=interval.label,
        state=CollectionCheckState.MISSING if missing else state,
        last_on=last_on,
        earliest_on=earliest_on,
        missing=missing,
        sources=interval.sources,
    )


def _check_irradiated_blood(interval: WashoutInterval, planned: date | None) -> Iterable[CollectionCheck]:
    """Not an interval that must be over but a task: irradiated blood products only, from this date."""
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
    """The entered values that flags can use, by pointer."""
    values: dict[str, Any] = {
        **{f"/clinical/flags/{name}": answer for name, answer in screen_input.conditions.items()},
        **{f"/clinical/labs/{name}": value for name, value in screen_input.labs.items()},
    }
    if screen_input.ecog is not None:
        values["/clinical/ecog"] = screen_input.ecog
    return values


def _list_absent(values: Mapping[str, Any], rules: Iterable[FlagRule]) -> tuple[MissingValue, ...]:
    absent = [MissingValue(pointer=rule.pointer, label=rule.label) for rule in rules if rule.pointer not in values]
    return tuple(dict.fromkeys(absent))


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
