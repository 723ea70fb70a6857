"""What contradicts itself in what was entered for a screen: refused, with the place named."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from chalicelib.domain.eligibility.label_rules import is_primary_cns
from chalicelib.domain.eligibility.prior_therapy import LINES, ordered
from chalicelib.domain.eligibility.screen_input import Line, Outcome, ScreenInput, TransplantKind
from chalicelib.domain.eligibility.therapy_line_rules import refractory_with
from chalicelib.errors import Fault

A_DAY = timedelta(days=1)
"""Somewhere in the United States it is already tomorrow by UTC's date, or still yesterday."""


def faults_of(entered: ScreenInput, *, today: date) -> tuple[Fault, ...]:
    """Everything that cannot be true at once, in the order of the form."""
    return (
        *_lines_twice(entered),
        *(fault for line in ordered(entered) for fault in _line(line, today)),
        *_lines_out_of_order(ordered(entered)),
        *_before_birth(entered, today),
        *_answers(entered),
        *_transplant(entered, today),
        *_doses(entered),
        *_planned(entered, today),
    )


def _lines_twice(entered: ScreenInput) -> Iterator[Fault]:
    seen: set[int] = set()
    for line in sorted(entered.lines or (), key=lambda line: line.place):
        if line.number in seen:
            yield Fault(_at(line, "line"), "line_twice", "This line was entered twice")
        seen.add(line.number)


def _line(line: Line, today: date) -> Iterator[Fault]:
    days = (
        ("started_on", line.started_on),
        ("ended_on", line.ended_on),
        ("event_on", line.event_on),
    )
    for field, day in days:
        if day and day > today + A_DAY:
            yield Fault(_at(line, field), "in_the_future", "This day has not come yet")
    if line.started_on and line.ended_on and line.ended_on < line.started_on:
        yield Fault(_at(line, "ended_on"), "before_start", "The line ended before it began")
    if line.started_on and line.event_on and line.event_on < line.started_on:
        yield Fault(_at(line, "event_on"), "before_start", "The relapse lies before the line began")
    if line.outcome is Outcome.ONGOING and line.ended_on:
        yield Fault(_at(line, "response"), "contradicts", "A line that has ended is not ongoing")


def _lines_out_of_order(lines: Sequence[Line]) -> Iterator[Fault]:
    begun = [(line, line.started_on) for line in lines if line.started_on]
    for (_, earlier), (line, started_on) in pairwise(begun):
        if started_on < earlier:
            yield Fault(_at(line, "started_on"), "out_of_order", "An earlier line began later")


def _before_birth(entered: ScreenInput, today: date) -> Iterator[Fault]:
    if entered.age is None:
        return
    born_from = today.year - entered.age - 1
    for line in ordered(entered):
        days = (line.started_on, line.ended_on, line.event_on)
        fields = ("started_on", "ended_on", "event_on")
        for field, day in zip(fields, days, strict=True):
            if day and day.year < born_from:
                yield Fault(_at(line, field), "before_birth", "It lies before the patient's birth")


def _answers(entered: ScreenInput) -> Iterator[Fault]:
    if is_primary_cns(entered) and entered.conditions.get("cns_involvement") is False:
        yield Fault(
            "/clinical/flags/cns_involvement",
            "contradicts",
            "Primary CNS lymphoma involves the central nervous system",
        )
    if entered.lenalidomide_refractory is False and refractory_with(entered, "lenalidomide"):
        yield Fault(
            "/clinical/lenalidomide_refractory",
            "contradicts",
            "A line of therapy says that the disease was refractory to lenalidomide",
        )


def _transplant(entered: ScreenInput, today: date) -> Iterator[Fault]:
    transplant = entered.transplant
    if transplant.on and transplant.kind is TransplantKind.NONE:
        yield Fault("/clinical/transplant/on", "contradicts", "There was no transplant")
    if transplant.on and transplant.on > today + A_DAY:
        yield Fault("/clinical/transplant/on", "in_the_future", "This day has not come yet")


def _doses(entered: ScreenInput) -> Iterator[Fault]:
    seen: set[str] = set()
    for dose in sorted(entered.doses, key=lambda dose: dose.place):
        at = f"/clinical/last_doses/{dose.place}"
        if dose.agent in seen:
            yield Fault(f"{at}/agent", "agent_twice", "This drug was entered twice")
        seen.add(dose.agent)
        if dose.last_on and dose.given is False:
            yield Fault(f"{at}/last_on", "contradicts", "The drug was never given")
        planned = entered.planned_collection_on
        if planned and dose.last_on and dose.last_on > planned:
            yield Fault(f"{at}/last_on", "after_collection", "It lies after the planned collection")


def _planned(entered: ScreenInput, today: date) -> Iterator[Fault]:
    if entered.planned_collection_on and entered.planned_collection_on < today - A_DAY:
        yield Fault("/planned_collection_on", "in_the_past", "This day has passed")


def _at(line: Line, field: str) -> str:
    return f"{LINES}/{line.place}/{field}"
