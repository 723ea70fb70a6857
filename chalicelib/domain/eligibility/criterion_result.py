"""Three-valued criterion results: met, not met, or unknown because information is missing.

`None` means unknown. The logic is Kleene's strong logic: a result that is decided stays decided,
whatever is entered later for the missing values.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredValue:
    """A value that was entered, as a rule used it."""

    pointer: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A value that was not entered, and that a rule needs to decide."""

    pointer: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReference:
    """Where a fact comes from, and the date that it is valid for (`as_of`), as YYYY-MM-DD.

    Attributes:
        kind: How strong it is: `label`, `regulator`, `publication`, `manufacturer`, or `secondary`.
    """

    source_id: str
    title: str
    url: str
    as_of: str
    kind: str = "secondary"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSource:
    """What one source states about a threshold or an interval."""

    text: str
    source: SourceReference


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """The result of one rule for what was entered. `missing` is empty unless `met` is None."""

    met: bool | None
    entered: tuple[EnteredValue, ...] = ()
    missing: tuple[MissingValue, ...] = ()


def describe_yes_no(pointer: str, label: str, *, yes: bool) -> EnteredValue:
    """Describe the answer to a yes-or-no question."""
    return EnteredValue(pointer=pointer, label=label, value="yes" if yes else "no")


def kleene_all(values: Iterable[bool | None]) -> bool | None:
    """Whether all are met. One that is not met decides, even if others are unknown."""
    known = tuple(values)
    if False in known:
        return False
    return None if None in known else True


def kleene_any(values: Iterable[bool | None]) -> bool | None:
    """Whether at least one is met. One that is met decides, even if others are unknown."""
    known = tuple(values)
    if True in known:
        return True
    return None if None in known else False


def build_criterion_result(
    *, met: bool | None, entered: Iterable[EnteredValue] = (), missing: Iterable[MissingValue] = ()
) -> CriterionResult:
    """Build a result that lists missing values only if it is undecided."""
    needed = tuple(dict.fromkeys(missing)) if met is None else ()
    return CriterionResult(met=met, entered=tuple(dict.fromkeys(entered)), missing=needed)
