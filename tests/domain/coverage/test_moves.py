"""Which moves the coverage allows, from which states, and by whom."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.coverage.decide import decide_elapsed_dates, decide_move, is_possible
from chalicelib.domain.coverage.moves import MOVES, Machine, MoveName, Party
from chalicelib.domain.coverage.track import NO_TRACK, get_states, with_elapsed_dates
from chalicelib.domain.referrals.coverage_status import (
    AgreementState,
    AuthorizationState,
    TrackStatus,
    VerificationState,
)
from chalicelib.errors import ConflictError, ForbiddenError, MalformedError
from tests.support.coverage_values import (
    APPROVED,
    CLEARED,
    DENIED,
    PATHS,
    SUBMITTED,
    TO_SUBMIT,
    TODAY,
    build_facts,
    build_mover,
    day,
    get_usual_party,
    play,
)

AUTHORIZATION_MOVES = {
    "authorization_not_required": "unknown to_submit not_required approved denied appeal_lost external_lost withdrawn",
    "authorization_required": "unknown not_required approved denied appeal_lost external_lost withdrawn",
    "authorization_submitted": "to_submit",
    "information_asked": "submitted",
    "information_sent": "more_info",
    "authorization_approved": "submitted more_info peer_to_peer appeal_filed external_review",
    "authorization_denied": "submitted more_info",
    "peer_to_peer_arranged": "denied peer_to_peer",
    "peer_to_peer_ended": "peer_to_peer",
    "appeal_filed": "denied peer_to_peer appeal_lost",
    "appeal_lost": "appeal_filed",
    "external_review_requested": "appeal_lost",
    "external_review_lost": "external_review",
    "authorization_withdrawn": (
        "to_submit submitted more_info denied peer_to_peer appeal_filed appeal_lost external_review"
    ),
}
VERIFICATION_MOVES = {
    "verification_requested": "not_started stale unable_to_verify",
    "verification_started": "requested",
    "verification_expired": "verified verified_with_conditions",
}
AGREEMENT_MOVES = {
    "agreement_needed": "not_needed failed signed",
    "agreement_not_needed": "needed in_progress failed signed",
    "agreement_started": "needed",
    "agreement_signed": "in_progress",
    "agreement_failed": "needed in_progress",
}
PRACTICE_AND_CENTER = {Party.PRACTICE, Party.CENTER}
INTENDED_PARTIES = {
    **dict.fromkeys(AUTHORIZATION_MOVES, PRACTICE_AND_CENTER),
    "authorization_not_required": PRACTICE_AND_CENTER | {Party.PAYER},
    "authorization_required": PRACTICE_AND_CENTER | {Party.PAYER},
    "authorization_confirmed": PRACTICE_AND_CENTER,
    "verification_requested": PRACTICE_AND_CENTER,
    "verification_started": PRACTICE_AND_CENTER | {Party.PAYER},
    "result_recorded": PRACTICE_AND_CENTER | {Party.PAYER},
    "plan_changed": set(Party),
    "verification_expired": {Party.SYSTEM},
    **{name: {Party.CENTER} for name in AGREEMENT_MOVES},
    "cleared": {Party.CENTER},
    "clearance_ended": {Party.CENTER, Party.SYSTEM},
    "item_verified": PRACTICE_AND_CENTER,
}


def list_possible_starts(name, field, states):
    tracks = {state: replace(NO_TRACK, version=1, status=TrackStatus(**{field: state})) for state in states}
    return {state.value for state, track in tracks.items() if is_possible(MoveName(name), track)}


@pytest.mark.parametrize("name", AUTHORIZATION_MOVES)
def test_an_authorization_moves_only_from_the_listed_states(name):
    """The table is written here a second time, by hand."""
    found = list_possible_starts(name, "authorization", AuthorizationState)

    assert found == set(AUTHORIZATION_MOVES[name].split())


@pytest.mark.parametrize("name", VERIFICATION_MOVES)
def test_a_verification_moves_only_from_the_listed_states(name):
    """The same for the verification."""
    assert list_possible_starts(name, "verification", VerificationState) == set(VERIFICATION_MOVES[name].split())


@pytest.mark.parametrize("name", AGREEMENT_MOVES)
def test_a_case_agreement_moves_only_from_the_listed_states(name):
    """The same for the agreement."""
    assert list_possible_starts(name, "agreement", AgreementState) == set(AGREEMENT_MOVES[name].split())


def test_each_move_is_made_by_exactly_the_listed_parties():
    """A clearance and an agreement are the center's alone."""
    assert {name.value: set(move.by) for name, move in MOVES.items()} == INTENDED_PARTIES


