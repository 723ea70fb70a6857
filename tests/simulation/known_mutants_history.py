"""Mistakes in what a referral's history means: clocks, repeats, endings, reopenings, planned dates and products."""

from tests.simulation.known_mutant import KnownMutant

_ENDINGS = "chalicelib/domain/referrals/endings.py"
_EVENT_PATH = "chalicelib/domain/referrals/event_path.py"
_NAMED_PRODUCTS = "chalicelib/domain/referrals/named_products.py"
_PLANS = "chalicelib/domain/referrals/plans.py"
_PLANNED_DATES = "chalicelib/domain/referrals/planned_dates.py"
_PLAN_TESTS = "tests/domain/referrals/test_planned_dates.py"
_PRODUCT_TESTS = "tests/domain/referrals/test_named_products.py"
_DECISION_TESTS = "tests/domain/referrals/test_apply_event.py"
_ENDING_TESTS = "tests/routes/referrals/test_endings.py"
_SECOND_REPORT_TESTS = "tests/domain/referrals/test_apply_event_second_reports.py"
_APPLY_EVENT = "chalicelib/domain/referrals/apply_event.py"

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
        "    disputed = [e for e in legal if find_step_after(steps, e, STEPS_OF_A_CONTINUING_PATIENT)]\n",
        "    disputed: list[StageChange] = []\n",
        f"{_ENDING_TESTS}::test_an_ending_before_a_visit_of_the_patient_is_recorded_and_both_sides_are_asked",
    ),
    KnownMutant(
        "a step that is reported again after an ending waits for what is missing between the two reports",
        _APPLY_EVENT,
        "    if change.event_id in _list_second_reports(replayed):\n",
        "    if False:\n",
        f"{_SECOND_REPORT_TESTS}"
        "::test_a_consultation_that_is_reported_again_after_an_ending_contradicts_it_in_every_order",
    ),
    KnownMutant(
        "a nightly repeat contradicts an ending",
        _EVENT_PATH,
        "[*self.moves, *(e for e in self.repeats if not _is_from_machine(e) or e.reason_code), *self.left_out]",
        "[*self.moves, *self.repeats, *self.left_out]",
        f"{_SECOND_REPORT_TESTS}::test_a_nightly_repeat_does_not_contradict_an_ending",
    ),
    KnownMutant(
        "a person's second report after an ending counts as a repeat",
        _EVENT_PATH,
        "[*self.moves, *(e for e in self.repeats if not _is_from_machine(e) or e.reason_code), *self.left_out]",
        "[*self.moves, *self.left_out]",
        f"{_SECOND_REPORT_TESTS}::test_a_step_that_a_person_reports_again_after_an_ending_contradicts_it",
    ),
    KnownMutant(
        "a center's system that repeats the current status notifies again",
        _EVENT_PATH,
        "        and event.reason_code is None\n    )",
        "        and False\n    )",
        f"{_DECISION_TESTS}::test_a_center_system_that_repeats_the_current_status_is_recorded",
    ),
    KnownMutant(
        "a moved date forgets where it was moved from",
        _PLANS,
        "    moved_from = before.day if before else None\n",
        "    moved_from = None\n",
        f"{_PLAN_TESTS}::test_a_moved_date_names_the_date_before",
    ),
    KnownMutant(
        "current plans ignore endings",
        _PLANNED_DATES,
        "    return [] if referral.stage in TERMINAL_STAGES else [*referral.plans.list_all()]\n",
        "    return [*referral.plans.list_all()]\n",
        f"{_PLAN_TESTS}::test_an_ending_cancels_all_plans",
    ),
    KnownMutant(
        "the current product prefers the planned to the given product",
        _NAMED_PRODUCTS,
        "        return self.given or self.planned\n",
        "        return self.planned or self.given\n",
        f"{_PRODUCT_TESTS}::test_the_given_product_counts_before_the_planned_and_the_requested_one",
    ),
    KnownMutant(
        "a late report of a date replaces a newer one",
        _PLANS,
        "sorted([*others, report], key=lambda each: each.order, reverse=True)",
        "[report, *reversed(others)]",
        f"{_PLAN_TESTS}::test_a_late_report_of_a_plan_is_history",
    ),
    KnownMutant(
        "a correction that names the same product again counts as a repeat",
        _NAMED_PRODUCTS,
        " and report is event:\n",
        ":\n",
        f"{_PRODUCT_TESTS}::test_a_second_correction_that_names_the_same_product_is_not_a_repeat",
    ),
    KnownMutant(
        "a status with a known date notifies again",
        _PLANNED_DATES,
        "    return report is None or _is_news(before, after, report.plan)\n",
        "    return True\n",
        "tests/routes/referrals/test_planned_dates.py"
        "::test_a_silent_status_with_the_date_that_was_planned_before_notifies_no_one",
    ),
)
