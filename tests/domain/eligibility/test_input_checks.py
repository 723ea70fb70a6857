"""Contradictory input, and the field that each contradiction names."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.eligibility.input_checks import find_input_faults
from chalicelib.domain.eligibility.screen_input import LastDose, PriorTransplant, ScreenInput, TransplantKind
from tests.support.screen_inputs import TODAY, build_line, build_patient

TOMORROW = TODAY + timedelta(days=1)
IN_TWO_DAYS = (TODAY + timedelta(days=2)).isoformat()

LINES = "/clinical/prior_lines"


def list_faults(entered: ScreenInput):
    """The pointer and the code of each fault."""
    return [(fault.pointer, fault.code) for fault in find_input_faults(entered, today=TODAY)]


def build_line_twice():
    """Line 1, then line 1 again."""
    return (build_line(1), replace(build_line(1), position=1))


@pytest.mark.parametrize(
    ("entered", "found"),
    [
        (build_patient("LBCL", *build_line_twice()), [(f"{LINES}/1/line", "line_twice")]),
        (
            build_patient("LBCL", build_line(1, started_on="2026-02-01", event_on="2026-01-31")),
            [(f"{LINES}/0/event_on", "before_start")],
        ),
        (
            build_patient("LBCL", build_line(1, started_on="2026-02-01", ended_on="2026-01-31")),
            [(f"{LINES}/0/ended_on", "before_start")],
        ),
        (build_patient("LBCL", build_line(1, started_on=IN_TWO_DAYS)), [(f"{LINES}/0/started_on", "in_the_future")]),
        (build_patient("LBCL", build_line(1, event_on=IN_TWO_DAYS)), [(f"{LINES}/0/event_on", "in_the_future")]),
        (
            build_patient("LBCL", build_line(1, started_on="2026-02-01"), build_line(2, started_on="2026-01-01")),
            [(f"{LINES}/1/started_on", "out_of_order")],
        ),
        (
            build_patient("LBCL", build_line(1, "ongoing", ended_on="2026-02-01")),
            [(f"{LINES}/0/response", "contradicts")],
        ),
        (build_patient("B_ALL", build_line(1, started_on="2015-12-31"), age=10), []),
        (
            build_patient("B_ALL", build_line(1, started_on="2014-12-31"), age=10),
            [(f"{LINES}/0/started_on", "before_birth")],
        ),
        (
            build_patient("LBCL", histology="PRIMARY_CNS", conditions={"cns_involvement": False}),
            [("/clinical/flags/cns_involvement", "contradicts")],
        ),
        (
            build_patient("MM", build_line(1, "refractory", regimen="Lenalidomide"), lenalidomide_refractory=False),
            [("/clinical/lenalidomide_refractory", "contradicts")],
        ),
        (
            build_patient("LBCL", transplant=PriorTransplant(kind=TransplantKind.NONE, on=date(2026, 1, 1))),
            [("/clinical/transplant/on", "contradicts")],
        ),
        (
            build_patient(
                "LBCL", transplant=PriorTransplant(kind=TransplantKind.AUTOLOGOUS, on=TODAY + timedelta(days=2))
            ),
            [("/clinical/transplant/on", "in_the_future")],
        ),
        (
            build_patient("LBCL", doses=(LastDose(agent="bendamustine"), LastDose(agent="bendamustine", position=1))),
            [("/clinical/last_doses/1/agent", "agent_twice")],
        ),
        (
            build_patient("LBCL", doses=(LastDose(agent="bendamustine", given=False, last_on=TODAY),)),
            [("/clinical/last_doses/0/last_on", "contradicts")],
        ),
        (
            build_patient(
                "LBCL", doses=(LastDose(agent="corticosteroid", last_on=TOMORROW),), planned_collection_on=TODAY
            ),
            [("/clinical/last_doses/0/last_on", "after_collection")],
        ),
        (
            build_patient("LBCL", planned_collection_on=TODAY - timedelta(days=2)),
            [("/planned_collection_on", "in_the_past")],
        ),
    ],
    ids=[
        "line entered twice",
        "relapse before the start",
        "end before the start",
        "start in the future",
        "relapse in the future",
        "lines out of order",
        "ongoing with an end date",
        "line in the year of birth",
        "line before birth",
        "primary CNS lymphoma without CNS involvement",
        "lenalidomide: refractory line, answer no",
        "transplant date without a transplant",
        "transplant in the future",
        "drug entered twice",
        "date of a drug never given",
        "dose after the planned leukapheresis",
        "planned leukapheresis in the past",
    ],
)
def test_a_contradiction_names_its_field(entered, found):
    """One fault each, at the field that the form shows."""
    assert list_faults(entered) == found


def test_a_date_that_is_today_in_some_us_time_zone_is_no_fault():
    """In Guam it is tomorrow by the UTC date; in Honolulu it is still yesterday."""
    ahead = build_patient("LBCL", build_line(1, event_on=TOMORROW.isoformat()))
    behind = build_patient("LBCL", planned_collection_on=TODAY - timedelta(days=1))

    assert list_faults(ahead) == list_faults(behind) == []


def test_all_faults_are_found_at_once():
    """No one has to send the same form several times."""
    entered = build_patient(
        "LBCL",
        *build_line_twice(),
        build_line(3, started_on="2026-02-01", ended_on="2026-01-31"),
        planned_collection_on=date(2020, 1, 1),
    )

    assert len(list_faults(entered)) == 3
