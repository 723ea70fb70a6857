"""Mistakes in what a referral's history means: clocks, repeats, endings and reopenings."""

from tests.simulation.known_mutant import KnownMutant

_ENDINGS = "chalicelib/domain/referrals/endings.py"
_EVENT_PATH = "chalicelib/domain/referrals/event_path.py"
_DECISION_TESTS = "tests/domain/referrals/test_apply_event.py"
_ENDING_TESTS = "tests/routes/referrals/test_endings.py"

HISTORY_MUTANTS: tuple[KnownMutant, ...] = (
    KnownMutant(
        "a death does not count if a later step was reported",
        _ENDINGS,
        "    if deaths:\n",
        "    if False:\n",
        f"{_DECISION_TESTS}::test_a_death_applies_in_every_stage_whenever_it_arrives",
    ),
    KnownMutant(
        "a reopening cancels a death that is reported later",
        _ENDINGS,
        "    if reopening.reopens:\n",
        "    if False:\n",
        f"{_ENDING_TESTS}::test_a_death_that_is_reported_after_a_reopening_counts",
    ),
    KnownMutant(
        "an ending counts although the patient continued",
        _ENDINGS,
        "    disputed = [e for e in legal if find_step_after(opened, e, STEPS_OF_A_CONTINUING_PATIENT)]\n",
        "    disputed: list[StageChange] = []\n",
        f"{_ENDING_TESTS}::test_an_ending_before_a_visit_of_the_patient_is_recorded_and_both_sides_are_asked",
    ),
    KnownMutant(
        "a center's system that repeats the current status notifies again",
        _EVENT_PATH,
        "        and event.reason_code is None\n    )",
        "        and False\n    )",
        f"{_DECISION_TESTS}::test_a_center_system_that_repeats_the_current_status_is_recorded",
    ),
)
