"""Entries that cannot be true at once, and where each of them stands."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.eligibility.input_checks import faults_of
from chalicelib.domain.eligibility.screen_input import Dose, ScreenInput, Transplant, TransplantKind
from tests.support.patients import TODAY, line, patient

TOMORROW = TODAY + timedelta(days=1)
IN_TWO_DAYS = (TODAY + timedelta(days=2)).isoformat()

LINES = "/clinical/prior_lines"


def faults(entered: ScreenInput):
    return [(fault.pointer, fault.code) for fault in faults_of(entered, today=TODAY)]


def twice():
    """Line 1, then line 1 again."""
    return (line(1), replace(line(1), place=1))


@pytest.mark.parametrize(
    ("entered", "found"),
    [
        (patient("LBCL", *twice()), [(f"{LINES}/1/line", "line_twice")]),
        (
            patient("LBCL", line(1, started_on="2026-02-01", event_on="2026-01-31")),
            [(f"{LINES}/0/event_on", "before_start")],
        ),
        (
            patient("LBCL", line(1, started_on="2026-02-01", ended_on="2026-01-31")),
            [(f"{LINES}/0/ended_on", "before_start")],
        ),
        (
            patient("LBCL", line(1, started_on=IN_TWO_DAYS)),
            [(f"{LINES}/0/started_on", "in_the_future")],
        ),
        (
            patient("LBCL", line(1, event_on=IN_TWO_DAYS)),
            [(f"{LINES}/0/event_on", "in_the_future")],
        ),
        (
            patient("LBCL", line(1, started_on="2026-02-01"), line(2, started_on="2026-01-01")),
            [(f"{LINES}/1/started_on", "out_of_order")],
        ),
        (
            patient("LBCL", line(1, "ongoing", ended_on="2026-02-01")),
            [(f"{LINES}/0/response", "contradicts")],
        ),
        (
            patient("B_ALL", line(1, started_on="2015-12-31"), age=10),
            [],
        ),
        (
            patient("B_ALL", line(1, started_on="2014-12-31"), age=10),
            [(f"{LINES}/0/started_on", "before_birth")],
        ),
        (
            patient("LBCL", histology="PRIMARY_CNS", conditions={"cns_involvement": False}),
            [("/clinical/flags/cns_involvement", "contradicts")],
        ),
        (
            patient(
                "MM", line(1, "refractory", regimen="Lenalidomide"), lenalidomide_refractory=False
            ),
            [("/clinical/lenalidomide_refractory", "contradicts")],
        ),
        (
            patient("LBCL", transplant=Transplant(kind=TransplantKind.NONE, on=date(2026, 1, 1))),
            [("/clinical/transplant/on", "contradicts")],
        ),
        (
            patient(
                "LBCL",
                transplant=Transplant(kind=TransplantKind.AUTOLOGOUS, on=TODAY + timedelta(days=2)),
            ),
            [("/clinical/transplant/on", "in_the_future")],
        ),
        (
            patient(
                "LBCL", doses=(Dose(agent="bendamustine"), Dose(agent="bendamustine", place=1))
            ),
            [("/clinical/last_doses/1/agent", "agent_twice")],
        ),
        (
            patient("LBCL", doses=(Dose(agent="bendamustine", given=False, last_on=TODAY),)),
            [("/clinical/last_doses/0/last_on", "contradicts")],
        ),
        (
            patient(
                "LBCL",
                doses=(Dose(agent="corticosteroid", last_on=TOMORROW),),
                planned_collection_on=TODAY,
            ),
            [("/clinical/last_doses/0/last_on", "after_collection")],
        ),
        (
            patient("LBCL", planned_collection_on=TODAY - timedelta(days=2)),
            [("/planned_collection_on", "in_the_past")],
        ),
    ],
)
def test_a_contradiction_is_found_at_its_place(entered, found):
    """One fault each, where the form shows it."""
    assert faults(entered) == found


def test_a_day_that_has_come_somewhere_is_no_fault():
    """In Guam it is tomorrow while UTC's date is today's; in Honolulu it is still yesterday."""
    ahead = patient("LBCL", line(1, event_on=TOMORROW.isoformat()))
    behind = patient("LBCL", planned_collection_on=TODAY - timedelta(days=1))

    assert faults(ahead) == faults(behind) == []


def test_every_fault_is_told_at_once():
    """Nobody sends the same form five times."""
    entered = patient(
        "LBCL",
        *twice(),
        line(3, started_on="2026-02-01", ended_on="2026-01-31"),
        planned_collection_on=date(2020, 1, 1),
    )

    assert len(faults(entered)) == 3
