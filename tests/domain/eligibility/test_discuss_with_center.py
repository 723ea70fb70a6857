"""What to discuss with the center: answers, lab values and a histology that raise a flag."""

from datetime import date

import pytest

from tests.support.screen_inputs import build_line, build_patient, screen_with_catalog


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
        ({"conditions": {"pregnancy": True}}, {"pregnancy"}),
        ({"conditions": {"pregnancy": False}}, set()),
        ({"conditions": {"caregiver_available": True, "can_stay_nearby": True}}, set()),
        ({"conditions": {"caregiver_available": False}}, {"caregiver_available"}),
        ({"conditions": {"can_stay_nearby": False}}, {"can_stay_nearby"}),
        ({"histology": "PRIMARY_CNS"}, {"cns_involvement"}),
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
    assert "/clinical/flags/caregiver_available" in pointers
    assert "/clinical/last_imaging_on" in pointers
    assert "/clinical/labs/lvef_percent" in pointers
    assert "/clinical/ecog" not in pointers


def test_a_date_of_imaging_is_an_answer():
    outcome = screen_with_catalog(build_patient("LBCL", build_line(1), last_imaging_on=date(2026, 11, 2)))

    assert "/clinical/last_imaging_on" not in {missing.pointer for missing in outcome.unanswered}
