"""Mistakes in the rules of coverage: what counts, until when, for which plan, who records it, and what is asked."""

from tests.simulation.known_mutant import KnownMutant

_ASK_PAYER = "chalicelib/services/coverage/ask_payer.py"
_CHECKS = "chalicelib/services/coverage/checks.py"
_DECIDE = "chalicelib/domain/coverage/decide.py"
_DERIVE = "chalicelib/domain/coverage/derive_facts.py"
_FACT_RULES = "chalicelib/domain/coverage/fact_rules.py"
_MATCH = "chalicelib/domain/coverage/member_match.py"
_RESULTS = "chalicelib/services/coverage/attempt_results.py"
_RESPONSES = "chalicelib/routes/coverage/responses.py"
_SCHEDULE = "chalicelib/domain/notices/coverage_schedule.py"
_TIMERS = "chalicelib/domain/coverage/timers.py"
_TRACK = "chalicelib/domain/coverage/track.py"
_WRITES = "chalicelib/services/referrals/coverage_writes.py"
_CHECK_TESTS = "tests/routes/coverage/test_checks.py"
_DECIDE_TESTS = "tests/domain/coverage/test_moves.py"
_DERIVE_TESTS = "tests/domain/coverage/test_derive_facts.py"
_DISPLAY_TESTS = "tests/domain/coverage/test_display.py"
_MOVE_TESTS = "tests/routes/coverage/test_moves.py"
_TIMER_TESTS = "tests/domain/coverage/test_timers.py"

_DATES_AND_PLANS = (
    KnownMutant(
        "a clearance counts after its last day",
        _TRACK,
        "(_is_past(status.cleared_until, today) or is_authorization_over(status, today=today))",
        "is_authorization_over(status, today=today)",
        f"{_DISPLAY_TESTS}::test_what_has_ended_does_not_count_even_if_no_job_has_run",
    ),
    KnownMutant(
        "a clearance outlives the payer's approval",
        _TRACK,
        "(_is_past(status.cleared_until, today) or is_authorization_over(status, today=today))",
        "_is_past(status.cleared_until, today)",
        f"{_DECIDE_TESTS}::test_an_ended_approval_ends_the_clearance",
    ),
    KnownMutant(
        "a clearance does not count on its last day",
        _TRACK,
        "return day is not None and day < today",
        "return day is not None and day <= today",
        f"{_DISPLAY_TESTS}::test_what_has_ended_does_not_count_even_if_no_job_has_run",
    ),
    KnownMutant(
        "a clearance can rest on an approval that has ended",
        _FACT_RULES,
        "if authorized_until and is_authorization_over(track.status, today=today):",
        "if False:",
        f"{_DECIDE_TESTS}::test_a_clearance_after_the_end_of_the_approval_is_refused_with_what_to_do",
    ),
    KnownMutant(
        "an approval of an earlier plan counts",
        _TRACK,
        "AuthorizationState.UNKNOWN if status.is_authorization_of_earlier_plan else status.authorization",
        "status.authorization",
        f"{_DECIDE_TESTS}::test_an_authorization_of_the_earlier_plan_can_be_confirmed_or_started_again",
    ),
    KnownMutant(
        "what was entered for an earlier plan is said to the new payer",
        _TRACK,
        "return entered.plan_version == self.plan_version or is_confirmed",
        "return True",
        "tests/routes/coverage/test_letters.py::test_a_draft_to_a_new_plan_says_nothing_about_the_earlier_one",
    ),
    KnownMutant(
        "a clearance survives a change of the plan",
        _DECIDE,
        'return [(MoveName.CLEARANCE_ENDED, {"reason": "plan_changed"})] if before.status.is_cleared else []',
        "return []",
        f"{_DECIDE_TESTS}::test_a_changed_plan_ends_the_clearance_and_says_so",
    ),
    KnownMutant(
        "a change of the insurance leaves the coverage as it was",
        _WRITES,
        "if before.submitted_at is None or not _is_another_plan(before, after):",
        "if True:",
        f"{_MOVE_TESTS}::test_another_plan_reopens_the_coverage_and_ends_the_clearance",
    ),
    KnownMutant(
        "the time to appeal stops during a peer-to-peer call",
        _DECIDE,
        "        return status.deadline\n",
        "        return None\n",
        f"{_DECIDE_TESTS}::test_the_time_to_appeal_runs_on_during_a_peer_to_peer_call",
    ),
    KnownMutant(
        "what ended while a referral was closed is never recorded",
        _SCHEDULE,
        "if on == today or (on < today and rule == COVERAGE_DATE_PASSED_RULE):",
        "if on == today:",
        f"{_MOVE_TESTS}::test_what_ended_while_a_referral_was_closed_is_recorded_when_it_is_open_again",
    ),
    KnownMutant(
        "a reminder is sent although its date is gone",
        _SCHEDULE,
        "return (task.rule, task.due_on) in set(list_coverage_days(status))",
        "return True",
        f"{_MOVE_TESTS}::test_a_reminder_whose_date_is_gone_is_not_sent",
    ),
)

