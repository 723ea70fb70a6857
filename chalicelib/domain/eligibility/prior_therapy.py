"""What a line of therapy says about the disease, in three values, and how lines are looked up."""

from collections.abc import Iterable, Mapping

from chalicelib.domain.eligibility.criterion_result import EnteredValue, MissingValue
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine

LINES_POINTER = "/clinical/prior_lines"

_RESPONDED = frozenset({LineOutcome.COMPLETE_RESPONSE, LineOutcome.PARTIAL_RESPONSE})
_WITHOUT_RESPONSE = frozenset({LineOutcome.STABLE_DISEASE, LineOutcome.ONGOING})


def is_relapsed(line: TherapyLine) -> bool | None:
    """Whether the disease answered to the line and came back.

    A response stands as entered: without a day of relapse, there was none.
    """
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE:
        return None if line.event_on else False
    return line.outcome is LineOutcome.RELAPSED or (line.outcome in _RESPONDED and line.event_on is not None)


def is_refractory(line: TherapyLine) -> bool | None:
    """Whether the disease did not answer to the line."""
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE and line.event_on:
        return None
    return line.outcome is LineOutcome.REFRACTORY


def is_relapsed_or_refractory(line: TherapyLine) -> bool | None:
    """Whether it is relapsed or refractory after the line, even if not known which."""
    if line.event_on or line.outcome in (LineOutcome.RELAPSED, LineOutcome.REFRACTORY):
        return True
    return None if line.outcome is None else False


def expand_drug_classes(line: TherapyLine) -> frozenset[str] | None:
    """The drug classes of a line, with what they make together.

    An anti-CD20 antibody with an anthracycline or other chemotherapy, as in R-CHOP, is
    chemoimmunotherapy whether or not that is ticked too.
    """
    if line.classes is None:
        return None
    given = line.classes
    together = "anti_cd20" in given and not given.isdisjoint({"anthracycline", "chemotherapy"})
    return given | {"chemoimmunotherapy"} if together else given


def sort_lines(screen_input: ScreenInput) -> tuple[TherapyLine, ...]:
    """The lines, first line first, however they were sent."""
    return tuple(sorted(screen_input.lines or (), key=lambda line: line.number))


def list_missing_lines(screen_input: ScreenInput) -> tuple[MissingValue, ...]:
    """Lines that must exist because a later one was entered, or all of them."""
    if screen_input.lines is None:
        return (MissingValue(pointer=LINES_POINTER, label="Lines of therapy"),)
    numbers = {line.number for line in screen_input.lines}
    gaps = set(range(1, max(numbers, default=0))) - numbers
    return tuple(MissingValue(pointer=LINES_POINTER, label=f"Line {number}") for number in sorted(gaps))


def describe_missing_field(line: TherapyLine, field: str, label: str) -> MissingValue:
    """A field of a line that was not entered."""
    return MissingValue(pointer=f"{LINES_POINTER}/{line.position}/{field}", label=f"{label} of line {line.number}")


def describe_field(line: TherapyLine, field: str, label: str, value: object) -> EnteredValue:
    """A field of a line as it was entered."""
    return EnteredValue(
        pointer=f"{LINES_POINTER}/{line.position}/{field}", label=f"{label} of line {line.number}", value=str(value)
    )


def describe_outcomes(lines: Iterable[TherapyLine]) -> tuple[EnteredValue, ...]:
    """How the lines ended, where that was entered."""
    return tuple(
        describe_field(line, "response", "Outcome", format_code(line.outcome.value))
        for line in lines
        if line.outcome is not None
    )


DRUG_CLASS_NAMES: Mapping[str, str] = {
    "anti_bcma": "anti-BCMA therapy",
    "anti_cd19": "anti-CD19 therapy",
    "anti_cd20": "anti-CD20 antibody",
    "anti_cd38": "anti-CD38 antibody",
    "bcl2_inhibitor": "BCL-2 inhibitor",
    "btk_inhibitor": "BTK inhibitor",
    "imid": "immunomodulatory agent",
}


def format_code(code: str) -> str:
    """A code as it is read: a drug class by its name, others as they are spelled."""
    return DRUG_CLASS_NAMES.get(code, code.replace("_", " "))
