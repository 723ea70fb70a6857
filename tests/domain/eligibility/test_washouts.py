"""The washout checks against a planned leukapheresis date: intervals, their evidence, and where a date comes from."""

import json
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from chalicelib import catalog
from chalicelib.catalog import DISEASES
from chalicelib.catalog.labels import load_label_catalog
from chalicelib.domain.eligibility.screen_input import AgentName, LastDose, PriorTransplant, TransplantKind
from chalicelib.domain.eligibility.washouts import CollectionCheckState, Evidence
from tests.support.screen_inputs import build_line, build_patient, screen_with_catalog

PLANNED = date(2026, 12, 15)
ONE_LINE = (build_line(1),)
CAUTIONS = json.loads(Path(catalog.__file__).with_name("cautions.json").read_text("utf-8"))


def run_checks(*doses, disease="LBCL", lines=ONE_LINE, transplant=None, planned=PLANNED):
    """The checks against the planned leukapheresis date, by name."""
    entered = build_patient(
        disease, *lines, doses=doses, transplant=transplant or PriorTransplant(), planned_collection_on=planned
    )
    return {check.check: check for check in screen_with_catalog(entered).collection_checks}


def build_dose(agent, day=None, *, given=None, daily_mg=None):
    return LastDose(agent=agent, last_on=date.fromisoformat(day) if day else None, given=given, daily_mg=daily_mg)


@pytest.mark.parametrize(
    ("agent", "last_on", "state", "earliest_on"),
    [
        ("bendamustine", "2026-06-15", "clear", "2026-12-15"),
        ("bendamustine", "2026-06-16", "discuss", "2026-12-16"),
        ("bendamustine", "2026-08-31", "discuss", "2027-02-28"),
        ("cytotoxic_chemotherapy", "2026-12-01", "clear", "2026-12-15"),
        ("cytotoxic_chemotherapy", "2026-12-02", "discuss", "2026-12-16"),
        ("corticosteroid", "2026-12-12", "clear", "2026-12-15"),
        ("corticosteroid", "2026-12-13", "discuss", "2026-12-16"),
        ("pembrolizumab", "2026-11-03", "clear", "2026-12-15"),
        ("pembrolizumab", "2026-11-04", "discuss", "2026-12-16"),
        ("immunosuppressant", "2026-12-01", "clear", "2026-12-15"),
        ("immunosuppressant", "2026-12-02", "discuss", "2026-12-16"),
        ("alemtuzumab", "2026-11-03", "clear", "2026-12-15"),
        ("alemtuzumab", "2026-11-04", "discuss", "2026-12-16"),
        ("antithymocyte_globulin", "2026-11-03", "clear", "2026-12-15"),
        ("antithymocyte_globulin", "2026-11-04", "discuss", "2026-12-16"),
        ("cladribine", "2026-06-15", "clear", "2026-12-15"),
        ("cladribine", "2026-06-16", "discuss", "2026-12-16"),
        ("anti_cd38", "2026-11-03", "clear", "2026-12-15"),
        ("anti_cd38", "2026-11-04", "discuss", "2026-12-16"),
        ("proteasome_inhibitor", "2026-11-24", "clear", "2026-12-15"),
        ("proteasome_inhibitor", "2026-11-25", "discuss", "2026-12-16"),
        ("bcma_bispecific", "2026-06-15", "clear", "2026-12-15"),
        ("bcma_bispecific", "2026-06-16", "discuss", "2026-12-16"),
        ("asparaginase", "2026-12-01", "clear", "2026-12-15"),
        ("asparaginase", "2026-12-02", "discuss", "2026-12-16"),
        ("radiotherapy", "2026-11-03", "clear", "2026-12-15"),
        ("radiotherapy", "2026-11-04", "discuss", "2026-12-16"),
    ],
)
def test_a_washout_counts_calendar_days_and_months(agent, last_on, state, earliest_on):
    """The first day after the washout interval is clear."""
    check = run_checks(build_dose(agent, last_on))[agent]

    assert (check.state.value, check.earliest_on) == (state, date.fromisoformat(earliest_on))
    assert check.sources


def test_a_drug_that_was_never_given_is_clear():
    """A drug that was not entered is not."""
    checks = run_checks(build_dose("bendamustine", given=False))

    assert checks["bendamustine"].state is CollectionCheckState.CLEAR
    assert checks["corticosteroid"].state is CollectionCheckState.MISSING
    assert [missing.pointer for missing in checks["corticosteroid"].missing] == ["/clinical/last_doses"]


@pytest.mark.parametrize(
    ("transplant", "state"),
    [
        (PriorTransplant(kind=TransplantKind.NONE), CollectionCheckState.CLEAR),
        (PriorTransplant(kind=TransplantKind.AUTOLOGOUS, on=date(2026, 9, 6)), CollectionCheckState.CLEAR),
        (PriorTransplant(kind=TransplantKind.AUTOLOGOUS, on=date(2026, 9, 7)), CollectionCheckState.DISCUSS),
        (PriorTransplant(kind=TransplantKind.ALLOGENEIC), CollectionCheckState.MISSING),
        (PriorTransplant(), CollectionCheckState.MISSING),
    ],
)
def test_a_transplant_is_clear_after_100_days(transplant, state):
    """100 days after September 6 is December 15."""
    assert run_checks(transplant=transplant)["transplant"].state is state


