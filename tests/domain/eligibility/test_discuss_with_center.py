"""What to discuss with the center, and the washout checks against a planned leukapheresis date."""

from datetime import date

import pytest

from chalicelib.domain.eligibility.discuss_with_center import CollectionCheckState
from chalicelib.domain.eligibility.screen_input import LastDose, PriorTransplant, TransplantKind
from tests.support.screen_inputs import build_line, build_patient, screen_with_catalog

PLANNED = date(2026, 12, 15)


def list_raised_flags(**entered):
    """The flags that a patient with these values raises."""
    outcome = screen_with_catalog(build_patient("LBCL", build_line(1), **entered))
    return {flag.flag for flag in outcome.discuss_with_center}


@pytest.mark.parametrize(
    ("entered", "flags"),
    [
        ({"ecog": 1}, set()),
        ({"ecog": 2}, {"ecog"}),
        ({"conditions": {"active_infection": True}}, {"active_infection"}),
        ({"conditions": {"active_infection": False}}, set()),
        ({"conditions": {"hepatitis_or_hiv": True}}, {"hepatitis_or_hiv"}),
        ({"conditions": {"prior_car_t": True, "autoimmune": True}}, {"prior_car_t", "autoimmune"}),
        ({"labs": {"lvef_percent": 40}}, set()),
        ({"labs": {"lvef_percent": 39}}, {"lvef"}),
        ({"labs": {"creatinine_clearance_ml_min": 29.9}}, {"creatinine_clearance"}),
        ({"labs": {"bilirubin_x_uln": 2}}, set()),
        ({"labs": {"bilirubin_x_uln": 2.1}}, {"bilirubin"}),
        ({"labs": {"alt_or_ast_x_uln": 5.5}}, {"alt_or_ast"}),
        ({"labs": {"absolute_lymphocytes_per_ul": 199}}, {"lymphocytes"}),
        ({"labs": {"absolute_lymphocytes_per_ul": 200}}, set()),
    ],
)
def test_a_flag_is_raised_at_its_threshold(entered, flags):
    """At the more lenient threshold of each pair, where sources disagree."""
    assert list_raised_flags(**entered) == flags


def test_flags_do_not_change_the_results():
    """All flags together leave each result unchanged."""
    healthy = build_patient("LBCL", build_line(1), conditions={"cns_involvement": False})
    everything = {
        "ecog": 4,
        "conditions": {
            "active_infection": True,
            "autoimmune": True,
            "cns_involvement": True,
            "hepatitis_or_hiv": True,
            "prior_car_t": True,
            "seizure_disorder": True,
        },
        "labs": {"lvef_percent": 10, "absolute_lymphocytes_per_ul": 1},
    }

    flagged = screen_with_catalog(build_patient("LBCL", build_line(1), **everything))

    assert len(flagged.discuss_with_center) == 9
    assert flagged.results == screen_with_catalog(healthy).results


def test_values_that_were_not_entered_are_listed():
    """A flag that was not raised because nothing was entered is not good news."""
    outcome = screen_with_catalog(build_patient("LBCL", build_line(1), ecog=1))

    pointers = {missing.pointer for missing in outcome.unanswered}
    assert "/clinical/flags/active_infection" in pointers
    assert "/clinical/labs/lvef_percent" in pointers
    assert "/clinical/ecog" not in pointers


def run_checks(*doses, transplant=None, planned=PLANNED):
    """The checks against the planned leukapheresis date, by name."""
    entered = build_patient(
        "LBCL", build_line(1), doses=doses, transplant=transplant or PriorTransplant(), planned_collection_on=planned
    )
    return {check.check: check for check in screen_with_catalog(entered).collection_checks}


def build_dose(agent, day=None, *, given=None):
    return LastDose(agent=agent, last_on=date.fromisoformat(day) if day else None, given=given)


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