@pytest.mark.parametrize("name", ["cleared", "agreement_needed", "agreement_signed"])
def test_a_practice_cannot_make_a_move_of_the_center(name):
    """It is refused before anything else is checked."""
    with pytest.raises(ForbiddenError) as refused:
        decide_move(play(*APPROVED), MoveName(name), build_facts(name), build_mover("practice"))

    assert refused.value.code == "center_only"


def test_a_move_that_is_not_possible_names_the_current_state():
    """A person reads why, and loses nothing."""
    with pytest.raises(ConflictError) as refused:
        decide_move(
            play("result_recorded"), MoveName.APPEAL_FILED, build_facts("appeal_filed"), build_mover("practice")
        )

    assert "authorization is: unknown" in refused.value.detail


@pytest.mark.parametrize(
    "name", [name.value for name, move in MOVES.items() if move.needs and name != "clearance_ended"]
)
def test_the_examples_have_every_fact_that_a_move_needs(name):
    """So the tests that use them prove something."""
    assert set(MOVES[MoveName(name)].needs) <= set(build_facts(name))


def test_a_recorded_result_says_the_requirement_and_moves_the_authorization():
    """The same phone call answers both."""
    track = play(("result_recorded", {"authorization": "required", "authorization_detail": "Inpatient only"}))

    assert track.status.authorization is AuthorizationState.TO_SUBMIT
    assert track.facts.authorization
    assert track.facts.authorization.payer_words == ("Inpatient only",)


def test_a_result_does_not_take_back_a_decided_authorization():
    """A benefits check knows nothing about a decision."""
    track = play(*APPROVED, ("result_recorded", {"authorization": "required"}))

    assert track.status.authorization is AuthorizationState.APPROVED


def test_inactive_benefits_mean_that_the_plan_changed():
    """The card is an old one."""
    track = play(("result_recorded", {"benefits": "inactive"}))

    assert track.status.verification is VerificationState.STALE
    assert track.facts.benefits
    assert track.facts.benefits.status == "inactive"
    assert track.facts.of_earlier_plan == ("benefits",)


def test_a_changed_plan_ends_the_clearance_and_says_so():
    """Two rows of the history, in the same moment."""
    moved = decide_move(play(*CLEARED), MoveName.PLAN_CHANGED, {"reason": "new_card"}, build_mover("center"))

    assert [(change.move, change.target) for change in moved.changes] == [
        ("plan_changed", "stale"),
        ("clearance_ended", "not_cleared"),
    ]
    assert moved.track.plan_version == 2


def test_an_authorization_of_the_earlier_plan_can_be_confirmed_or_started_again():
    """It is kept, and it counts as unknown until someone asks the new plan."""
    changed = play(*APPROVED, "plan_changed", "result_recorded")

    assert get_states(changed.status)[Machine.AUTHORIZATION] is AuthorizationState.UNKNOWN
    confirmed = play("authorization_confirmed", track=changed)
    assert get_states(confirmed.status)[Machine.AUTHORIZATION] is AuthorizationState.APPROVED
    again = play("authorization_required", track=changed)
    assert get_states(again.status)[Machine.AUTHORIZATION] is AuthorizationState.TO_SUBMIT