_TIME_LIMITS = (
    KnownMutant(
        "a time limit of another plan type is shown",
        _TIMERS,
        "        and plan_type in timer.plan_types\n",
        "",
        f"{_TIMER_TESTS}::test_no_figure_is_shown_where_no_row_matches",
    ),
    KnownMutant(
        "a time limit for services is shown for a drug",
        _TIMERS,
        "        and timer.kinds & kinds\n",
        "",
        f"{_TIMER_TESTS}::test_seven_days_apply_to_a_service_of_medicare_advantage_and_not_to_a_drug",
    ),
    KnownMutant(
        "a time limit is shown before the law takes effect",
        _TIMERS,
        "        and (timer.first_day is None or timer.first_day <= on)\n",
        "",
        f"{_TIMER_TESTS}::test_a_rule_is_not_shown_before_its_first_day",
    ),
    KnownMutant(
        "a federal time limit is shown for a plan under state law",
        _TIMERS,
        "        and funding in timer.funding\n",
        "",
        f"{_TIMER_TESTS}::test_a_fully_insured_plan_has_no_federal_figure_for_the_decision",
    ),
    KnownMutant(
        "a time limit is shown that no one compared with the law",
        _TIMERS,
        "if timer.is_checked",
        "if True",
        f"{_TIMER_TESTS}::test_a_row_that_was_not_compared_with_the_law_is_never_shown",
    ),
)

_PEOPLE = (
    KnownMutant(
        "a practice records a clearance",
        _DECIDE,
        "if mover.party not in move.by:",
        "if False:",
        f"{_MOVE_TESTS}::test_a_practice_cannot_record_what_is_the_centers",
    ),
    KnownMutant(
        "a practice reads the rates of a center's contract",
        _RESPONSES,
        "if member.kind is TenantKind.CENTER:",
        "if True:",
        f"{_MOVE_TESTS}::test_amounts_are_the_centers_alone",
    ),
    KnownMutant(
        "leukapheresis without a clearance is not noticed",
        "chalicelib/domain/coverage/warnings.py",
        "if is_planned and not status.is_cleared:",
        "if False:",
        f"{_MOVE_TESTS}::test_leukapheresis_without_a_clearance_is_accepted_with_a_warning",
    ),
    KnownMutant(
        "the coverage does not say that it is no guarantee",
        _RESPONSES,
        '"disclaimer": NOT_A_GUARANTEE',
        '"disclaimer": ""',
        f"{_MOVE_TESTS}::test_the_disclaimer_is_always_there",
    ),
    KnownMutant(
        "the answer of a payer does not say that it is no guarantee",
        "chalicelib/routes/coverage/check_responses.py",
        '"disclaimer": NOT_A_GUARANTEE',
        '"disclaimer": ""',
        f"{_CHECK_TESTS}::test_a_check_is_never_a_guarantee",
    ),
    KnownMutant(
        "a letter does not say that it is no guarantee",
        "chalicelib/routes/coverage/letters.py",
        '"disclaimer": NOT_A_GUARANTEE',
        '"disclaimer": ""',
        "tests/routes/coverage/test_letters.py::test_a_letter_is_never_a_guarantee",
    ),
    KnownMutant(
        "a letter with blanks is final",
        "chalicelib/services/coverage/letters.py",
        "if is_final and has_blanks(text):",
        "if False:",
        "tests/routes/coverage/test_letters.py::test_a_letter_with_blanks_can_be_saved_and_not_marked_as_final",
    ),
)

