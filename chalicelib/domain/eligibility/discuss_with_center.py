"""What to discuss with the center: flags from answers, lab values, the histology and earlier therapy.

Nothing here excludes a patient. Thresholds are data with their sources, because published values disagree
on nearly every number.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib.domain.eligibility.criterion_result import EnteredValue, MissingValue, SourceReference, ThresholdSource
from chalicelib.domain.eligibility.histologies import UNKNOWN, format_histology, is_named_by_label, is_primary_cns
from chalicelib.domain.eligibility.same_target import TargetedDrug, TargetedTherapy
from chalicelib.domain.eligibility.screen_input import ScreenInput
from chalicelib.domain.eligibility.washouts import WashoutRules

CNS_POINTER = "/clinical/flags/cns_involvement"
PRIOR_CAR_T_POINTER = "/clinical/flags/prior_car_t"
_HISTOLOGY_POINTER = "/clinical/histology"


class FlagComparison(StrEnum):
    """How a value is compared with the threshold of its flag."""

    AT_LEAST = "at_least"
    ABOVE = "above"
    BELOW = "below"
    IS_TRUE = "is_true"
    IS_FALSE = "is_false"


_COMPARISONS: Mapping[FlagComparison, Callable[[Any, Any], bool]] = {
    FlagComparison.AT_LEAST: lambda value, threshold: value >= threshold,
    FlagComparison.ABOVE: lambda value, threshold: value > threshold,
    FlagComparison.BELOW: lambda value, threshold: value < threshold,
    FlagComparison.IS_TRUE: lambda value, _threshold: value is True,
    FlagComparison.IS_FALSE: lambda value, _threshold: value is False,
}


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
class DiscussionRules:
    """The reviewed flags and intervals of one version.

    Attributes:
        asked: Values that raise no flag and that a center wants to know.
        targeted_drugs: Drugs whose name in a regimen shows earlier therapy with a product's target.
    """

    flags: tuple[FlagRule, ...]
    asked: tuple[MissingValue, ...]
    targeted_drugs: tuple[TargetedDrug, ...]
    washouts: WashoutRules


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionFlag:
    """Something to discuss with the center, as entered.

    Attributes:
        last_on: For earlier therapy, the day of its last dose, if it is known.
        missing: For earlier therapy, what was not entered about it.
    """

    flag: str
    label: str
    value: str
    text: str
    sources: tuple[ThresholdSource, ...]
    last_on: date | None = None
    missing: tuple[MissingValue, ...] = ()


class DiscussionKind(StrEnum):
    """What to discuss about one product."""

    HISTOLOGY_NOT_NAMED = "histology_not_named"
    PRIOR_SAME_TARGET = "prior_same_target"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussionPoint:
    """Something to discuss with the center about one product. It changes no result."""

    kind: DiscussionKind
    text: str
    entered: tuple[EnteredValue, ...]
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImpliedAnswer:
    """An answer that follows from other entries."""

    value: str
    last_on: date | None = None
    missing: tuple[MissingValue, ...] = field(default=())


def raise_flags(
    screen_input: ScreenInput, rules: DiscussionRules, therapies: Sequence[TargetedTherapy]
) -> tuple[tuple[DiscussionFlag, ...], tuple[MissingValue, ...]]:
    """Return the raised flags, and the values that were not entered and so could not be checked."""
    values = _collect_values(screen_input)
    implied = _collect_implied_answers(screen_input, therapies)
    raised = []
    for rule in rules.flags:
        answer = implied.get(rule.pointer)
        if answer is None and rule.pointer in values:
            value = values[rule.pointer]
            if _COMPARISONS[rule.comparison](value, rule.threshold):
                answer = _ImpliedAnswer(value=_format_value(value))
        if answer is not None:
            raised.append(_build_flag(rule, answer))
    known = values.keys() | implied.keys()
    wanted = (*(MissingValue(pointer=rule.pointer, label=rule.label) for rule in rules.flags), *rules.asked)
    return tuple(raised), tuple(dict.fromkeys(value for value in wanted if value.pointer not in known))


def find_discussion_points(
    screen_input: ScreenInput,
    *,
    target: str,
    histologies: Collection[str],
    therapies: Iterable[TargetedTherapy],
    source: SourceReference,
) -> tuple[DiscussionPoint, ...]:
    """Find what to discuss about one product's indication.

    Args:
        screen_input: What was entered.
        target: The target of the product.
        histologies: The histologies that its label lists; empty if the label names only the disease.
        therapies: The earlier therapies that were found.
        source: Where the indication was read.
    """
    points = []
    histology = screen_input.histology
    named = frozenset(histologies)
    if histology not in (None, UNKNOWN) and not is_named_by_label(screen_input.disease, histology, named):
        name = format_histology(histology)
        points.append(
            DiscussionPoint(
                kind=DiscussionKind.HISTOLOGY_NOT_NAMED,
                text="The label does not name this histology. Discuss it with the center.",
                entered=(EnteredValue(pointer=_HISTOLOGY_POINTER, label="Histology", value=name),),
                source=source,
            )
        )
    same = [therapy for therapy in therapies if therapy.target == target]
    if same:
        points.append(
            DiscussionPoint(
                kind=DiscussionKind.PRIOR_SAME_TARGET,
                text=f"Earlier therapy had the same target ({target}): {_join_therapies(same)}. "
                "Discuss it with the center.",
                entered=tuple(therapy.describe_entry() for therapy in same),
                source=source,
            )
        )
    return tuple(points)


def _build_flag(rule: FlagRule, answer: _ImpliedAnswer) -> DiscussionFlag:
    return DiscussionFlag(
        flag=rule.flag,
        label=rule.label,
        value=answer.value,
        text=rule.text,
        sources=rule.sources,
        last_on=answer.last_on,
        missing=answer.missing,
    )


def _collect_implied_answers(
    screen_input: ScreenInput, therapies: Sequence[TargetedTherapy]
) -> dict[str, _ImpliedAnswer]:
    implied = {}
    if is_primary_cns(screen_input.histology):
        implied[CNS_POINTER] = _ImpliedAnswer(value="primary CNS lymphoma")
    if therapies:
        value = _join_therapies(therapies)
        if screen_input.conditions.get("prior_car_t") is False:
            value += " (the question was answered with no)"
        known_days = [therapy.last_on for therapy in therapies if therapy.last_on]
        missing = dict.fromkeys(value for therapy in therapies for value in therapy.missing)
        implied[PRIOR_CAR_T_POINTER] = _ImpliedAnswer(
            value=value, last_on=max(known_days, default=None), missing=tuple(missing)
        )
    return implied


def _join_therapies(therapies: Iterable[TargetedTherapy]) -> str:
    return "; ".join(therapy.describe() for therapy in therapies)


def _collect_values(screen_input: ScreenInput) -> dict[str, Any]:
    """The entered values that flags can use, and the others that a center wants to know, by pointer."""
    values: dict[str, Any] = {
        **{f"/clinical/flags/{name}": answer for name, answer in screen_input.conditions.items()},
        **{f"/clinical/labs/{name}": value for name, value in screen_input.labs.items()},
    }
    if screen_input.ecog is not None:
        values["/clinical/ecog"] = screen_input.ecog
    if screen_input.histology not in (None, UNKNOWN):
        values[_HISTOLOGY_POINTER] = screen_input.histology
    if screen_input.last_imaging_on is not None:
        values["/clinical/last_imaging_on"] = screen_input.last_imaging_on
    return values


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
