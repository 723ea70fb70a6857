"""Three-valued answers: met, not met, or not to be told from what was entered.

`None` stands for the third. The logic is Kleene's strong one, whose point is that an answer
which is decided stays decided, whatever is learned of what was missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredValue:
    """Something that was entered, as a rule read it."""

    pointer: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """Something that was not entered, and without which a rule cannot tell."""

    pointer: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReference:
    """Where something was read, and the day that it speaks for, as YYYY-MM-DD."""

    source_id: str
    title: str
    url: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """What one rule made of what was entered. `missing` is empty unless `met` is None."""

    met: bool | None
    entered: tuple[EnteredValue, ...] = ()
    missing: tuple[MissingValue, ...] = ()


def describe_yes_no(pointer: str, label: str, *, yes: bool) -> EnteredValue:
    """A question of yes or no, as it was answered."""
    return EnteredValue(pointer=pointer, label=label, value="yes" if yes else "no")


def kleene_all(answers: Iterable[bool | None]) -> bool | None:
    """Whether all are met: one that is not decides, before any that is missing."""
    given = tuple(answers)
    if False in given:
        return False
    return None if None in given else True


def kleene_any(answers: Iterable[bool | None]) -> bool | None:
    """Whether one is met: one that is decides, before any that is missing."""
    given = tuple(answers)
    if True in given:
        return True
    return None if None in given else False


def build_criterion_result(
    *, met: bool | None, entered: Iterable[EnteredValue] = (), missing: Iterable[MissingValue] = ()
) -> CriterionResult:
    """A finding that names what is missing only where that stands between it and an answer."""
    lacking = tuple(dict.fromkeys(missing)) if met is None else ()
    return CriterionResult(met=met, entered=tuple(dict.fromkeys(entered)), missing=lacking)