def test_a_new_request_after_an_approval_ends_the_clearance():
    """The clearance rested on the approval."""
    track = play(*CLEARED, "authorization_required")

    assert not track.status.is_cleared


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("upheld", "denied"), ("partly", "denied"), ("overturned", "peer_to_peer"), ("not_reached", "peer_to_peer")],
)
def test_the_outcome_of_a_peer_to_peer_call_decides_the_state(outcome, state):
    """An overturned denial waits for the payer's approval."""
    track = play(*DENIED, "peer_to_peer_arranged", ("peer_to_peer_ended", {"outcome": outcome}))

    assert track.status.authorization == state


def test_the_time_to_appeal_runs_on_during_a_peer_to_peer_call():
    """The call does not move the deadline of the letter."""
    track = play(*DENIED, "peer_to_peer_arranged")

    assert track.status.deadline
    assert track.status.deadline.on.isoformat() == build_facts("authorization_denied")["deadline"]


@pytest.mark.parametrize(
    ("steps", "name", "changed", "pointer"),
    [
        ((), "result_recorded", {"reference_number": ...}, "/reference_number"),
        ((), "result_recorded", {"representative": ...}, "/representative"),
        ((), "result_recorded", {"called_at": ...}, "/called_at"),
        ((), "result_recorded", {"valid_until": day(-1)}, "/valid_until"),
        ((), "result_recorded", {"outcome": "verified_with_conditions"}, "/conditions"),
        ((), "result_recorded", {"benefits": ...}, "/benefits"),
        (TO_SUBMIT, "authorization_submitted", {"decision_by": day(-9)}, "/decision_by"),
        (SUBMITTED, "authorization_approved", {"ends_on": day(-9)}, "/ends_on"),
        (SUBMITTED, "authorization_approved", {"decided_on": day(-9)}, "/decided_on"),
        (SUBMITTED, "authorization_denied", {"letter_on": day(-9)}, "/letter_on"),
        (SUBMITTED, "authorization_denied", {"deadline": day(-9)}, "/deadline"),
        (SUBMITTED, "authorization_denied", {"peer_to_peer_phone": ...}, "/peer_to_peer_phone"),
        (DENIED, "appeal_filed", {"filed_on": day(-9)}, "/filed_on"),
        (APPROVED, "cleared", {"until": day(-1)}, "/until"),
    ],
)
def test_facts_that_cannot_be_right_are_named(steps, name, changed, pointer):
    """Each with its field."""
    mover = build_mover(get_usual_party(name))

    with pytest.raises(MalformedError) as refused:
        decide_move(play(*steps), MoveName(name), build_facts(name, **changed), mover)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_denial_without_a_peer_to_peer_call_is_recorded():
    """Some payers offer none."""
    facts = {"peer_to_peer_phone": ..., "peer_to_peer_offered": False}

    assert play(*SUBMITTED, ("authorization_denied", facts)).status.authorization is AuthorizationState.DENIED


def test_a_denial_whose_deadline_has_passed_is_recorded():
    """The letter was found late; hiding it would make it worse."""
    facts = {"letter_on": day(-2), "deadline": day(-1)}

    deadline = play(*SUBMITTED, ("authorization_denied", facts)).status.deadline

    assert deadline
    assert deadline.on.isoformat() == day(-1)


def elapse(track, days):
    return decide_elapsed_dates(track, build_mover("system", today=TODAY + timedelta(days=days)))


@pytest.mark.parametrize(
    ("steps", "days", "expected"),
    [
        (("result_recorded",), 30, None),
        (("result_recorded",), 31, ["verification_expired"]),
        (CLEARED, 61, ["clearance_ended", "verification_expired"]),
        (("result_recorded", ("cleared", {"until": day(20)})), 21, ["clearance_ended"]),
        ((("result_recorded", {"plan_year": "calendar", "valid_until": ...}),), 59, None),
        ((("result_recorded", {"plan_year": "calendar", "valid_until": ...}),), 60, ["plan_changed"]),
        ((("result_recorded", {"plan_year": "other", "valid_until": ...}),), 365, None),
    ],
)
def test_what_ends_on_a_day_is_recorded_by_the_product(steps, days, expected):
    """The day after the last valid day. November 2 and 60 days is January 1."""
    moved = elapse(play(*steps), days)

    assert (moved and [change.move for change in moved.changes]) == expected


