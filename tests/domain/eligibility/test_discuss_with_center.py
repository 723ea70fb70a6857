"""What to talk about with a center, and the checks against a planned collection."""

from datetime import date

import pytest

from chalicelib.domain.eligibility.discuss_with_center import CollectionCheckState
from chalicelib.domain.eligibility.screen_input import LastDose, PriorTransplant, TransplantKind
from tests.support.screen_inputs import build_line, build_patient, screen_with_catalog

PLANNED = date(2026, 12, 15)


def raised(**entered):
    return {
        flag.flag for flag in screen_with_catalog(build_patient("LBCL", build_line(1), **entered)).discuss_with_center
    }


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
    """The lenient figure of each pair, where sources disagree."""
    assert raised(**entered) == flags


def test_a_flag_decides_nothing():
    """Every one of them at once leaves each result as it was."""
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

    ill = screen_with_catalog(build_patient("LBCL", build_line(1), **everything))

    assert len(ill.discuss_with_center) == 9
    assert ill.results == screen_with_catalog(healthy).results


def test_what_nobody_asked_is_named():
    """A flag that was not raised because nobody looked is no good news."""
    screening = screen_with_catalog(build_patient("LBCL", build_line(1), ecog=1))

    places = {missing.pointer for missing in screening.unanswered}
    assert "/clinical/flags/active_infection" in places
    assert "/clinical/labs/lvef_percent" in places
    assert "/clinical/ecog" not in places


def checks(*doses, transplant=None, planned=PLANNED):
    entered = build_patient(
        "LBCL", build_line(1), doses=doses, transplant=transplant or PriorTransplant(), planned_collection_on=planned
    )
    return {check.check: check for check in screen_with_catalog(entered).collection_checks}


def dose(agent, day=None, *, given=None):
    return LastDose(agent=agent, last_on=date.fromisoformat(day) if day else None, given=given)


@pytest.mark.parametrize(
    ("agent", "last_on", "state", "clear_from"),
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
def test_a_washout_is_counted_in_calendar_days_and_months(agent, last_on, state, clear_from):
    """The first day that is far enough counts as clear."""
    check = checks(dose(agent, last_on))[agent]

    assert (check.state.value, check.earliest_on) == (state, date.fromisoformat(clear_from))
    assert check.sources


def test_a_drug_that_was_never_given_is_clear():
    """And one that nobody spoke of is not."""
    told = checks(dose("bendamustine", given=False))

    assert told["bendamustine"].state is CollectionCheckState.CLEAR
    assert told["corticosteroid"].state is CollectionCheckState.MISSING
    assert [m.pointer for m in told["corticosteroid"].missing] == ["/clinical/last_doses"]


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
def test_a_transplant_is_a_hundred_days_back(transplant, state):
    """6 September and a hundred days is 15 December."""
    assert checks(transplant=transplant)["transplant"].state is state


def test_without_a_planned_day_the_first_clear_day_is_told():
    """It is what one plans the day by."""
    check = checks(dose("corticosteroid", "2026-12-12"), planned=None)["corticosteroid"]

    assert (check.state, check.earliest_on) == (CollectionCheckState.MISSING, date(2026, 12, 15))
    assert [missing.pointer for missing in check.missing] == ["/planned_collection_on"]


def test_irradiated_blood_starts_a_week_before():
    """Nothing was entered for it: it is a thing to do."""
    check = checks()["irradiated_blood"]

    assert (check.state, check.earliest_on) == (CollectionCheckState.DUE, date(2026, 12, 8))


def test_nothing_is_checked_where_no_collection_is_thought_of():
    """Neither a day nor a dose: no table of blanks."""
    assert checks(planned=None) == {}
