"""The potential-eligibility screen: what was entered, held against what labels say.

A screen decides nothing about a patient. It says which criteria of which label appear met as
entered, which do not, and what is missing to tell; and what to talk about with a center. Only a
treatment center decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib.domain.entries import ScreenInput


class Result(StrEnum):
    """The only three things that a screen says of a label's criteria."""

    APPEAR_MET = "label_criteria_appear_met"
    NOT_MET = "label_criteria_not_met_as_entered"
    MISSING = "information_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNote:
    """Where something was read, and the day that it speaks for."""

    source_id: str
    title: str
    url: str
    as_of: str


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
class Reason:
    """One rule, what it read, and what it made of that.

    Attributes:
        rule: The rule's stable name and figures, as `prior_lines_min:2`.
        text: The rule in words.
        met: None where something is missing.
        unverified: No good source was found for it: confirm with the current label.
    """

    rule: str
    text: str
    met: bool | None
    entered: tuple[Entered, ...]
    missing: tuple[Missing, ...]
    source: SourceNote
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """One row of an indication: one way to meet it."""

    row_id: str
    text: str
    result: Result
    reasons: tuple[Reason, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationResult:
    """What a screen says of one product's indication."""

    product_id: str
    product_name: str
    disease: str
    result: Result
    rows: tuple[RowResult, ...]
    missing: tuple[Missing, ...]
    label_as_of: date
    version: str
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something to discuss with the center. It never excludes anybody.

    Attributes:
        flag: Its stable name, as `ecog`.
        value: What was entered, or None where something is missing.
        text: Why it matters, with the threshold.
    """

    flag: str
    label: str
    value: str | None
    text: str
    missing: tuple[Missing, ...]
    sources: tuple[SourceNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """The answer of a screen."""

    results: tuple[IndicationResult, ...]
    discuss: tuple[Flag, ...]
    screened_on: date
    catalogue_version: str


def screen(entered: ScreenInput, *, catalogue: "Screenable", today: date) -> Screening:
    """Hold what was entered against every indication of the catalogue for its disease.

    Pure; the order of lines, doses and products changes nothing. Call `entry_faults.faults_of`
    first: what contradicts itself has no meaningful answer.
    """
    raise NotImplementedError


Screenable = Any