def test_without_a_planned_date_the_earliest_day_is_shown():
    """The clinic can plan the leukapheresis by it."""
    check = run_checks(build_dose("corticosteroid", "2026-12-12"), planned=None)["corticosteroid"]

    assert (check.state, check.earliest_on) == (CollectionCheckState.MISSING, date(2026, 12, 15))
    assert [missing.pointer for missing in check.missing] == ["/planned_collection_on"]


def test_irradiated_blood_products_start_a_week_before_leukapheresis():
    """It is a task, so nothing needs to be entered for it."""
    check = run_checks()["irradiated_blood"]

    assert (check.state, check.earliest_on) == (CollectionCheckState.DUE, date(2026, 12, 8))


def test_nothing_is_checked_without_a_planned_date_and_doses():
    """A table of blanks would help no one."""
    assert run_checks(planned=None) == {}


@pytest.mark.parametrize(
    ("day", "daily_mg", "state", "earliest_on"),
    [
        ("2026-12-14", 10, "clear", None),
        ("2026-12-14", 10.1, "discuss", date(2026, 12, 17)),
        ("2026-12-14", None, "discuss", date(2026, 12, 17)),
        (None, 5, "clear", None),
        (None, 20, "information_missing", None),
    ],
)
def test_a_corticosteroid_counts_above_10_mg_a_day(day, daily_mg, state, earliest_on):
    """An unknown dose counts like a high one."""
    check = run_checks(build_dose("corticosteroid", day, daily_mg=daily_mg))["corticosteroid"]

    assert (check.state.value, check.earliest_on) == (state, earliest_on)


def test_donor_lymphocytes_have_no_figure_so_the_center_is_asked():
    """However long ago they were given."""
    check = run_checks(build_dose("donor_lymphocytes", "2020-01-01"))["donor_lymphocytes"]

    assert (check.state, check.earliest_on) == (CollectionCheckState.DISCUSS, None)
    never = run_checks(build_dose("donor_lymphocytes", given=False))["donor_lymphocytes"]
    assert never.state is CollectionCheckState.CLEAR


MYELOMA_LINES = (
    build_line(1, "relapsed", "proteasome_inhibitor", "imid", ended_on="2025-01-01"),
    build_line(2, "relapsed", "anti_cd38", regimen="Dara-Pd", ended_on="2026-11-20"),
    build_line(3, "relapsed", regimen="Teclistamab", ended_on="2026-12-01"),
)


@pytest.mark.parametrize(
    ("agent", "from_line", "state"),
    [("proteasome_inhibitor", 1, "clear"), ("anti_cd38", 2, "discuss"), ("bcma_bispecific", 3, "discuss"),
     ("radiotherapy", None, "information_missing")],
)  # fmt: skip
def test_the_end_of_a_line_counts_as_the_last_dose_of_its_classes_and_drugs(agent, from_line, state):
    """It need not be entered twice, and the result shows the line."""
    check = run_checks(disease="MM", lines=MYELOMA_LINES)[agent]

    assert (check.from_line, check.state.value) == (from_line, state)


def test_an_entered_dose_replaces_the_end_of_the_line():
    check = run_checks(build_dose("anti_cd38", "2026-10-01"), disease="MM", lines=MYELOMA_LINES)["anti_cd38"]

    assert (check.from_line, check.state) == (None, CollectionCheckState.CLEAR)


def test_the_most_recent_line_decides_and_its_missing_end_is_asked_for():
    """An earlier line with the class says nothing about the last dose."""
    lines = (*MYELOMA_LINES, build_line(4, "ongoing", "anti_cd38"))

    check = run_checks(disease="MM", lines=lines)["anti_cd38"]

    assert check.state is CollectionCheckState.MISSING
    assert [missing.pointer for missing in check.missing] == ["/clinical/prior_lines/3/ended_on"]


@pytest.mark.parametrize(
    ("disease", "agent", "is_asked"),
    [("B_ALL", "asparaginase", True), ("LBCL", "asparaginase", False), ("MM", "bcma_bispecific", True),
     ("MCL", "proteasome_inhibitor", True), ("FL", "anti_cd38", False)],
)  # fmt: skip
def test_a_treatment_is_asked_about_only_in_its_diseases(disease, agent, is_asked):
    assert (agent in run_checks(disease=disease)) is is_asked


def test_a_treatment_that_was_entered_is_checked_in_every_disease():
    assert "asparaginase" in run_checks(build_dose("asparaginase", "2026-12-02"))


def test_every_treatment_has_an_interval_with_evidence_and_dated_sources():
    rules = load_label_catalog().cautions.washouts
    intervals = [*rules.agents.values(), rules.transplant, rules.irradiated_blood]

    assert set(rules.agents) == set(get_args(AgentName))
    for interval in intervals:
        assert interval.sources
        assert all(date.fromisoformat(each.source.as_of) <= date(2026, 11, 29) for each in interval.sources)
        assert interval.diseases <= set(DISEASES)


def test_what_is_only_practice_says_so_in_words():
    """And nothing without a figure claims more than practice."""
    for interval in load_label_catalog().cautions.washouts.agents.values():
        assert interval.evidence is not Evidence.PRACTICE or interval.note
        assert interval.has_figure or interval.evidence is Evidence.PRACTICE


def test_every_source_of_the_cautions_is_used():
    rows = [*CAUTIONS["flags"], *CAUTIONS["washouts"], CAUTIONS["transplant"], CAUTIONS["irradiated_blood"]]
    used = {anchor["source"] for row in rows for anchor in row["anchors"]}

    assert used == {source["source_id"] for source in CAUTIONS["sources"]}
