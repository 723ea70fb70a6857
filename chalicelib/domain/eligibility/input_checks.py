"""What contradicts itself in what was entered for a screen: refused, with the place named."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from chalicelib.domain.eligibility.label_rules import is_primary_cns
from chalicelib.domain.eligibility.prior_therapy import LINES_POINTER, sort_lines
from chalicelib.domain.eligibility.screen_input import LineOutcome, ScreenInput, TherapyLine, TransplantKind
from chalicelib.domain.eligibility.therapy_line_rules import find_refractory_lines
from chalicelib.errors import FieldError

TIME_ZONE_MARGIN = timedelta(days=1)
"""Somewhere in the United States it is already tomorrow by UTC's date, or still yesterday."""


def find_input_faults(screen_input: ScreenInput, *, today: date) -> tuple[FieldError, ...]:
    """Everything that cannot be true at once, in the order of the form."""
    return (
        *_check_duplicate_lines(screen_input),
        *(fault for line in sort_lines(screen_input) for fault in _check_line_dates(line, today)),
        *_check_line_order(sort_lines(screen_input)),
        *_check_against_birth(screen_input, today),
        *_check_contradictions(screen_input),
        *_check_transplant(screen_input, today),
        *_check_doses(screen_input),
        *_check_planned_collection(screen_input, today),
    )


def _check_duplicate_lines(screen_input: ScreenInput) -> Iterator[FieldError]:
    seen: set[int] = set()
    for line in sorted(screen_input.lines or (), key=lambda line: line.position):
        if line.number in seen:
            yield FieldError(_line_pointer(line, "line"), "line_twice", "This line was entered twice")
        seen.add(line.number)


def _check_line_dates(line: TherapyLine, today: date) -> Iterator[FieldError]:
    days = (("started_on", line.started_on), ("ended_on", line.ended_on), ("event_on", line.event_on))
    for field, day in days:
        if day and day > today + TIME_ZONE_MARGIN:
            yield FieldError(_line_pointer(line, field), "in_the_future", "This day has not come yet")
    if line.started_on and line.ended_on and line.ended_on < line.started_on:
        yield FieldError(_line_pointer(line, "ended_on"), "before_start", "The line ended before it began")
    if line.started_on and line.event_on and line.event_on < line.started_on:
        yield FieldError(_line_pointer(line, "event_on"), "before_start", "The relapse lies before the line began")
    if line.outcome is LineOutcome.ONGOING and line.ended_on:
        yield FieldError(_line_pointer(line, "response"), "contradicts", "A line that has ended is not ongoing")


def _check_line_order(lines: Sequence[TherapyLine]) -> Iterator[FieldError]:
    begun = [(line, line.started_on) for line in lines if line.started_on]
    for (_, earlier), (line, started_on) in pairwise(begun):
        if started_on < earlier:
            yield FieldError(_line_pointer(line, "started_on"), "out_of_order", "An earlier line began later")


def _check_against_birth(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    if screen_input.age is None:
        return
    born_from = today.year - screen_input.age - 1
    for line in sort_lines(screen_input):
        days = (line.started_on, line.ended_on, line.event_on)
        fields = ("started_on", "ended_on", "event_on")
        for field, day in zip(fields, days, strict=True):
            if day and day.year < born_from:
                yield FieldError(_line_pointer(line, field), "before_birth", "It lies before the patient's birth")


def _check_contradictions(screen_input: ScreenInput) -> Iterator[FieldError]:
    if is_primary_cns(screen_input) and screen_input.conditions.get("cns_involvement") is False:
        yield FieldError(
            "/clinical/flags/cns_involvement", "contradicts", "Primary CNS lymphoma involves the central nervous system"
        )
    if screen_input.lenalidomide_refractory is False and find_refractory_lines(screen_input, "lenalidomide"):
        yield FieldError(
            "/clinical/lenalidomide_refractory",
            "contradicts",
            "A line of therapy says that the disease was refractory to lenalidomide",
        )


def _check_transplant(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    transplant = screen_input.transplant
    if transplant.on and transplant.kind is TransplantKind.NONE:
        yield FieldError("/clinical/transplant/on", "contradicts", "There was no transplant")
    if transplant.on and transplant.on > today + TIME_ZONE_MARGIN:
        yield FieldError("/clinical/transplant/on", "in_the_future", "This day has not come yet")


def _check_doses(screen_input: ScreenInput) -> Iterator[FieldError]:
    seen: set[str] = set()
    for dose in sorted(screen_input.doses, key=lambda dose: dose.position):
        at = f"/clinical/last_doses/{dose.position}"
        if dose.agent in seen:
            yield FieldError(f"{at}/agent", "agent_twice", "This drug was entered twice")
        seen.add(dose.agent)
        if dose.last_on and dose.given is False:
            yield FieldError(f"{at}/last_on", "contradicts", "The drug was never given")
        planned = screen_input.planned_collection_on
        if planned and dose.last_on and dose.last_on > planned:
            yield FieldError(f"{at}/last_on", "after_collection", "It lies after the planned collection")


def _check_planned_collection(screen_input: ScreenInput, today: date) -> Iterator[FieldError]:
    if screen_input.planned_collection_on and screen_input.planned_collection_on < today - TIME_ZONE_MARGIN:
        yield FieldError("/planned_collection_on", "in_the_past", "This day has passed")


def _line_pointer(line: TherapyLine, field: str) -> str:
    return f"{LINES_POINTER}/{line.position}/{field}"
