"""Three-valued answers: met, not met, or not to be told from what was entered.

`None` stands for the third. The logic is Kleene's strong one, whose point is that an answer
which is decided stays decided, whatever is learned of what was missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Something that was entered, as a rule read it."""

    pointer: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that was not entered, and without which a rule cannot tell."""

    pointer: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNote:
    """Where something was read, and the day that it speaks for, as YYYY-MM-DD."""

    source_id: str
    title: str
    url: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule made of what was entered. `missing` is empty unless `met` is None."""

    met: bool | None
    entered: tuple[Entered, ...] = ()
    missing: tuple[Missing, ...] = ()


def answered(pointer: str, label: str, *, yes: bool) -> Entered:
    """A question of yes or no, as it was answered."""
    return Entered(pointer=pointer, label=label, value="yes" if yes else "no")


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether all are met: one that is not decides, before any that is missing."""
    given = tuple(answers)
    if False in given:
        return False
    return None if None in given else True


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether one is met: one that is decides, before any that is missing."""
    given = tuple(answers)
    if True in given:
        return True
    return None if None in given else False


def told(
    *, met: bool | None, entered: Iterable[Entered] = (), missing: Iterable[Missing] = ()
) -> Finding:
    """A finding that names what is missing only where that stands between it and an answer."""
    lacking = tuple(dict.fromkeys(missing)) if met is None else ()
    return Finding(met=met, entered=tuple(dict.fromkeys(entered)), missing=lacking)
