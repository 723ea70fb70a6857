"""Rules about lines of therapy. Each shows the values that it used, and guesses nothing."""

from collections.abc import Sequence
from typing import Any

from chalicelib.domain.eligibility.calendar_months import add_months
from chalicelib.domain.eligibility.criterion_result import (
    CriterionResult,
    EnteredValue,
    MissingValue,
    build_criterion_result,
    describe_yes_no,
    kleene_all,
    kleene_any,
)
from chalicelib.domain.eligibility.prior_therapy import (
    LINES_POINTER,
    describe_field,
    describe_missing_field,
    describe_outcomes,
    expand_drug_classes,
    format_code,
    is_refractory,
    is_relapsed,
    is_relapsed_or_refractory,
    list_missing_lines,
    sort_lines,
)
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine


def prior_lines_min(screen_input: ScreenInput, least: int) -> CriterionResult:
    """The patient had at least this number of lines of therapy, as the provider counts them."""
    lines, gaps = sort_lines(screen_input), list_missing_lines(screen_input)
    certain = len(lines) >= least
    possible = screen_input.lines is None or len(lines) + len(gaps) >= least
    met = True if certain else (None if possible else False)
    return build_criterion_result(met=met, entered=_describe_line_count(screen_input), missing=gaps)


def classes(screen_input: ScreenInput, required: Sequence[str]) -> CriterionResult:
    """Each of these drug classes was given in at least one line."""
    lines = sort_lines(screen_input)
    classes_by_line = [(line, expand_drug_classes(line)) for line in lines]
    blank = [
        describe_missing_field(line, "classes", "Drug classes") for line, given in classes_by_line if given is None
    ]
    missing = (*blank, *list_missing_lines(screen_input))
    met = kleene_all(
        kleene_any(name in given if given is not None else None for _, given in classes_by_line)
        or (None if missing else False)
        for name in required
    )
    return build_criterion_result(
        met=met, entered=_describe_classes(lines) or _describe_line_count(screen_input), missing=missing
    )


def line_class(screen_input: ScreenInput, of: Sequence[Any]) -> CriterionResult:
    """The drug classes of this line include this class."""
    number, name = of
    line = _find_line(screen_input, number)
    if line is None:
        return _judge_missing_line(screen_input, number)
    drug_classes = expand_drug_classes(line)
    met = None if drug_classes is None else name in drug_classes
    return build_criterion_result(
        met=met, entered=_describe_classes([line]), missing=[describe_missing_field(line, "classes", "Drug classes")]
    )


def relapsed_or_refractory(screen_input: ScreenInput, _figure: object) -> CriterionResult:
    """The disease came back after at least one line, or did not respond to it."""
    lines, gaps = sort_lines(screen_input), list_missing_lines(screen_input)
    results = [is_relapsed_or_refractory(line) for line in lines]
    met = kleene_any([*results, *(None for _ in gaps)])
    return build_criterion_result(
        met=met,
        entered=_describe_course(lines) or _describe_line_count(screen_input),
        missing=(*_describe_missing_outcomes(lines), *gaps),
    )


def refractory_to_line(screen_input: ScreenInput, number: int) -> CriterionResult:
    """The disease did not respond to this line."""
    line = _find_line(screen_input, number)
    if line is None:
        return _judge_missing_line(screen_input, number)
    return build_criterion_result(
        met=is_refractory(line),
        entered=_describe_course([line]),
        missing=[describe_missing_field(line, "response", "Outcome")],
    )


def relapse_after_line(screen_input: ScreenInput, number: int) -> CriterionResult:
    """The disease came back after this line, at any time."""
    line = _find_line(screen_input, number)
    if line is None:
        return _judge_missing_line(screen_input, number)
    met = is_relapsed_or_refractory(line) if line.outcome is not None else None
    if line.outcome is LineOutcome.REFRACTORY:
        met = False
    return build_criterion_result(
        met=met, entered=_describe_course([line]), missing=[describe_missing_field(line, "response", "Outcome")]
    )


def relapse_within_months_of_line(screen_input: ScreenInput, of: Sequence[int]) -> CriterionResult:
    """The disease came back within this number of months after the end of this line, last day included."""
    number, months = of
    line = _find_line(screen_input, number)
    if line is None:
        return _judge_missing_line(screen_input, number)
    relapse = relapse_after_line(screen_input, number)
    missing = [*relapse.missing, *_describe_missing_dates(line)]
    if relapse.met is False or (line.event_on and line.ended_on):
        is_in_time = bool(line.event_on and line.ended_on and line.event_on <= add_months(line.ended_on, months))
        return build_criterion_result(
            met=kleene_all([relapse.met, is_in_time]),
            entered=(*relapse.entered, *_describe_dates(line)),
            missing=missing,
        )
    return build_criterion_result(met=None, entered=(*relapse.entered, *_describe_dates(line)), missing=missing)


