"""Earlier therapy with the target of a product, and earlier CAR T, found in the lines of therapy.

A line shows it by a drug class (`anti_cd19`) or by a drug's name in its regimen (`axi-cel`). What is found
is for discussion with the center; it changes no result.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.domain.eligibility.criterion_result import EnteredValue, MissingValue
from chalicelib.domain.eligibility.prior_therapy import LINES_POINTER, describe_missing_field, format_code, sort_lines
from chalicelib.domain.eligibility.screen_input import AgentName, LineOutcome, ScreenInput, TherapyLine
from chalicelib.domain.platform.dates import format_short_date

_TARGET_BY_AGENT: Mapping[AgentName, str] = {"bcma_bispecific": "BCMA"}
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetedDrug:
    """A drug with a target that a CAR T product has, or a CAR T product.

    Attributes:
        spellings: How it is written, each as `normalize_name` returns it.
        target: As the catalog writes it, such as `CD19`.
        is_car_t: It is CAR T, so it is discussed whatever its target.
    """

    name: str
    spellings: tuple[str, ...]
    target: str
    is_car_t: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetedTherapy:
    """A therapy that was entered, its target, and its last dose.

    Attributes:
        place: Where it was entered, in words: "line 1".
        what: The drug's name, or the words for its class.
        last_on: None if it is not known, or if the therapy goes on.
        missing: The date that was not entered.
    """

    pointer: str
    place: str
    what: str
    target: str
    is_ongoing: bool = False
    last_on: date | None = None
    missing: tuple[MissingValue, ...] = ()

    def describe(self) -> str:
        """The therapy with its place and date: "line 1, axicabtagene ciloleucel, last dose Mar 3, 2026"."""
        if self.last_on:
            when = f"last dose {format_short_date(self.last_on)}"
        else:
            when = "ongoing" if self.is_ongoing else "date of last dose not entered"
        return f"{self.place}, {self.what}, {when}"

    def describe_entry(self) -> EnteredValue:
        """The entry that shows it."""
        return EnteredValue(pointer=self.pointer, label=self.place.capitalize(), value=self.what)


def normalize_name(text: str) -> str:
    """Lowercase words with single spaces around each: "Axi-cel + R" becomes " axi cel r "."""
    return f" {_NOT_ALPHANUMERIC.sub(' ', text.casefold()).strip()} "


def get_target_class(target: str) -> str:
    """The drug class of a target: `anti_cd19` for `CD19`."""
    return f"anti_{target.casefold()}"


def find_targeted_therapies(
    screen_input: ScreenInput, drugs: Sequence[TargetedDrug], targets: Collection[str]
) -> tuple[TargetedTherapy, ...]:
    """Find CAR T of any target, and every therapy with one of these targets, in the order of the lines."""
    from_lines = [found for line in sort_lines(screen_input) for found in _read_line(line, drugs, targets)]
    return (*from_lines, *_read_doses(screen_input, targets))


def _read_line(line: TherapyLine, drugs: Sequence[TargetedDrug], targets: Collection[str]) -> Iterator[TargetedTherapy]:
    regimen = normalize_name(line.regimen)
    named = [drug for drug in drugs if any(spelling in regimen for spelling in drug.spellings)]
    for drug in named:
        if drug.is_car_t or drug.target in targets:
            yield _build_therapy(line, drug.name, drug.target, field="regimen", is_car_t=drug.is_car_t)
    for target in targets:
        name = get_target_class(target)
        if name in (line.classes or ()) and not any(drug.target == target for drug in named):
            yield _build_therapy(line, format_code(name), target, field="classes", is_car_t=False)


def _read_doses(screen_input: ScreenInput, targets: Collection[str]) -> Iterator[TargetedTherapy]:
    for dose in screen_input.doses:
        target = _TARGET_BY_AGENT.get(dose.agent, "")
        if target in targets and (dose.given or dose.last_on):
            pointer = f"/clinical/last_doses/{dose.position}/last_on"
            label = "BCMA bispecific antibody: date of last dose"
            yield TargetedTherapy(
                pointer=pointer,
                place="last doses",
                what="BCMA bispecific antibody",
                target=target,
                last_on=dose.last_on,
                missing=() if dose.last_on else (MissingValue(pointer=pointer, label=label),),
            )


def _build_therapy(line: TherapyLine, what: str, target: str, *, field: str, is_car_t: bool) -> TargetedTherapy:
    # CAR T is given once, so the start of its line is the day of its dose.
    last_on = line.ended_on or (line.started_on if is_car_t else None)
    is_ongoing = line.outcome is LineOutcome.ONGOING
    is_asked = last_on is None and not is_ongoing
    return TargetedTherapy(
        pointer=f"{LINES_POINTER}/{line.position}/{field}",
        place=f"line {line.number}",
        what=what,
        target=target,
        is_ongoing=is_ongoing,
        last_on=last_on,
        missing=(describe_missing_field(line, "ended_on", "End date"),) if is_asked else (),
    )