CALENDAR_YEAR = ("result_recorded", {"plan_year": "calendar", "valid_until": day(28)})


@pytest.mark.parametrize(
    "later",
    [
        ("verification_expired",),
        ("verification_expired", "verification_requested"),
        (("result_recorded", {"valid_until": ...}),),
    ],
)
def test_a_new_plan_year_ends_the_clearance_although_the_verification_changed_before(later):
    """An electronic answer is never valid after its month, so it expires before January 1."""
    track = play(CALENDAR_YEAR, ("cleared", {"until": day(120)}), *later)

    moved = elapse(track, 60)

    assert [(change.move, change.facts["reason"]) for change in moved.changes] == [
        ("clearance_ended", "plan_changed"),
        ("plan_changed", "new_plan_year"),
    ]
    assert not with_elapsed_dates(track.status, today=TODAY + timedelta(days=60)).is_cleared


def test_an_approval_that_is_recorded_after_its_end_ends_the_clearance_and_says_so():
    """The letter came late. No job would record it, because the day has passed."""
    track = play(*SUBMITTED, "cleared")
    facts = build_facts("authorization_approved", begins_on=day(-40), ends_on=day(-1))

    moved = decide_move(track, MoveName.AUTHORIZATION_APPROVED, facts, build_mover("practice"))

    assert [(change.move, change.by) for change in moved.changes] == [
        ("authorization_approved", "practice"),
        ("clearance_ended", "system"),
    ]


def test_a_clearance_after_the_end_of_the_approval_is_refused_with_what_to_do():
    """It would not count, and no one would notice."""
    track = play(*SUBMITTED, ("authorization_approved", {"begins_on": day(-40), "ends_on": day(-1)}))

    with pytest.raises(MalformedError) as refused:
        decide_move(track, MoveName.CLEARED, build_facts("cleared"), build_mover("center"))

    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/until", "authorization_ended")]


@pytest.mark.parametrize(
    ("party", "state"),
    [("payer", VerificationState.VERIFIED), ("practice", VerificationState.UNABLE_TO_VERIFY)],
)
def test_an_electronic_answer_that_says_nothing_does_not_take_back_a_verification(party, state):
    """A person verified by phone while the check was running. Only a person can take it back."""
    facts = {"how": "electronic" if party == "payer" else "phone", "outcome": "unable_to_verify"}
    facts |= {"called_at": f"{day(0)}T15:00:00Z"} if party == "practice" else {}

    moved = decide_move(play("result_recorded"), MoveName.RESULT_RECORDED, facts, build_mover(party))

    assert moved.track.status.verification is state


def test_a_result_without_a_verification_has_no_end():
    """Someone entered a date: no one is reminded that a benefits check expires."""
    unable = {"outcome": "unable_to_verify", "benefits": ..., "valid_until": day(30)}

    assert play(("result_recorded", unable)).status.verified_until is None


def test_an_ended_approval_ends_the_clearance():
    """Even if the center recorded a longer one."""
    track = play(*SUBMITTED, ("authorization_approved", {"ends_on": day(10)}), ("cleared", {"until": day(20)}))

    moved = elapse(track, 11)

    assert [change.facts.get("reason") for change in moved.changes] == ["authorization_ended"]


def test_a_move_after_an_unrecorded_end_records_both():
    """The job was late, and a person was first: no one loses the notice of the end."""
    track = play("result_recorded", ("cleared", {"until": day(5)}))
    mover = build_mover("practice", today=TODAY + timedelta(days=6))

    moved = decide_move(track, MoveName.AUTHORIZATION_REQUIRED, {"how": "portal"}, mover)

    assert [(change.move, change.by) for change in moved.changes] == [
        ("clearance_ended", "system"),
        ("authorization_required", "practice"),
    ]
    assert moved.track.version == track.version + 1


@pytest.mark.parametrize("state", PATHS)
def test_each_change_increases_the_version_by_one(state):
    """Whatever follows from it."""
    assert play(*PATHS[state]).version == len(PATHS[state])