_PAYERS = (
    KnownMutant(
        "a second request asks the payer a second time",
        _CHECKS,
        "if running and running.plan_version == plan_version:",
        "if False:",
        f"{_CHECK_TESTS}::test_a_second_request_gets_the_running_check",
    ),
    KnownMutant(
        "a replaced check asks the payer as well",
        _ASK_PAYER,
        "if holder != check.check_id:",
        "if False:",
        f"{_CHECK_TESTS}::test_a_new_plan_can_be_checked_while_the_old_check_still_waits",
    ),
    KnownMutant(
        "a payer is asked about a referral that is closed",
        _ASK_PAYER,
        "    if referral.stage in TERMINAL_STAGES:\n        return CLOSED",
        "    if False:\n        return CLOSED",
        f"{_CHECK_TESTS}::test_no_check_starts_or_goes_on_after_the_referral_ended",
    ),
    KnownMutant(
        "a payer is asked after the consent was withdrawn",
        _ASK_PAYER,
        'if not has_basis(referral.details.get("consent_to_share")):',
        "if False:",
        f"{_CHECK_TESTS}::test_a_payer_is_not_asked_after_the_consent_was_withdrawn",
    ),
    KnownMutant(
        "an answer about an earlier plan moves the coverage",
        _RESULTS,
        "        if track.plan_version != check.plan_version:\n",
        "        if False:\n",
        f"{_CHECK_TESTS}::test_an_answer_after_the_plan_changed_is_filed_and_moves_nothing",
    ),
    KnownMutant(
        "the answer to another question is read",
        "chalicelib/domain/coverage/x12_loops.py",
        "if not any(each.get(2) == trace_id for each in traces):",
        "if False:",
        "tests/domain/coverage/test_x12_read.py::test_an_answer_to_another_question_is_refused",
    ),
    KnownMutant(
        "the answer about another person is read",
        _MATCH,
        "stops=True",
        "stops=False",
        "tests/domain/coverage/test_read_answers.py::test_another_last_name_or_birth_date_may_be_another_person",
    ),
    KnownMutant(
        "what a payer left open means that no authorization is required",
        _DERIVE,
        'all(row.authorization == "N" for row in rows)',
        'all(row.authorization != "Y" for row in rows)',
        f"{_DERIVE_TESTS}::test_an_authorization_is_not_required_only_if_every_row_about_the_treatment_says_so",
    ),
    KnownMutant(
        "a row about the network makes a center part of it",
        _DERIVE,
        "return NetworkFact(origin=origin, status=NetworkStatus.NOT_STATED)",
        "return NetworkFact(origin=origin, status=NetworkStatus.IN_NETWORK)",
        f"{_DERIVE_TESTS}::test_the_network_is_not_stated_by_an_in_network_row",
    ),
    KnownMutant(
        "one row out of network makes the provider out of network",
        _DERIVE,
        'asked if asked and all(row.in_network == "N" for row in asked) else []',
        'asked if any(row.in_network == "N" for row in asked) else []',
        f"{_DERIVE_TESTS}::test_out_of_network_needs_every_row_that_was_asked_for",
    ),
    KnownMutant(
        "an electronic answer decides about the treatment",
        _DERIVE,
        "status=DeterminationStatus.NONE",
        "status=DeterminationStatus.APPROVED",
        f"{_DERIVE_TESTS}::test_an_answer_never_carries_a_determination",
    ),
    KnownMutant(
        "an answer counts longer than its month",
        _DERIVE,
        "days = [end_of_month, asked_on + timedelta(days=valid_days)]",
        "days = [asked_on + timedelta(days=valid_days)]",
        f"{_DERIVE_TESTS}::test_an_answer_counts_until_the_earliest_limit",
    ),
    KnownMutant(
        "what a payer left open replaces what a person learned",
        _TRACK,
        "return is_known and stated in _NOT_STATED",
        "return False",
        f"{_CHECK_TESTS}::test_an_electronic_answer_does_not_replace_what_a_person_learned",
    ),
    KnownMutant(
        "an electronic answer that says nothing takes back a verification",
        _DECIDE,
        "if is_open and status.verification in VERIFIED_STATES:",
        "if False:",
        f"{_DECIDE_TESTS}::test_an_electronic_answer_that_says_nothing_does_not_take_back_a_verification",
    ),
)

COVERAGE_MUTANTS: tuple[KnownMutant, ...] = (*_DATES_AND_PLANS, *_TIME_LIMITS, *_PEOPLE, *_PAYERS)
