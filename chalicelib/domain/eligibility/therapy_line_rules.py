"""Rules about lines of therapy. Each says what it read, and guesses nothing."""

from collections.abc import Sequence
from typing import Any

from chalicelib.domain.eligibility.calendar_months import months_later
from chalicelib.domain.eligibility.criterion_result import (
    Entered,
    Finding,
    Missing,
    all_of,
    answered,
    any_of,
    told,
)
from chalicelib.domain.eligibility.prior_therapy import (
    LINES,
    came_back,
    classes_of,
    in_words,
    lacking,
    not_entered,
    ordered,
    outcomes,
    refractory,
    relapsed,
    shown,
)
from chalicelib.domain.eligibility.screen_input import Line, Outcome, ScreenInput


def prior_lines_min(entered: ScreenInput, least: int) -> Finding:
    """At least so many lines of therapy, as the provider counts them."""
    lines, gaps = ordered(entered), not_entered(entered)
    certain = len(lines) >= least
    possible = entered.lines is None or len(lines) + len(gaps) >= least
    met = True if certain else (None if possible else False)
    return told(met=met, entered=_counted(entered), missing=gaps)


def classes(entered: ScreenInput, required: Sequence[str]) -> Finding:
    """Each of these drug classes was given in some line."""
    lines = ordered(entered)
    given = [(line, classes_of(line)) for line in lines]
    blank = [lacking(line, "classes", "Drug classes") for line, of in given if of is None]
    missing = (*blank, *not_entered(entered))
    met = all_of(
        any_of(name in of if of is not None else None for _, of in given)
        or (None if missing else False)
        for name in required
    )
    return told(met=met, entered=_classes_shown(lines) or _counted(entered), missing=missing)


def line_class(entered: ScreenInput, of: Sequence[Any]) -> Finding:
    """A line was of this drug class."""
    number, name = of
    line = _line(entered, number)
    if line is None:
        return _without(entered, number)
    given = classes_of(line)
    met = None if given is None else name in given
    return told(
        met=met,
        entered=_classes_shown([line]),
        missing=[lacking(line, "classes", "Drug classes")],
    )


def relapsed_or_refractory(entered: ScreenInput, _figure: object) -> Finding:
    """The disease came back after some line, or did not answer to it."""
    lines, gaps = ordered(entered), not_entered(entered)
    answers = [came_back(line) for line in lines]
    met = any_of([*answers, *(None for _ in gaps)])
    return told(
        met=met,
        entered=_course(lines) or _counted(entered),
        missing=(*_outcomes_lacking(lines), *gaps),
    )


def refractory_to_line(entered: ScreenInput, number: int) -> Finding:
    """The disease did not answer to this line."""
    line = _line(entered, number)
    if line is None:
        return _without(entered, number)
    return told(
        met=refractory(line),
        entered=_course([line]),
        missing=[lacking(line, "response", "Outcome")],
    )


def relapse_after_line(entered: ScreenInput, number: int) -> Finding:
    """The disease came back after this line, whenever."""
    line = _line(entered, number)
    if line is None:
        return _without(entered, number)
    met = came_back(line) if line.outcome is not None else None
    if line.outcome is Outcome.REFRACTORY:
        met = False
    return told(met=met, entered=_course([line]), missing=[lacking(line, "response", "Outcome")])


def relapse_within_months_of_line(entered: ScreenInput, of: Sequence[int]) -> Finding:
    """The disease came back within so many months of the end of this line, that day included."""
    number, months = of
    line = _line(entered, number)
    if line is None:
        return _without(entered, number)
    after = relapse_after_line(entered, number)
    missing = [*after.missing, *_dates_lacking(line)]
    if after.met is False or (line.event_on and line.ended_on):
        soon = bool(
            line.event_on and line.ended_on and line.event_on <= months_later(line.ended_on, months)
        )
        return told(
            met=all_of([after.met, soon]), entered=(*after.entered, *_dates(line)), missing=missing
        )
    return told(met=None, entered=(*after.entered, *_dates(line)), missing=missing)


def refractory_now(entered: ScreenInput, _figure: object) -> Finding:
    """The disease did not answer to the last line."""
    lines = ordered(entered)
    if not lines:
        return told(
            met=None if entered.lines is None else False,
            entered=_counted(entered),
            missing=not_entered(entered),
        )
    return refractory_to_line(entered, lines[-1].number)


def relapses_min(entered: ScreenInput, least: int) -> Finding:
    """The disease came back after at least so many lines."""
    lines, gaps = ordered(entered), not_entered(entered)
    answers = [relapsed(line) for line in lines]
    certain = answers.count(True)
    possible = certain + answers.count(None) + len(gaps)
    met = True if certain >= least else (None if possible >= least else False)
    met = None if entered.lines is None else met
    return told(
        met=met,
        entered=_course(lines) or _counted(entered),
        missing=(*_outcomes_lacking(lines), *gaps),
    )


def refractory_to(entered: ScreenInput, drug: str) -> Finding:
    """Refractory to lenalidomide: by the provider's word, or by a line that names it."""
    evidence = refractory_with(entered, drug)
    if evidence:
        said = [shown(line, "regimen", "Regimen", line.regimen) for line in evidence]
        return told(met=True, entered=(*said, *_course(evidence)))
    pointer, label = f"/clinical/{drug}_refractory", f"Refractory to {drug}"
    met = entered.lenalidomide_refractory
    said = [] if met is None else [answered(pointer, label, yes=met)]
    return told(met=met, entered=said, missing=[Missing(pointer=pointer, label=label)])


def refractory_with(entered: ScreenInput, drug: str) -> list[Line]:
    """The lines whose regimen names the drug in full, and to which the disease did not answer."""
    return [
        line
        for line in ordered(entered)
        if drug in line.regimen.casefold() and refractory(line) is True
    ]


def _counted(entered: ScreenInput) -> tuple[Entered, ...]:
    if entered.lines is None:
        return ()
    return (Entered(pointer=LINES, label="Lines of therapy", value=str(len(entered.lines))),)


def _line(entered: ScreenInput, number: int) -> Line | None:
    return next((line for line in ordered(entered) if line.number == number), None)


def _without(entered: ScreenInput, number: int) -> Finding:
    """A rule about a line that was not entered: missing if it must exist, else not met."""
    gaps = not_entered(entered)
    exists = entered.lines is None or any(line.number > number for line in entered.lines)
    return told(met=None if exists else False, entered=_counted(entered), missing=gaps)


def _classes_shown(lines: Sequence[Line]) -> list[Entered]:
    """The classes as they were entered, without what they make together."""
    return [
        shown(line, "classes", "Drug classes", ", ".join(map(in_words, sorted(line.classes))))
        for line in lines
        if line.classes is not None
    ]


def _dates(line: Line) -> list[Entered]:
    days = (("ended_on", "End", line.ended_on), ("event_on", "Relapse", line.event_on))
    return [shown(line, field, label, day.isoformat()) for field, label, day in days if day]


def _dates_lacking(line: Line) -> list[Missing]:
    days = (("ended_on", "End", line.ended_on), ("event_on", "Day of relapse", line.event_on))
    return [lacking(line, field, label) for field, label, day in days if day is None]


def _course(lines: Sequence[Line]) -> tuple[Entered, ...]:
    events = [
        shown(line, "event_on", "Relapse", line.event_on.isoformat())
        for line in lines
        if line.event_on
    ]
    return (*outcomes(lines), *events)


def _outcomes_lacking(lines: Sequence[Line]) -> list[Missing]:
    return [lacking(line, "response", "Outcome") for line in lines if line.outcome is None]
