"""The one state that people see first, who acts next, and until when."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.coverage.display import CoverageState, compute_display
from chalicelib.domain.referrals.coverage_status import TrackStatus, VerificationState
from tests.support.coverage_values import APPROVED, CLEARED, DENIED, PATHS, SUBMITTED, TODAY, build_facts, day, play

NEXT = {
    "not_started": ("practice", None),
    "verifying": ("payer", None),
    "unable_to_verify": ("practice", None),
    "verified": ("practice", day(30)),
    "to_submit": ("center", None),
    "submitted": ("payer", None),
    "more_info": ("practice", day(5)),
    "denied": ("practice", day(179)),
    "appeal": ("payer", day(30)),
    "approved": ("center", day(120)),
    "agreement_open": ("center", None),
    "cleared": ("none", day(60)),
    "plan_changed": ("practice", None),
}


def display(*steps, days=0):
    return compute_display(play(*steps).status, today=TODAY + timedelta(days=days))


@pytest.mark.parametrize("state", PATHS)
def test_the_first_rule_that_matches_is_shown_with_who_acts_next(state):
    """Every state that moves lead to."""
    shown = display(*PATHS[state])

    until = shown.until.isoformat() if shown.until else None
    assert (shown.state, shown.next_actor, until) == (state, *NEXT[state])


def test_every_state_is_reached_or_follows_from_a_date_or_the_insurance():
    """No state is dead."""
    assert set(CoverageState) == {*PATHS, "expired", "not_applicable"}


def test_a_patient_without_insurance_has_nothing_to_verify():
    """The next step is financial help."""
    shown = compute_display(TrackStatus(verification=VerificationState.NOT_APPLICABLE), today=TODAY)

    assert (shown.state, shown.next_step) == ("not_applicable", "Look for financial help")


@pytest.mark.parametrize(
    ("steps", "days", "state"),
    [
        (("result_recorded",), 30, "verified"),
        (("result_recorded",), 31, "expired"),
        ((*CLEARED, ("result_recorded", {"valid_until": day(90)})), 60, "cleared"),
        ((*CLEARED, ("result_recorded", {"valid_until": day(90)})), 61, "approved"),
        ((*APPROVED, ("result_recorded", {"valid_until": ...})), 121, "expired"),
        ((("result_recorded", {"plan_year": "calendar", "valid_until": ...}),), 60, "plan_changed"),
    ],
)
def test_what_has_ended_does_not_count_even_if_no_job_has_run(steps, days, state):
    """A late job shows no cleared patient."""
    assert display(*steps, days=days).state == state


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ((*DENIED, "appeal_filed", "appeal_lost"), "Appeal again or request an external review"),
        ((*DENIED, "peer_to_peer_arranged"), "Hold the peer-to-peer call, then record its outcome"),
        (("result_recorded", "authorization_not_required"), "Record the clearance"),
        (
            (*APPROVED, "plan_changed", "result_recorded"),
            "Ask the new plan whether the earlier authorization still counts",
        ),
        (("result_recorded", "agreement_needed", "agreement_failed"), "Discuss the next step with the practice"),
    ],
)
def test_the_next_step_names_what_is_left_to_do(steps, step):
    """It depends on more than the state."""
    assert display(*steps).next_step == step


def test_an_approval_of_an_earlier_plan_does_not_expire_the_new_one():
    """It counts as unknown until the new plan confirms it."""
    steps = (*APPROVED, "plan_changed", ("result_recorded", {"valid_until": ...}))

    assert display(*steps, days=130).state == "verified"


def test_the_expected_decision_is_shown_when_a_person_entered_it():
    """The table only proposes."""
    expected = build_facts("authorization_submitted")["submitted_on"]
    steps = (*SUBMITTED[:-1], ("authorization_submitted", {"decision_by": day(4)}))

    assert display(*steps).until == date.fromisoformat(day(4))
    assert expected < day(4)


def test_an_elapsed_clearance_leaves_the_other_dates():
    """Only what has ended falls."""
    status = replace(play(*CLEARED).status, verified_until=None)

    assert compute_display(status, today=TODAY + timedelta(days=61)).until == date.fromisoformat(day(120))


@pytest.mark.parametrize("days", [0, 400])
def test_no_one_acts_next_for_a_closed_referral(days):
    """It stays what was recorded: no one verifies the benefits of a patient who died."""
    shown = compute_display(play(*APPROVED).status, today=TODAY + timedelta(days=days), is_closed=True)

    assert (shown.state, shown.next_actor, shown.next_step, shown.until) == ("approved", "none", "", None)


def test_a_patient_without_insurance_has_no_plan_year_that_ends():
    """The insurance was removed after it was verified."""
    status = replace(
        play(("result_recorded", {"plan_year": "calendar", "valid_until": ...})).status,
        verification=VerificationState.NOT_APPLICABLE,
    )

    assert compute_display(status, today=TODAY + timedelta(days=90)).state == "not_applicable"
