"""What a line of therapy shows about the disease, as met, not met or unknown, and how lines are found."""

from collections.abc import Iterable, Mapping

from chalicelib.domain.eligibility.criterion_result import EnteredValue, MissingValue
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine

LINES_POINTER = "/clinical/prior_lines"

_RESPONDED = frozenset({LineOutcome.COMPLETE_RESPONSE, LineOutcome.PARTIAL_RESPONSE})
_WITHOUT_RESPONSE = frozenset({LineOutcome.STABLE_DISEASE, LineOutcome.ONGOING})


def is_relapsed(line: TherapyLine) -> bool | None:
    """Whether the disease responded to the line and came back.

    A response counts as entered: without a date of relapse, there was no relapse.
    """
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE:
        return None if line.event_on else False
    return line.outcome is LineOutcome.RELAPSED or (line.outcome in _RESPONDED and line.event_on is not None)


def is_refractory(line: TherapyLine) -> bool | None:
    """Whether the disease did not respond to the line."""
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE and line.event_on:
        return None
    return line.outcome is LineOutcome.REFRACTORY


def is_relapsed_or_refractory(line: TherapyLine) -> bool | None:
    """Whether the disease is relapsed or refractory after the line, even if it is unknown which."""
    if line.event_on or line.outcome in (LineOutcome.RELAPSED, LineOutcome.REFRACTORY):
        return True
    return None if line.outcome is None else False


def expand_drug_classes(line: TherapyLine) -> frozenset[str] | None:
    """The drug classes of a line, including what they make in combination.

    An anti-CD20 antibody with an anthracycline or other chemotherapy, such as R-CHOP, is
    chemoimmunotherapy, whether or not that class is entered too.
    """
    if line.classes is None:
        return None
    is_chemoimmunotherapy = "anti_cd20" in line.classes and not line.classes.isdisjoint(
        {"anthracycline", "chemotherapy"}
    )
    return line.classes | {"chemoimmunotherapy"} if is_chemoimmunotherapy else line.classes


def sort_lines(screen_input: ScreenInput) -> tuple[TherapyLine, ...]:
    """The lines in order of line number, whatever their order in the request."""
    return tuple(sorted(screen_input.lines or (), key=lambda line: line.number))


def list_missing_lines(screen_input: ScreenInput) -> tuple[MissingValue, ...]:
    """The lines that must exist because a later line was entered, or all lines."""
    if screen_input.lines is None:
        return (MissingValue(pointer=LINES_POINTER, label="Lines of therapy"),)
    numbers = {line.number for line in screen_input.lines}
    gaps = set(range(1, max(numbers, default=0))) - numbers
    return tuple(MissingValue(pointer=LINES_POINTER, label=f"Line {number}") for number in sorted(gaps))


def describe_missing_field(line: TherapyLine, field: str, label: str) -> MissingValue:
    """Describe a field of a line that was not entered."""
    return MissingValue(pointer=f"{LINES_POINTER}/{line.position}/{field}", label=f"{label} of line {line.number}")


def describe_field(line: TherapyLine, field: str, label: str, value: object) -> EnteredValue:
    """Describe a field of a line as entered."""
    return EnteredValue(
        pointer=f"{LINES_POINTER}/{line.position}/{field}", label=f"{label} of line {line.number}", value=str(value)
    )


def describe_outcomes(lines: Iterable[TherapyLine]) -> tuple[EnteredValue, ...]:
    """Describe how the lines ended, where it was entered."""
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
    """Format a code for a reader: a drug class by its name, other codes without underscores."""
    return DRUG_CLASS_NAMES.get(code, code.replace("_", " "))
