"""What a line of therapy says about the disease, in three values, and how lines are looked up."""

from collections.abc import Iterable, Mapping

from chalicelib.domain.eligibility.criterion_result import Entered, Missing
from chalicelib.domain.eligibility.screen_input import Line, Outcome, ScreenInput

LINES = "/clinical/prior_lines"

_ANSWERED = frozenset({Outcome.COMPLETE_RESPONSE, Outcome.PARTIAL_RESPONSE})
_WITHOUT_RESPONSE = frozenset({Outcome.STABLE_DISEASE, Outcome.ONGOING})


def relapsed(line: Line) -> bool | None:
    """Whether the disease answered to the line and came back.

    A response stands as entered: without a day of relapse, there was none.
    """
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE:
        return None if line.event_on else False
    return line.outcome is Outcome.RELAPSED or (
        line.outcome in _ANSWERED and line.event_on is not None
    )


def refractory(line: Line) -> bool | None:
    """Whether the disease did not answer to the line."""
    if line.outcome is None:
        return None
    if line.outcome in _WITHOUT_RESPONSE and line.event_on:
        return None
    return line.outcome is Outcome.REFRACTORY


def came_back(line: Line) -> bool | None:
    """Whether it is relapsed or refractory after the line, even if not known which."""
    if line.event_on or line.outcome in (Outcome.RELAPSED, Outcome.REFRACTORY):
        return True
    return None if line.outcome is None else False


def classes_of(line: Line) -> frozenset[str] | None:
    """The drug classes of a line, with what they make together.

    An anti-CD20 antibody with an anthracycline or other chemotherapy, as in R-CHOP, is
    chemoimmunotherapy whether or not that is ticked too.
    """
    if line.classes is None:
        return None
    given = line.classes
    together = "anti_cd20" in given and not given.isdisjoint({"anthracycline", "chemotherapy"})
    return given | {"chemoimmunotherapy"} if together else given


def ordered(entered: ScreenInput) -> tuple[Line, ...]:
    """The lines, first line first, however they were sent."""
    return tuple(sorted(entered.lines or (), key=lambda line: line.number))


def not_entered(entered: ScreenInput) -> tuple[Missing, ...]:
    """Lines that must exist because a later one was entered, or all of them."""
    if entered.lines is None:
        return (Missing(pointer=LINES, label="Lines of therapy"),)
    numbers = {line.number for line in entered.lines}
    gaps = set(range(1, max(numbers, default=0))) - numbers
    return tuple(Missing(pointer=LINES, label=f"Line {number}") for number in sorted(gaps))


def lacking(line: Line, field: str, label: str) -> Missing:
    """A field of a line that was not entered."""
    return Missing(pointer=f"{LINES}/{line.place}/{field}", label=f"{label} of line {line.number}")


def shown(line: Line, field: str, label: str, value: object) -> Entered:
    """A field of a line as it was entered."""
    return Entered(
        pointer=f"{LINES}/{line.place}/{field}",
        label=f"{label} of line {line.number}",
        value=str(value),
    )


def outcomes(lines: Iterable[Line]) -> tuple[Entered, ...]:
    """How the lines ended, where that was entered."""
    return tuple(
        shown(line, "response", "Outcome", in_words(line.outcome.value))
        for line in lines
        if line.outcome is not None
    )


CLASS_NAMES: Mapping[str, str] = {
    "anti_bcma": "anti-BCMA therapy",
    "anti_cd19": "anti-CD19 therapy",
    "anti_cd20": "anti-CD20 antibody",
    "anti_cd38": "anti-CD38 antibody",
    "bcl2_inhibitor": "BCL-2 inhibitor",
    "btk_inhibitor": "BTK inhibitor",
    "imid": "immunomodulatory agent",
}


def in_words(code: str) -> str:
    """A code as it is read: a drug class by its name, others as they are spelled."""
    return CLASS_NAMES.get(code, code.replace("_", " "))