def refractory_now(screen_input: ScreenInput, _figure: object) -> CriterionResult:
    """The disease did not respond to the most recent line."""
    lines = sort_lines(screen_input)
    if not lines:
        return build_criterion_result(
            met=None if screen_input.lines is None else False,
            entered=_describe_line_count(screen_input),
            missing=list_missing_lines(screen_input),
        )
    return refractory_to_line(screen_input, lines[-1].number)


def relapses_min(screen_input: ScreenInput, least: int) -> CriterionResult:
    """The disease came back after at least this number of lines.

    An outcome without a response contradicts a date of relapse, so the outcome is asked for again.
    """
    lines, gaps = sort_lines(screen_input), list_missing_lines(screen_input)
    results = [is_relapsed(line) for line in lines]
    certain = results.count(True)
    possible = certain + results.count(None) + len(gaps)
    met = True if certain >= least else (None if possible >= least else False)
    met = None if screen_input.lines is None else met
    return build_criterion_result(
        met=met,
        entered=_describe_course(lines) or _describe_line_count(screen_input),
        missing=(
            *(describe_missing_field(line, "response", "Outcome") for line in lines if is_relapsed(line) is None),
            *gaps,
        ),
    )


def refractory_to(screen_input: ScreenInput, drug: str) -> CriterionResult:
    """Refractory to lenalidomide: by the provider's answer, or by a line that names the drug."""
    evidence = find_refractory_lines(screen_input, drug)
    if evidence:
        entered_values = [describe_field(line, "regimen", "Regimen", line.regimen) for line in evidence]
        return build_criterion_result(met=True, entered=(*entered_values, *_describe_course(evidence)))
    pointer, label = f"/clinical/{drug}_refractory", f"Refractory to {drug}"
    met = screen_input.lenalidomide_refractory
    entered_values = [] if met is None else [describe_yes_no(pointer, label, yes=met)]
    return build_criterion_result(met=met, entered=entered_values, missing=[MissingValue(pointer=pointer, label=label)])


def find_refractory_lines(screen_input: ScreenInput, drug: str) -> list[TherapyLine]:
    """The lines whose regimen contains the full drug name, and to which the disease did not respond."""
    return [
        line for line in sort_lines(screen_input) if drug in line.regimen.casefold() and is_refractory(line) is True
    ]


def _describe_line_count(screen_input: ScreenInput) -> tuple[EnteredValue, ...]:
    if screen_input.lines is None:
        return ()
    return (EnteredValue(pointer=LINES_POINTER, label="Lines of therapy", value=str(len(screen_input.lines))),)


def _find_line(screen_input: ScreenInput, number: int) -> TherapyLine | None:
    return next((line for line in sort_lines(screen_input) if line.number == number), None)


def _judge_missing_line(screen_input: ScreenInput, number: int) -> CriterionResult:
    """The result of a rule about a line that was not entered: unknown if it must exist, otherwise not met."""
    gaps = list_missing_lines(screen_input)
    exists = screen_input.lines is None or any(line.number > number for line in screen_input.lines)
    return build_criterion_result(
        met=None if exists else False, entered=_describe_line_count(screen_input), missing=gaps
    )


def _describe_classes(lines: Sequence[TherapyLine]) -> list[EnteredValue]:
    """The classes as entered, without the class that they make in combination."""
    return [
        describe_field(line, "classes", "Drug classes", ", ".join(map(format_code, sorted(line.classes))))
        for line in lines
        if line.classes is not None
    ]


def _describe_dates(line: TherapyLine) -> list[EnteredValue]:
    days = (("ended_on", "End date", line.ended_on), ("event_on", "Relapse", line.event_on))
    return [describe_field(line, field, label, day.isoformat()) for field, label, day in days if day]


def _describe_missing_dates(line: TherapyLine) -> list[MissingValue]:
    days = (("ended_on", "End date", line.ended_on), ("event_on", "Date of relapse", line.event_on))
    return [describe_missing_field(line, field, label) for field, label, day in days if day is None]


def _describe_course(lines: Sequence[TherapyLine]) -> tuple[EnteredValue, ...]:
    events = [describe_field(line, "event_on", "Relapse", line.event_on.isoformat()) for line in lines if line.event_on]
    return (*describe_outcomes(lines), *events)


def _describe_missing_outcomes(lines: Sequence[TherapyLine]) -> list[MissingValue]:
    return [describe_missing_field(line, "response", "Outcome") for line in lines if line.outcome is None]
