"""Contradictions in what was entered for an eligibility check. Each names the field to fix."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from chalicelib.domain.eligibility.histologies import NOT_LISTED, is_listed, is_primary_cns
from chalicelib.domain.eligibility.prior_therapy import LINES_POINTER, sort_lines
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine, TransplantKind
from chalicelib.domain.eligibility.therapy_line_rules import find_refractory_lines
from chalicelib.errors import FieldError

TIME_ZONE_MARGIN = timedelta(days=1)
"""By the UTC date, it is already tomorrow somewhere in the United States, or still yesterday."""

_IN_THE_FUTURE = "This date is in the future. Enter a past date."


def find_input_faults(screen_input: ScreenInput, *, today: date) -> tuple[FieldError, ...]:
    """Find everything that cannot be true at the same time, in the order of the form."""
    return (
        *_check_histology(screen_input),
        *_check_duplicate_lines(screen_input),
        *(fault for line in sort_lines(screen_input) for fault in _check_line_dates(line, today)),
        *_check_line_order(sort_lines(screen_input)),
        *_check_against_birth(screen_input, today),
        *_check_contradictions(screen_input),
        *_check_transplant(screen_input, today),
        *_check_doses(screen_input),
        *_check_imaging(screen_input, today),
        *_check_planned_collection(screen_input, today),
    )


def _check_histology(screen_input: ScreenInput) -> Iterator[FieldError]:
    if screen_input.histology is not None and not is_listed(screen_input.disease, screen_input.histology):
        yield FieldError("/clinical/histology", "not_listed", NOT_LISTED)


def _check_duplicate_lines(screen_input: ScreenInput) -> Iterator[FieldError]:
    seen: set[int] = set()
    for line in sorted(screen_input.lines or (), key=lambda line: line.position):
        if line.number in seen:
            yield FieldError(
                _line_pointer(line, "line"), "line_twice", "This line of therapy is entered twice. Remove one."
            )
        seen.add(line.number)


def _check_line_dates(line: TherapyLine, today: date) -> Iterator[FieldError]:
    days = (("started_on", line.started_on), ("ended_on", line.ended_on), ("event_on", line.event_on))
    for field, day in days:
        if day and day > today + TIME_ZONE_MARGIN:
            yield FieldError(_line_pointer(line, field), "in_the_future", _IN_THE_FUTURE)
    if line.started_on and line.ended_on and line.ended_on < line.started_on:
        yield FieldError(_line_pointer(line, "ended_on"), "before_start", "The end date is before the start date.")
    if line.started_on and line.event_on and line.event_on < line.started_on:
        yield FieldError(
            _line_pointer(line, "event_on"), "before_start", "The relapse date is before the start of this line."
        )
    if line.outcome is LineOutcome.ONGOING and line.ended_on:
        yield FieldError(
            _line_pointer(line, "response"),
            "contradicts",
            "This line has an end date, so the outcome cannot be \u201cOngoing.\u201d",
        )


def _check_line_order(lines: Sequence[TherapyLine]) -> Iterator[FieldError]:
    started = [(line, line.started_on) for line in lines if line.started_on]
    for (_, earlier), (line, started_on) in pairwise(started):
        if started_on < earlier:
            yield FieldError(
                _line_pointer(line, "started_on"),
                "out_of_order",
                "This line starts before an earlier line. Check the start dates.",
            )


def _check_against_birth(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    if screen_input.age is None:
        return
    earliest_birth_year = today.year - screen_input.age - 1
    for line in sort_lines(screen_input):
        days = (line.started_on, line.ended_on, line.event_on)
        fields = ("started_on", "ended_on", "event_on")
        for field, day in zip(fields, days, strict=True):
            if day and day.year < earliest_birth_year:
                yield FieldError(
                    _line_pointer(line, field), "before_birth", "This date is before the patient's date of birth."
                )


def _check_contradictions(screen_input: ScreenInput) -> Iterator[FieldError]:
    if is_primary_cns(screen_input.histology) and screen_input.conditions.get("cns_involvement") is False:
        yield FieldError(
            "/clinical/flags/cns_involvement",
            "contradicts",
            "Primary CNS lymphoma means CNS involvement. Change one of the two answers.",
        )
    if screen_input.lenalidomide_refractory is False and find_refractory_lines(screen_input, "lenalidomide"):
        yield FieldError(
            "/clinical/lenalidomide_refractory",
            "contradicts",
            "A line of therapy shows disease refractory to lenalidomide. Change one of the two answers.",
        )


def _check_transplant(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    transplant = screen_input.transplant
    if transplant.on and transplant.kind is TransplantKind.NONE:
        yield FieldError(
            "/clinical/transplant/on",
            "contradicts",
            "You answered No to prior transplant. Remove this date or change the answer.",
        )
    if transplant.on and transplant.on > today + TIME_ZONE_MARGIN:
        yield FieldError("/clinical/transplant/on", "in_the_future", _IN_THE_FUTURE)


def _check_doses(screen_input: ScreenInput) -> Iterator[FieldError]:
    seen: set[str] = set()
    for dose in sorted(screen_input.doses, key=lambda dose: dose.position):
        pointer = f"/clinical/last_doses/{dose.position}"
        if dose.agent in seen:
            yield FieldError(f"{pointer}/agent", "agent_twice", "This drug is entered twice. Remove one.")
        seen.add(dose.agent)
        if dose.last_on and dose.given is False:
            yield FieldError(
                f"{pointer}/last_on",
                "contradicts",
                "You marked this drug as never given. Remove the date or clear the mark.",
            )
        if dose.daily_mg is not None and dose.agent != "corticosteroid":
            yield FieldError(f"{pointer}/daily_mg", "not_used", "Only a corticosteroid has a daily dose here.")
        planned = screen_input.planned_collection_on
        if planned and dose.last_on and dose.last_on > planned:
            yield FieldError(f"{pointer}/last_on", "after_collection", "This date is after the planned leukapheresis.")


def _check_imaging(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    if screen_input.last_imaging_on and screen_input.last_imaging_on > today + TIME_ZONE_MARGIN:
        yield FieldError("/clinical/last_imaging_on", "in_the_future", _IN_THE_FUTURE)


def _check_planned_collection(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    if screen_input.planned_collection_on and screen_input.planned_collection_on < today - TIME_ZONE_MARGIN:
        yield FieldError("/planned_collection_on", "in_the_past", "This date has passed. Enter today or a future date.")


def _line_pointer(line: TherapyLine, field: str) -> str:
    return f"{LINES_POINTER}/{line.position}/{field}"
